//! The accountability statement: what a person signs before their signature counts (21 CFR 11.10(j), 11.100(c); R9).
//!
//! A controlled text, not a screen's words: the signature covers a digest of exactly what was shown, in the language it was shown in. A
//! changed wording is a new [`VERSION`].

use crate::id::Digest32;

/// Version of the wording, in every language alike.
pub const VERSION: u32 = 1;

/// The statement in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// Primary language tag: `en`.
    pub language: &'static str,
    /// A paragraph each, in order.
    pub sentences: &'static [&'static str],
}

const STATEMENTS: &[Statement] = &[
    Statement {
        language: "en",
        sentences: &[
            "My electronic signature binds me legally as my handwritten one does.",
            "My secret is mine alone. I tell it to nobody, and nobody may ask me for it.",
            "I answer for everything that is signed with it, and I sign only what I have done, read or seen myself.",
            "If I think that somebody knows my secret or holds my badge, I tell my supervisor at once.",
        ],
    },
    Statement {
        language: "de",
        sentences: &[
            "Meine elektronische Unterschrift bindet mich rechtlich wie meine handschriftliche.",
            "Mein Geheimnis gehört nur mir. Ich sage es niemandem, und niemand darf mich danach fragen.",
            "Ich stehe für alles ein, was damit unterschrieben wird, und unterschreibe nur, was ich selbst getan, gelesen oder gesehen habe.",
            "Glaube ich, dass jemand mein Geheimnis kennt oder meinen Ausweis hat, sage ich es sofort meiner Schichtleitung.",
        ],
    },
];

/// The statement in the language asked for, by its primary tag; else in English.
pub fn statement(language: &str) -> &'static Statement {
    let primary = |tag: &str| tag.split('-').next().unwrap_or(tag).to_lowercase();
    let wanted = primary(language);
    STATEMENTS.iter().find(|statement| statement.language == wanted).unwrap_or(&STATEMENTS[0])
}

impl Statement {
    /// What the signature covers: version, language, every sentence.
    pub fn digest(&self) -> Digest32 {
        let version = VERSION.to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![b"lineproof accountability", &version, self.language.as_bytes()];
        parts.extend(self.sentences.iter().map(|sentence| sentence.as_bytes()));
        Digest32::of_parts(&parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r9_every_language_says_the_same_number_of_things_and_has_its_own_digest() {
        let english = statement("en");
        for other in STATEMENTS {
            assert_eq!(other.sentences.len(), english.sentences.len(), "{}", other.language);
            assert_eq!(other.digest() == english.digest(), other.language == "en");
        }
        assert_eq!((statement("de-AT").language, statement("vi").language), ("de", "en"));
    }

    /// English, German.
    const DIGESTS: [&str; 2] = [
        "164caaae669c9f8993791d26b4eb770d90f38b042dd83ce5aa60ce1766d866b0",
        "c49b0ca71f726a85bf73177382d1ab8fa3e935000906fe5b6f77d187dd217f76",
    ];

    /// The digests of version 1: a changed wording under the same version would make signed statements unprovable.
    #[test]
    fn r9_a_wording_never_changes_under_its_version() {
        let digests: Vec<String> = STATEMENTS.iter().map(|statement| statement.digest().to_string()).collect();
        assert_eq!(VERSION, 1);
        assert_eq!(digests, DIGESTS);
    }
}
