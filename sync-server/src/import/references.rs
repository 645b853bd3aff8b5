//! Which ids a folder defines, and whether what refers to them finds them.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::hash::Hash;

use shared::id::*;
use shared::kind::plant::{Activity, RequirementSet};

use super::csv_table::{Row, Unread};
use super::enterprise::SiteTimes;
use super::error::Reported;

/// Errors up to which a similar id is looked for.
const HINTED_ERRORS: usize = 500;

/// What a plant folder calls a thing: one of the text ids, or the plain text of a shift.
pub(super) trait Id: Borrow<str> + Hash + Eq + Clone + Display {}
impl<T: Borrow<str> + Hash + Eq + Clone + Display> Id for T {}

/// The ids one table defines.
pub(super) struct Known<K> {
    /// What an id names, for messages.
    noun: &'static str,
    ids: HashMap<K, u64>,
    unread: Unread,
}

impl<K: Id> Known<K> {
    fn of(noun: &'static str) -> Self {
        Self { noun, ids: HashMap::new(), unread: Unread::default() }
    }

    /// Notes the id as defined on the row's line; reports one defined before.
    pub fn define(&mut self, row: &Row<'_>, column: &str, id: &K) -> Result<(), Reported> {
        match self.ids.get(id.borrow()) {
            Some(line) => Err(row.bad(
                column,
                format!("is already defined on line {line}"),
                format!("give each {} one row", self.noun),
            )),
            None => {
                self.ids.insert(id.clone(), row.line);
                Ok(())
            }
        }
    }

    /// Notes an id that a file of its own defines.
    pub fn add(&mut self, id: K) {
        self.ids.insert(id, 0);
    }

    /// Takes note of what could not be read of the table that defines these ids.
    pub fn unread(&mut self, unread: Unread) {
        self.unread = unread;
    }

    /// Whether something of the table that defines these ids could not be read.
    pub fn misses_some(&self) -> bool {
        self.unread.whole || !self.unread.words.is_empty()
    }

    pub fn noun(&self) -> &'static str {
        self.noun
    }

    pub fn ids(&self) -> impl Iterator<Item = &K> {
        self.ids.keys()
    }

    pub fn get(&self, id: &str) -> Option<&K> {
        self.ids.get_key_value(id).map(|(known, _)| known)
    }

    /// The defined id a part of a cell means; reports one that nothing defines.
    pub fn find(&self, row: &Row<'_>, column: &str, id: &str) -> Result<K, Reported> {
        if let Some(known) = self.get(id) {
            return Ok(known.clone());
        }
        if self.unread.whole || self.unread.words.contains(id.trim()) {
            return Err(Reported);
        }
        // Looking for what was meant is for people; past the first errors it would only cost time.
        let candidates = self.ids.keys().take(if row.sink.len() < HINTED_ERRORS { usize::MAX } else { 0 });
        let near = nearest(id, candidates.map(|known| known.to_string()));
        let expected = near
            .map_or_else(|| format!("name a {} that is defined", self.noun), |near| format!("did you mean `{near}`?"));
        Err(row.bad_part(column, id, format!("is no {} of this folder", self.noun), expected))
    }
}

/// All ids of a folder, and what later tables need to know of earlier ones.
pub(super) struct Index {
    pub sites: Known<SiteId>,
    pub work_centers: Known<WorkCenterId>,
    pub work_units: Known<WorkUnitId>,
    pub equipment: Known<EquipmentId>,
    pub shifts: Known<String>,
    pub classes: Known<ClassId>,
    pub people: Known<PersonId>,
    pub categories: Known<CategoryId>,
    pub documents: Known<DocumentId>,
    pub requirements: Known<RequirementId>,
    pub tasks: Known<TaskId>,
    pub quizzes: Known<QuizId>,
    pub checks: Known<CheckId>,
    /// Where a role may reach: sites, areas, work centers and work units by name and by path (`SITE1/PACK/L2/SEAL`).
    pub places: Known<String>,
    pub times: SiteTimes,
    /// The home site of each person and the site of each document, whose clock their dates go by.
    pub home: HashMap<PersonId, SiteId>,
    pub document_site: HashMap<DocumentId, SiteId>,
    /// The versions of each document; `versions_unread` holds what could not be read of them.
    pub versions: HashMap<DocumentId, Vec<VersionId>>,
    pub versions_unread: Unread,
    /// What a requirement asks, as far as it could be read.
    pub asked: HashMap<RequirementId, (Option<DocumentId>, Vec<Activity>)>,
}

impl Index {
    pub fn new() -> Self {
        Self {
            sites: Known::of("site"),
            work_centers: Known::of("work center"),
            work_units: Known::of("work unit"),
            equipment: Known::of("piece of equipment"),
            shifts: Known::of("shift"),
            classes: Known::of("personnel class"),
            people: Known::of("person"),
            categories: Known::of("category"),
            documents: Known::of("document"),
            requirements: Known::of("requirement"),
            tasks: Known::of("task"),
            quizzes: Known::of("quiz"),
            checks: Known::of("check"),
            places: Known::of("site, area, work center, work unit or personnel class"),
            times: SiteTimes::default(),
            home: HashMap::new(),
            document_site: HashMap::new(),
            versions: HashMap::new(),
            versions_unread: Unread::default(),
            asked: HashMap::new(),
        }
    }

