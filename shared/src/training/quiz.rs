//! The paper of a quiz: its questions and choices, which questions are drawn, and how answers are graded (L2).
//!
//! A paper never holds the right answers: it lies as a blob on every kiosk's disk. The right answers travel apart, in a sealed box,
//! and are handed to [`score`] as an argument.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};

use crate::id::Digest32;
use crate::kind::{BadBody, to_cbor};

/// The item bank of a quiz, as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Paper {
    #[n(0)]
    pub questions: Vec<Question>,
}

/// One question and the answers to choose from, in the order they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Question {
    #[n(0)]
    pub text: String,
    #[n(1)]
    pub answers: Vec<String>,
}

impl Paper {
    /// The blob whose digest `quiz_set` names.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_cbor(self)
    }

    /// Reads a paper; refuses bytes that [`Paper::to_bytes`] would not have written.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadBody> {
        crate::log::canonical::check(bytes).map_err(|why| BadBody(why.to_string()))?;
        minicbor::decode(bytes).map_err(|why| BadBody(why.to_string()))
    }
}

/// Names the right answers of a paper, with the paper's digest as salt: what `quiz_set` holds instead of them.
pub fn answers_digest(paper: &Digest32, right: &[Vec<u16>]) -> Digest32 {
    Digest32::of_parts(&[paper.as_bytes(), &to_cbor(&right)])
}

/// The name under which the sealed right answers travel: by the answers themselves, so that a changed quiz has a box of its own.
pub fn answers_box_name(answers: &Digest32) -> String {
    format!("quiz/{answers}")
}

/// The percentage of drawn questions answered rightly, rounded down.
///
/// A question is right only if exactly the right answers were chosen. A question that the paper lacks, that was drawn before, or that
/// has no answer beside it counts as wrong: a repeated easy question never lifts a score.
pub fn score(paper: &Paper, drawn: &[u16], answers: &[Vec<u16>], right: &[Vec<u16>]) -> u8 {
    let mut seen = BTreeSet::new();
    let is_right = |place: usize, question: u16| {
        let chosen: BTreeSet<&u16> = answers.get(place).into_iter().flatten().collect();
        let wanted: BTreeSet<&u16> = right.get(usize::from(question)).into_iter().flatten().collect();
        usize::from(question) < paper.questions.len() && !wanted.is_empty() && chosen == wanted
    };
    let hits = drawn
        .iter()
        .enumerate()
        .filter(|(place, question)| seen.insert(**question) && is_right(*place, **question))
        .count();
    let percent = (hits * 100).checked_div(drawn.len()).unwrap_or(0);
    u8::try_from(percent).unwrap_or(0)
}

/// Draws `ask` different questions out of `paper_len`, in the order to show them. The same seed gives the same draw on every machine.
/// Answers keep the order of the paper.
pub fn draw(paper_len: u16, ask: u16, seed: [u8; 32]) -> Vec<u16> {
    let mut places: Vec<u16> = (0..paper_len).collect();
    let mut numbers = Numbers { seed, block: 0, left: Vec::new() };
    let asked = usize::from(ask.min(paper_len));
    for place in 0..asked {
        let rest = places.len() - place;
        let other = place + numbers.below(rest as u64) as usize;
        places.swap(place, other);
    }
    places.truncate(asked);
    places
}

/// Even numbers in the sense of chance: SHA-256 of seed and block number, in pieces of eight bytes.
struct Numbers {
    seed: [u8; 32],
    block: u64,
    left: Vec<u64>,
}

impl Numbers {
    fn next(&mut self) -> u64 {
        loop {
            if let Some(number) = self.left.pop() {
                return number;
            }
            let digest = Digest32::of_parts(&[b"quiz draw", &self.seed, &self.block.to_be_bytes()]);
            self.block += 1;
            self.left = digest
                .0
                .chunks_exact(8)
                .rev()
                .map(|piece| piece.iter().fold(0, |n, b| n << 8 | u64::from(*b)))
                .collect();
        }
    }

    /// A number below `bound`, which is not 0; each equally likely.
    fn below(&mut self, bound: u64) -> u64 {
        let fair = u64::MAX - u64::MAX % bound;
        loop {
            let number = self.next();
            if number < fair {
                return number % bound;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paper(questions: usize) -> Paper {
        let question =
            |n| Question { text: format!("Frage {n}: ä?"), answers: vec!["ja".into(), "nein".into(), "何".into()] };
        Paper { questions: (0..questions).map(question).collect() }
    }

    #[test]
    fn l2_a_paper_reads_back_and_has_one_spelling() {
        let bytes = paper(3).to_bytes();
        assert_eq!(Paper::decode(&bytes).unwrap(), paper(3));
        let trailing = [bytes.as_slice(), &[0]].concat();
        assert!(Paper::decode(&trailing).is_err());
        assert!(Paper::decode(b"%PDF").is_err());
    }

    #[test]
    fn l2_a_question_is_right_only_if_exactly_the_right_answers_are_chosen() {
        let right = vec![vec![0], vec![0, 2], vec![1]];
        let of = |drawn: &[u16], answers: &[&[u16]]| {
            score(&paper(3), drawn, &answers.iter().map(|a| a.to_vec()).collect::<Vec<_>>(), &right)
        };
        assert_eq!(of(&[0, 1, 2], &[&[0], &[2, 0], &[1]]), 100, "the order of choosing does not matter");
        assert_eq!(of(&[0, 1, 2], &[&[0], &[0], &[1]]), 66, "half of a right answer is wrong; rounded down");
        assert_eq!(of(&[2, 1], &[&[1], &[0, 1, 2]]), 50, "choosing everything is wrong");
        assert_eq!(of(&[0, 0, 0, 0], &[&[0], &[0], &[0], &[0]]), 25, "a repeated question counts once");
        assert_eq!(of(&[0, 9], &[&[0], &[]]), 50, "a question the paper lacks is wrong, also unanswered");
        assert_eq!(of(&[0, 1], &[&[0]]), 50, "no answer is wrong");
        assert_eq!(of(&[], &[]), 0);
    }

    #[test]
    fn l2_the_draw_is_fair_repeatable_and_without_repetition() {
        assert_eq!(draw(5, 3, [7; 32]), draw(5, 3, [7; 32]));
        assert_ne!(draw(200, 5, [7; 32]), draw(200, 5, [8; 32]));
        assert_eq!(draw(3, 9, [0; 32]).len(), 3);
        assert!(draw(0, 5, [0; 32]).is_empty());
        let mut counts = [0_u32; 5];
        for n in 0..1000_u32 {
            let mut seed = [0; 32];
            seed[..4].copy_from_slice(&n.to_be_bytes());
            let drawn = draw(5, 2, seed);
            assert_ne!(drawn[0], drawn[1]);
            drawn.iter().for_each(|place| counts[usize::from(*place)] += 1);
        }
        assert!(counts.iter().all(|count| (340..460).contains(count)), "{counts:?}");
    }
}
