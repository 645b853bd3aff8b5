//! The versions of one document: their order, the one in force, what each demands anew.

use crate::cell::Instant;
use crate::reading::Reading;

/// What a person does for a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Read,
    Quiz,
    Runs,
    Check,
    Briefing,
    External,
}

impl Kind {
    /// The word used in the files. Panics on any other.
    pub fn of(word: &str) -> Kind {
        match word {
            "read" => Kind::Read,
            "quiz" => Kind::Quiz,
            "runs" => Kind::Runs,
            "check" => Kind::Check,
            "briefing" => Kind::Briefing,
            "external" => Kind::External,
            other => panic!("not an activity: {other:?}"),
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Kind::Read => "read",
            Kind::Quiz => "quiz",
            Kind::Runs => "runs",
            Kind::Check => "check",
            Kind::Briefing => "briefing",
            Kind::External => "external",
        }
    }
}

/// The set of activities that a version demands anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Impact {
    /// All of them, briefing and external evidence too.
    Full,
    /// These; none of them for `none`.
    Only(Vec<Kind>),
}

impl Impact {
    /// Reads `none`, `full`, or a list. Panics on anything else.
    pub fn of(cell: &str) -> Impact {
        match cell {
            "full" => Impact::Full,
            "none" => Impact::Only(Vec::new()),
            kinds => Impact::Only(crate::cell::list(kinds).into_iter().map(Kind::of).collect()),
        }
    }

    pub fn demands(&self, kind: Kind) -> bool {
        match self {
            Impact::Full => true,
            Impact::Only(kinds) => kinds.contains(&kind),
        }
    }
}

/// One version of a document. A list of versions is always in the order of [`sort`], so that an index in
/// it compares as the version does.
#[derive(Clone, Debug)]
pub struct Version {
    pub name: String,
    pub approved_at: Instant,
    pub effective_from: Instant,
    pub withdrawn_at: Option<Instant>,
    pub impact: Impact,
    /// Where the first of its rows stands in the file.
    pub row: usize,
}

impl Version {
    /// The one version of a requirement that is on no document: in force always.
    pub fn always() -> Version {
        Version {
            name: String::new(),
            approved_at: Instant::MIN_UTC,
            effective_from: Instant::MIN_UTC,
            withdrawn_at: None,
            impact: Impact::Full,
            row: 0,
        }
    }

    /// Whether it was withdrawn before it became effective.
    pub fn is_void(&self, reading: &Reading) -> bool {
        self.withdrawn_at.is_some_and(|withdrawn_at| {
            withdrawn_at < self.effective_from
                || (reading.withdrawn_at_once_is_void && withdrawn_at == self.effective_from)
        })
    }
}

/// Puts versions in order: effective from, then approved at, then row.
pub fn sort(versions: &mut [Version]) {
    versions.sort_by_key(|version| (version.effective_from, version.approved_at, version.row));
}

/// The index of the version in force at `at`.
///
/// Approval needs no test of its own: a valid folder has no version approved after it becomes effective.
pub fn in_force(versions: &[Version], at: Instant, reading: &Reading) -> Option<usize> {
    let latest = versions.iter().rposition(|version| version.effective_from <= at && !version.is_void(reading))?;
    let withdrawn = versions[latest].withdrawn_at.is_some_and(|withdrawn_at| withdrawn_at <= at);
    (!withdrawn).then_some(latest)
}

/// The first version after `done_on`, up to and including `now`, that demands `kind` anew.
///
/// That the first version demands all needs no test: nothing can have been done on a version before it.
pub fn demanded_anew_by<'a>(
    versions: &'a [Version],
    done_on: usize,
    now: usize,
    kind: Kind,
    reading: &Reading,
) -> Option<&'a Version> {
    versions[done_on + 1..=now]
        .iter()
        .filter(|version| reading.void_version_demands || !version.is_void(reading))
        .find(|version| version.impact.demands(kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn utc(text: &str) -> Instant {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn version(name: &str, approved: &str, effective: &str, withdrawn: Option<&str>, row: usize) -> Version {
        Version {
            name: name.to_string(),
            approved_at: utc(approved),
            effective_from: utc(effective),
            withdrawn_at: withdrawn.map(utc),
            impact: Impact::Full,
            row,
        }
    }

    fn in_force_name(versions: &[Version], at: &str) -> Option<String> {
        in_force(versions, utc(at), &Reading::default()).map(|index| versions[index].name.clone())
    }

    const JAN: &str = "2025-01-01T06:00:00Z";
    const FEB: &str = "2025-02-01T06:00:00Z";
    const MAR: &str = "2025-03-01T06:00:00Z";
    const APR: &str = "2025-04-01T06:00:00Z";

    #[test]
    fn a9_the_latest_effective_version_is_in_force_from_its_instant_on() {
        let versions = [version("1", JAN, FEB, None, 0), version("2", JAN, MAR, None, 1)];
        assert_eq!(in_force_name(&versions, JAN), None);
        assert_eq!(in_force_name(&versions, "2025-02-01T05:59:59Z"), None);
        assert_eq!(in_force_name(&versions, FEB).as_deref(), Some("1"));
        assert_eq!(in_force_name(&versions, "2025-03-01T05:59:59Z").as_deref(), Some("1"));
        assert_eq!(in_force_name(&versions, MAR).as_deref(), Some("2"));
    }

    #[test]
    fn versions_effective_at_the_same_instant_go_by_approval_then_row() {
        let mut versions = [
            version("late", FEB, MAR, None, 0),
            version("early", JAN, MAR, None, 1),
            version("late, next row", FEB, MAR, None, 2),
        ];
        sort(&mut versions);
        let names: Vec<&str> = versions.iter().map(|version| version.name.as_str()).collect();
        assert_eq!(names, ["early", "late", "late, next row"]);
        assert_eq!(in_force_name(&versions, MAR).as_deref(), Some("late, next row"));
    }

    #[test]
    fn a14_an_older_version_never_returns_by_itself() {
        let versions = [version("1", JAN, JAN, None, 0), version("2", JAN, FEB, Some(MAR), 1)];
        assert_eq!(in_force_name(&versions, FEB).as_deref(), Some("2"));
        assert_eq!(in_force_name(&versions, "2025-03-01T05:59:59Z").as_deref(), Some("2"));
        assert_eq!(in_force_name(&versions, MAR), None);
        assert_eq!(in_force_name(&versions, APR), None);
    }

    #[test]
    fn a_version_withdrawn_before_it_became_effective_changes_nothing() {
        let versions = [version("1", JAN, JAN, None, 0), version("2", JAN, MAR, Some(FEB), 1)];
        assert_eq!(in_force_name(&versions, MAR).as_deref(), Some("1"));
        assert_eq!(in_force_name(&versions, APR).as_deref(), Some("1"));
    }

    #[test]
    fn briefing_and_external_are_demanded_by_full_only() {
        let list = Impact::of("read;quiz;runs;check");
        assert!(list.demands(Kind::Check) && !list.demands(Kind::Briefing) && !list.demands(Kind::External));
        let full = Impact::of("full");
        assert!(full.demands(Kind::Briefing) && full.demands(Kind::External));
        assert!(!Impact::of("none").demands(Kind::Read));
    }
}
