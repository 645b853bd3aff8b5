//! Questions to ask of a folder, biased to the instants at which an answer may change.

use chrono::{DateTime, Months, TimeDelta};

use crate::answer::{Verdict, expiry};
use crate::cell::{Instant, Period};
use crate::plant::{Person, Plant};
use crate::rng::Rng;

/// "Was this person qualified on this document at that time?"
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub person: String,
    pub document: String,
    pub at: Instant,
}

impl Plant {
    /// `n` questions; the same folder and seed give the same ones. The folder must have a person and a document.
    ///
    /// Most are about a person and a document that have something to do with each other, at, one second
    /// before, or one second after an instant named in the folder or derived from it (expiry, end of currency).
    pub fn questions(&self, n: usize, seed: u64) -> Vec<Question> {
        let mut rng = Rng::new(seed);
        let trained = self.trained_pairs();
        let required = self.required_pairs();
        let people: Vec<&str> = self.people().collect();
        let documents: Vec<&str> = self.documents().collect();
        let draw = |rng: &mut Rng| {
            let dice = rng.below(100);
            let (person, document) = if dice < 65 && !trained.is_empty() {
                *rng.pick(&trained)
            } else if dice < 90 && !required.is_empty() {
                *rng.pick(&required)
            } else {
                (*rng.pick(&people), *rng.pick(&documents))
            };
            let at = self.instant_for(rng, person, document);
            Question { person: person.to_string(), document: document.to_string(), at }
        };
        (0..n)
            .map(|_| {
                // Most instants in a folder are ones of no: some of these are drawn again.
                let mut question = draw(&mut rng);
                for _ in 0..4 {
                    let Question { person, document, at } = &question;
                    if self.answer(person, document, *at).answer != Verdict::No || rng.chance(30) {
                        break;
                    }
                    question = draw(&mut rng);
                }
                question
            })
            .collect()
    }

    /// Each person with each document they have history on.
    fn trained_pairs(&self) -> Vec<(&str, &str)> {
        let of_person = |(id, person): (&'_ String, &'_ Person)| -> Vec<(String, String)> {
            person.history.keys().map(|requirement| (id.clone(), requirement.clone())).collect()
        };
        let pairs: Vec<(String, String)> = self.people.iter().flat_map(of_person).collect();
        self.with_documents(&pairs)
    }

    /// Each person with each document that a class they ever held, or an exemption, has to do with.
    fn required_pairs(&self) -> Vec<(&str, &str)> {
        let mut pairs = Vec::new();
        for (id, person) in &self.people {
            for membership in &person.memberships {
                let first = (membership.class.clone(), String::new());
                let of_class = self.matrix.range(first..).take_while(|(class, _)| *class == membership.class);
                pairs.extend(of_class.map(|(_, requirement)| (id.clone(), requirement.clone())));
            }
            pairs.extend(person.exemptions.iter().map(|exemption| (id.clone(), exemption.requirement.clone())));
        }
        self.with_documents(&pairs)
    }

    /// Turns (person, requirement) into (person, document), where the requirement is on one.
    fn with_documents(&self, pairs: &[(String, String)]) -> Vec<(&str, &str)> {
        let pair = |(person, requirement): &(String, String)| {
            let document = self.requirements[requirement].document.as_deref()?;
            let (person, _) = self.people.get_key_value(person)?;
            Some((person.as_str(), document))
        };
        pairs.iter().filter_map(pair).collect()
    }

    fn instant_for(&self, rng: &mut Rng, person: &str, document: &str) -> Instant {
        let edges = self.edges(person, document);
        if edges.is_empty() || rng.chance(5) {
            let start = DateTime::from_timestamp(1_600_000_000, 0).expect("a time in 2020");
            return start + TimeDelta::seconds(rng.range(0, 7 * 365 * 86_400));
        }
        let edge = *rng.pick(&edges);
        match rng.below(100) {
            0..40 => edge,
            40..62 => edge - TimeDelta::seconds(1),
            62..75 => edge + TimeDelta::seconds(1),
            75..80 => edge - TimeDelta::hours(rng.range(1, 36)),
            80..90 => edge + TimeDelta::hours(rng.range(1, 36)),
            90..95 => edge + Months::new(rng.below(30) as u32),
            _ => edge + TimeDelta::seconds(rng.range(0, 90 * 86_400)),
        }
    }

    /// The instants at which the answer for this person and document may change.
    fn edges(&self, person: &str, document: &str) -> Vec<Instant> {
        let person = &self.people[person];
        let mut edges = Vec::new();
        for version in &self.documents[document] {
            edges.extend([version.effective_from, version.effective_from, version.approved_at]);
            edges.extend(version.withdrawn_at);
        }
        let ends = |period: &Period| period.from.into_iter().chain(period.until);
        edges.extend(ends(&person.active));
        for membership in &person.memberships {
            edges.extend(ends(&membership.period));
        }
        for (id, requirement) in &self.requirements {
            if requirement.document.as_deref() != Some(document) {
                continue;
            }
            let exemptions = person.exemptions.iter().filter(|exemption| exemption.requirement == *id);
            edges.extend(exemptions.flat_map(|exemption| ends(&exemption.period)));
            for fact in person.history.get(id).into_iter().flatten() {
                edges.push(fact.completed_at);
                edges.extend(expiry(requirement, fact.completed_at));
                edges.extend(requirement.currency_days.map(|days| fact.completed_at + TimeDelta::days(days)));
            }
        }
        edges
    }
}
