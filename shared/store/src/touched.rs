//! What is to be judged anew.

use std::collections::{BTreeMap, BTreeSet};

use shared::record::Topic;

/// Subjects by name.
pub(crate) type Subjects = BTreeSet<String>;

/// How much of a record is judged anew.
pub(crate) enum Extent {
    Whole,
    Topics(BTreeSet<Topic>),
}

/// People, by subject, with how much of their records is touched. Subjects that aren't people have no record and are left out.
#[derive(Default)]
pub(crate) struct Touched(BTreeMap<String, Extent>);

impl Touched {
    pub fn whole(subjects: Subjects) -> Self {
        let mut touched = Self::default();
        touched.extend(subjects);
        touched
    }

    /// Adds a topic of a record; what concerns the person concerns the whole.
    pub fn add(&mut self, subject: &str, topic: Topic) {
        if topic == Topic::Person {
            self.extend([subject.to_owned()]);
        } else if let Extent::Topics(topics) =
            self.0.entry(subject.to_owned()).or_insert_with(|| Extent::Topics(BTreeSet::new()))
        {
            topics.insert(topic);
        }
    }

    pub fn pop_first(&mut self) -> Option<(String, Extent)> {
        self.0.pop_first()
    }
}

/// Adds whole records.
impl Extend<String> for Touched {
    fn extend<T: IntoIterator<Item = String>>(&mut self, subjects: T) {
        let people = subjects.into_iter().filter(|subject| subject.starts_with("person:"));
        self.0.extend(people.map(|subject| (subject, Extent::Whole)));
    }
}