    /// The version a row names, of the document of the requirement it names.
    pub fn version(&self, row: &Row<'_>, requirement: Option<&RequirementId>) -> Result<Option<VersionId>, Reported> {
        let Some(text) = row.optional("version") else { return Ok(None) };
        let Some((document, _)) = requirement.and_then(|id| self.asked.get(id)) else { return Err(Reported) };
        let Some(document) = document else {
            let problem = "names a version, but the requirement has no document";
            return Err(row.bad("version", problem, "leave it blank"));
        };
        let versions = self.versions.get(document).map_or(&[][..], Vec::as_slice);
        if let Some(version) = versions.iter().find(|version| version.as_str() == text) {
            return Ok(Some(version.clone()));
        }
        if self.versions_unread.whole || self.versions_unread.words.contains(text) {
            return Err(Reported);
        }
        let near = nearest(text, versions.iter().map(VersionId::to_string));
        let expected = near.map_or_else(
            || "name one of its versions in versions.csv".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        Err(row.bad("version", format!("is no version of document `{document}`"), expected))
    }
}

/// A key that may stand in one row only, with the line where it did.
pub(super) struct Unique<K>(HashMap<K, u64>);

impl<K: Hash + Eq> Unique<K> {
    pub fn new() -> Self {
        Self(HashMap::new())
    }

    /// Reports a key met before; `what` completes "this is the same … as line 7".
    pub fn check(&mut self, row: &Row<'_>, column: &str, key: K, what: &str) -> Result<(), Reported> {
        match self.0.entry(key) {
            std::collections::hash_map::Entry::Occupied(before) => Err(row.bad(
                column,
                format!("makes the same {what} as line {}", before.get()),
                "delete one of the two rows",
            )),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(row.line);
                Ok(())
            }
        }
    }
}

/// Requirements that come back to themselves through their prerequisites, each with the way it takes.
pub(super) fn cycles(requirements: &[&RequirementSet]) -> Vec<(RequirementId, String)> {
    let next: BTreeMap<&RequirementId, &[RequirementId]> =
        requirements.iter().map(|r| (&r.requirement, r.prerequisites.as_slice())).collect();
    let mut done: BTreeMap<&RequirementId, bool> = BTreeMap::new();
    let mut found = Vec::new();
    for start in next.keys() {
        // A walk in depth; the path holds the requirements on the way, each with the prerequisite to try next.
        let mut path: Vec<(&RequirementId, usize)> = vec![(start, 0)];
        while let Some((at, tried)) = path.last_mut() {
            let at = *at;
            let following = next.get(at).and_then(|prerequisites| prerequisites.get(*tried));
            *tried += 1;
            match following {
                _ if done.contains_key(at) => drop(path.pop()),
                None => {
                    done.insert(at, true);
                    path.pop();
                }
                Some(following) => match path.iter().position(|(on_path, _)| *on_path == following) {
                    Some(place) => {
                        let way: Vec<&str> =
                            path[place..].iter().map(|(id, _)| id.as_str()).chain([following.as_str()]).collect();
                        found.push((following.clone(), way.join(" → ")));
                    }
                    None => path.push((following, 0)),
                },
            }
        }
    }
    found
}

/// The candidate most like the wanted text, if one is like it: the same but for case, or a letter or two apart.
pub(super) fn nearest(wanted: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    let folded = wanted.trim().to_lowercase();
    let limit = if folded.chars().count() < 5 { 1 } else { 2 };
    let rated = candidates.filter(|c| c != wanted).map(|c| (distance(&folded, &c.to_lowercase(), limit), c));
    rated.filter(|(distance, _)| *distance <= limit).min().map(|(_, candidate)| candidate)
}

/// How many letters to insert, delete or replace; anything above `limit` when the lengths alone tell that much.
fn distance(a: &str, b: &str, limit: usize) -> usize {
    let b: Vec<char> = b.chars().collect();
    if a.chars().count().abs_diff(b.len()) > limit {
        return limit + 1;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = replaced.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_only_when_it_is_near() {
        let of = |wanted: &str| nearest(wanted, ["maria", "jonas", "SOP-0042"].into_iter().map(str::to_owned));
        assert_eq!(of("Maria").as_deref(), Some("maria"));
        assert_eq!(of("jonass").as_deref(), Some("jonas"));
        assert_eq!(of("sop-042").as_deref(), Some("SOP-0042"));
        assert_eq!(of("eva"), None);
        assert_eq!(distance("kitten", "sitting", 9), 3);
    }

    #[test]
    fn a_circle_of_prerequisites_is_found_once() {
        let requirement = |id: &str, needs: &[&str]| RequirementSet {
            requirement: RequirementId::new(id).unwrap(),
            title: String::new(),
            document: None,
            category: shared::kind::plant::RequirementCategory::Initial,
            activities: vec![],
            validity_months: None,
            currency: None,
            window_days: None,
            prerequisites: needs.iter().map(|n| RequirementId::new(n).unwrap()).collect(),
            equipment: vec![],
            initial_assessors: vec![],
        };
        let all =
            [requirement("a", &["b"]), requirement("b", &["c", "d"]), requirement("c", &["a"]), requirement("d", &[])];
        let found = cycles(&all.iter().collect::<Vec<_>>());
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("a", "a → b → c → a"));
        let own = [requirement("x", &["x"])];
        assert_eq!(cycles(&own.iter().collect::<Vec<_>>())[0].1, "x → x");
        let tree =
            [requirement("a", &["b", "c"]), requirement("b", &["d"]), requirement("c", &["d"]), requirement("d", &[])];
        assert!(cycles(&tree.iter().collect::<Vec<_>>()).is_empty());
    }
}
