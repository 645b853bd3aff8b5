//! A plain account of what people did at a plant, and who has heard of it: enough to say what the gate must answer, by the sentences of
//! `gate.md`, `entries.md` and `part11.md`. It asks no function of the product and holds no entry.
//!
//! Each sentence that bears on the gate is a [`Rule`] that can be left out: an account without it must soon say something else than the kiosks do,
//! or the days were not eventful enough to try it.

use std::collections::{BTreeMap, BTreeSet};

use shared::time::Timestamp;

use super::said::{ATTEMPTS, Bar, Closed, LEASE_MS, Name, Place, Rule, SERVER, Said, Word};

struct Told {
    said: Said,
    by: Place,
    at: Timestamp,
    /// What was known there before.
    knowing: BTreeSet<Word>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Counts,
    OnHold,
    SetAside,
}

#[derive(Default)]
pub struct Account {
    told: Vec<Told>,
    revocations: Vec<Word>,
    known: BTreeMap<Place, BTreeSet<Word>>,
    heard_server: BTreeMap<Place, Timestamp>,
    /// Which keys lie at a place, each in its box: these go to and from the server alone.
    boxes: BTreeMap<Place, BTreeSet<Word>>,
    /// The sentence that this account doesn't heed.
    pub without: Option<Rule>,
}

impl Account {
    pub fn tells(&mut self, by: Place, at: Timestamp, said: Said) -> Word {
        let (word, knowing) = (self.told.len(), self.known(by).clone());
        self.told.push(Told { said, by, at, knowing });
        self.known.entry(by).or_default().insert(word);
        match self.told[word].said {
            Said::SetUp { .. } => drop(self.boxes.entry(by).or_default().insert(word)),
            Said::Revoked { .. } => self.revocations.push(word),
            _ => {}
        }
        word
    }

    fn heeds(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    fn known(&self, place: Place) -> &BTreeSet<Word> {
        static NOTHING: BTreeSet<Word> = BTreeSet::new();
        self.known.get(place).unwrap_or(&NOTHING)
    }

    /// A kiosk and the server tell each other all they know. A revoked kiosk gives what was said, no key, and hears of its revocation
    /// alone.
    pub fn meets(&mut self, kiosk: Place, now: Timestamp) {
        self.brings(kiosk, SERVER);
        if self.is_revoked(kiosk, SERVER) {
            let revocations: Vec<Word> = self.at(SERVER).filter(|w| revokes(&self.told[*w].said, kiosk)).collect();
            self.known.entry(kiosk).or_default().extend(revocations);
            return;
        }
        self.brings(SERVER, kiosk);
        self.brings_boxes(kiosk, SERVER);
        self.brings_boxes(SERVER, kiosk);
        self.heard_server.insert(kiosk, now);
    }

    /// What `from` knows comes to `to`.
    pub fn brings(&mut self, from: Place, to: Place) {
        let news = self.known(from).clone();
        self.known.entry(to).or_default().extend(news);
    }

    fn brings_boxes(&mut self, from: Place, to: Place) {
        let boxes = self.boxes.get(from).cloned().unwrap_or_default();
        self.boxes.entry(to).or_default().extend(boxes);
    }

    pub fn has_no_news(&self, from: Place, to: Place) -> bool {
        self.known(from).is_subset(self.known(to))
    }

    fn at(&self, place: Place) -> impl Iterator<Item = Word> + '_ {
        self.known(place).iter().copied()
    }

    fn said(&self, place: Place) -> impl Iterator<Item = (Word, &Said)> + '_ {
        self.at(place).map(|word| (word, &self.told[word].said))
    }

    pub fn is_revoked(&self, kiosk: Place, at: Place) -> bool {
        let mut known = self.revocations.iter().filter(|revocation| self.known(at).contains(revocation));
        known.any(|revocation| revokes(&self.told[*revocation].said, kiosk))
    }

    /// Everything of one kiosk's that a place has: what a revocation written there lets count.
    pub fn of_kiosk(&self, kiosk: Place, at: Place) -> BTreeSet<Word> {
        self.at(at).filter(|word| self.told[*word].by == kiosk).collect()
    }

    /// A revoked kiosk's words that the server didn't have then are kept, and set aside.
    fn came_too_late(&self, word: Word, at: Place) -> bool {
        let by = self.told[word].by;
        let known = self.revocations.iter().filter(|revocation| self.known(at).contains(revocation));
        let mut said = known.map(|revocation| &self.told[*revocation].said);
        let too_late =
            |said: &Said| matches!(said, Said::Revoked { kiosk, had } if *kiosk == by && !had.contains(&word));
        self.heeds(Rule::RevokedKiosksSayNothingMore) && said.any(too_late)
    }

    /// So is what was signed by a key that nobody set up whose word counts.
    fn is_set_aside(&self, word: Word, at: Place) -> bool {
        let keys = match &self.told[word].said {
            Said::SetUp { verified_by, .. } => verified_by.iter().copied().collect(),
            Said::Read { key, .. } | Said::Signed { key, .. } | Said::Forgiven { key, .. } => vec![*key],
            Said::Checked { keys, .. } => keys.to_vec(),
            _ => Vec::new(),
        };
        self.came_too_late(word, at) || keys.into_iter().any(|key| self.is_set_aside(key, at))
    }

    /// The key a person signs with at a place: of those set up, the last that is known there.
    pub fn key(&self, person: Name, place: Place) -> Word {
        let of = |said: &Said| matches!(said, Said::SetUp { person: p, .. } if *p == person);
        let set_ups = self.said(place).filter(|(word, said)| of(said) && !self.is_set_aside(*word, place));
        set_ups.last().map(|(word, _)| word).expect("everybody has one")
    }

    // Versions.

    /// Those approved as known at a place, in the order in which they take effect.
    fn versions(&self, place: Place) -> Vec<(u32, Timestamp, bool)> {
        let approved = self.said(place).filter_map(|(_, said)| match said {
            Said::Approved { version, from, anew } => Some((*version, *from, *anew)),
            _ => None,
        });
        let mut versions: Vec<_> = approved.collect();
        versions.sort_by_key(|(version, from, _)| (*from, *version));
        versions
    }

    fn withdrawn_at(&self, version: u32, place: Place) -> Option<Timestamp> {
        let of = |said: &Said| matches!(said, Said::Withdrawn { version: withdrawn } if *withdrawn == version);
        let heeded = self.heeds(Rule::WithdrawnVersionsStop);
        self.at(place).filter(|_| heeded).find(|word| of(&self.told[*word].said)).map(|word| self.told[word].at)
    }

    /// Withdrawn before it took effect: it never does.
    fn never_counts(&self, version: u32, from: Timestamp, place: Place) -> bool {
        let heeded = self.heeds(Rule::WithdrawnBeforeItsInstantNeverCounts);
        heeded && self.withdrawn_at(version, place).is_some_and(|at| at < from)
    }

    /// The latest that took effect; none when that one is withdrawn, for an older one never returns by itself.
    pub fn in_force(&self, place: Place, now: Timestamp) -> Option<u32> {
        let versions = self.versions(place);
        let took_effect = |(version, from, _): &&(u32, Timestamp, bool)| {
            let returns = !self.heeds(Rule::NoOlderVersionReturns) && self.withdrawn_at(*version, place).is_some();
            let ahead = *from > now && self.heeds(Rule::VersionsCountFromTheirInstant);
            !ahead && !returns && !self.never_counts(*version, *from, place)
        };
        let (version, ..) = versions.iter().rfind(took_effect)?;
        self.withdrawn_at(*version, place).is_none().then_some(*version)
    }

    /// Approved and not withdrawn, as the server knows.
    pub fn could_be_withdrawn(&self) -> Vec<u32> {
        let versions = self.versions(SERVER).into_iter().map(|(version, ..)| version);
        versions.filter(|version| self.withdrawn_at(*version, SERVER).is_none()).collect()
    }

    /// What was done on `done` holds for `current`: no version after it, up to that one, demands it anew.
    fn holds_for(&self, done: u32, current: u32, place: Place) -> bool {
        let versions = self.versions(place);
        let order = |version: u32| versions.iter().position(|(v, ..)| *v == version);
        let (Some(from), Some(to)) = (order(done), order(current)) else { return false };
        let never = self.never_counts(done, versions[from].1, place);
        let anew = |(_, _, anew): &(u32, Timestamp, bool)| *anew && self.heeds(Rule::VersionsAreLearnedAnew);
        from <= to && !never && !versions[from + 1..=to].iter().any(anew)
    }

    // Rights.

    pub fn may_assess(&self, assessor: Name, place: Place, at: Timestamp) -> bool {
        let last = self.said(place).filter(|(word, said)| {
            let of =
                matches!(said, Said::RightGiven { assessor: a } | Said::RightEnded { assessor: a } if *a == assessor);
            of && self.told[*word].at <= at
        });
        last.last().is_some_and(|(_, said)| matches!(said, Said::RightGiven { .. }))
    }

    // The record.

    fn checks(&self, person: Name, place: Place) -> Vec<Word> {
        let of = |said: &Said| matches!(said, Said::Checked { person: p, .. } if *p == person);
        self.said(place).filter(|(_, said)| of(said)).map(|(word, _)| word).collect()
    }

    /// Before anybody asked whether another check contradicts it.
    fn by_itself(&self, check: Word, place: Place) -> Verdict {
        let Told { said: Said::Checked { person, version, assessor, passed, .. }, at, .. } = &self.told[check] else {
            unreachable!("it is a check")
        };
        if self.is_set_aside(check, place) {
            return Verdict::SetAside;
        }
        let judged = match self.ruling_on(check, place) {
            Some((_, true)) if self.heeds(Rule::AcceptedMeansEffective) => Verdict::Counts,
            Some((_, false)) if self.heeds(Rule::RejectedMeansSetAside) => Verdict::SetAside,
            _ if self.may_assess(assessor, place, *at) || !self.heeds(Rule::RightsAreAskedAtMerge) => Verdict::Counts,
            _ => Verdict::OnHold,
        };
        let in_order = !passed
            || judged != Verdict::Counts
            || self.readings(person, *version, place).any(|read| !self.told[read].knowing.contains(&check));
        if in_order { judged } else { Verdict::SetAside }
    }

    /// What a person read that holds for a version, and wasn't set aside since.
    fn readings(&self, person: Name, version: u32, place: Place) -> impl Iterator<Item = Word> + '_ {
        let of = move |said: &Said| match said {
            Said::Read { person: who, version: read, .. } if *who == person => {
                *read == version || self.holds_for(*read, version, place)
            }
            _ => false,
        };
        let readings = self.said(place).filter(move |(word, said)| of(said) && !self.is_set_aside(*word, place));
        readings.map(|(word, _)| word)
    }

    /// The last ruling that names it: which checks it names, and whether it accepts them.
    fn ruling_on(&self, check: Word, place: Place) -> Option<(&[Word], bool)> {
        let rulings = self.said(place).filter_map(|(_, said)| match said {
            Said::Ruled { checks, accepted } if checks.contains(&check) => Some((checks.as_slice(), *accepted)),
            _ => None,
        });
        rulings.last()
    }

    /// A pass and a failure neither of which knew of the other are on hold, unless a ruling named both.
    fn verdict(&self, check: Word, place: Place) -> Verdict {
        let alone = self.by_itself(check, place);
        let Said::Checked { person, passed, .. } = &self.told[check].said else { unreachable!("it is a check") };
        let contradicts = |other: &Word| {
            let Said::Checked { passed: otherwise, .. } = &self.told[*other].said else { return false };
            let concurrent = !self.told[check].knowing.contains(other) && !self.told[*other].knowing.contains(&check);
            let (pass, fail) = if *passed { (check, *other) } else { (*other, check) };
            let together =
                self.ruling_on(pass, place).is_some_and(|(named, accepted)| accepted && named.contains(&fail));
            let contrary = passed != otherwise && self.heeds(Rule::ContradictionsAreHeld);
            contrary && concurrent && self.by_itself(*other, place) == Verdict::Counts && !together
        };
        if alone == Verdict::Counts && self.checks(person, place).iter().any(contradicts) {
            Verdict::OnHold
        } else {
            alone
        }
    }

    /// What quality can rule on.
    pub fn on_hold(&self, person: Name, place: Place) -> Vec<Word> {
        self.checks(person, place).into_iter().filter(|check| self.verdict(*check, place) == Verdict::OnHold).collect()
    }

    /// How many of a person's checks at kiosks have no effect.
    pub fn without_effect(&self, person: Name, place: Place) -> usize {
        let checks = self.checks(person, place).into_iter().filter(|check| self.told[*check].by != SERVER);
        checks.filter(|check| self.verdict(*check, place) != Verdict::Counts).count()
    }

    /// Whether a passed check with this verdict holds for a version: no failure that knew of it ended it.
    fn has_check(&self, verdict: Verdict, person: Name, current: u32, place: Place, now: Timestamp) -> bool {
        self.checks(person, place).into_iter().any(|check| {
            let Said::Checked { version, passed, .. } = self.told[check].said else { unreachable!("it is a check") };
            let does = passed && self.holds_for(version, current, place) && !self.is_ended(check, person, place, now);
            does && self.verdict(check, place) == verdict
        })
    }

    fn is_ended(&self, pass: Word, person: Name, place: Place, now: Timestamp) -> bool {
        self.heeds(Rule::FailuresEndPasses)
            && self.checks(person, place).into_iter().any(|check| {
                let Said::Checked { version, passed, .. } = self.told[check].said else {
                    unreachable!("it is a check")
                };
                let counts = self.by_itself(check, place) == Verdict::Counts && self.took_effect(version, place, now);
                !passed && counts && self.told[check].knowing.contains(&pass)
            })
    }

    fn took_effect(&self, version: u32, place: Place, now: Timestamp) -> bool {
        let known = self.versions(place).into_iter().find(|(known, ..)| *known == version);
        known.is_none_or(|(version, from, _)| from <= now && !self.never_counts(version, from, place))
    }

    fn waits_for_a_ruling(&self, person: Name, place: Place, now: Timestamp) -> bool {
        let Some(current) = self.in_force(place, now) else { return false };
        let has = |verdict| self.has_check(verdict, person, current, place, now);
        !has(Verdict::Counts) && has(Verdict::OnHold)
    }

    pub fn has_read(&self, person: Name, version: u32, place: Place) -> bool {
        self.readings(person, version, place).next().is_some()
    }

    // Secrets.

    /// Wrong secrets that count: since the last signature by a key of the person's own, and forgiven by nobody.
    pub fn wrong_secrets(&self, person: Name, place: Place) -> Vec<Word> {
        let signed = |said: &Said| matches!(said, Said::Signed { person: p, .. } if *p == person);
        let signed = self.said(place).filter(|(word, said)| signed(said) && !self.is_by_a_strange_key(*word, place));
        let since = signed.map(|(word, _)| word).last().filter(|_| self.heeds(Rule::SignaturesEndWrongSecrets));
        let forgiven = self.forgiven(place);
        let counts = |word: &Word| match self.told[*word].by == place {
            true => true,
            false => self.heeds(Rule::OthersWrongSecretsCount) && !self.is_set_aside(*word, place),
        };
        let wrong = self.said(place).filter(|(_, said)| **said == Said::Wrong { person }).map(|(word, _)| word);
        let stands = |word: &Word| since.is_none_or(|since| *word > since) && !forgiven.contains(word);
        wrong.filter(counts).filter(stands).collect()
    }

    /// A right secret is one whatever becomes of the kiosk that it was given at, as long as the key is the person's.
    fn is_by_a_strange_key(&self, signed: Word, place: Place) -> bool {
        matches!(&self.told[signed].said, Said::Signed { key, .. } if self.is_set_aside(*key, place))
    }

    fn forgiven(&self, place: Place) -> BTreeSet<Word> {
        let heeded = self.heeds(Rule::LeadersForgiveWrongSecrets);
        let forgivings = self.said(place).filter(|(word, _)| heeded && !self.is_set_aside(*word, place));
        forgivings
            .flat_map(|(_, said)| if let Said::Forgiven { wrong, .. } = said { wrong.clone() } else { Vec::new() })
            .collect()
    }

    /// What keeps somebody with the right secret from opening their key.
    pub fn opens(&self, person: Name, place: Place) -> Result<(), Closed> {
        let key = self.key(person, place);
        if self.is_locked_out(person, place) {
            Err(Closed::LockedOut)
        } else if self.boxes.get(place).is_some_and(|boxes| boxes.contains(&key)) {
            Ok(())
        } else {
            Err(Closed::NotHere)
        }
    }

    pub fn is_locked_out(&self, person: Name, place: Place) -> bool {
        self.wrong_secrets(person, place).len() >= ATTEMPTS
    }

    // The gate.

    pub fn is_qualified(&self, person: Name, place: Place, now: Timestamp) -> bool {
        let Some(current) = self.in_force(place, now) else { return false };
        self.has_read(person, current, place) && self.has_check(Verdict::Counts, person, current, place, now)
    }

    /// Whatever keeps somebody from starting at a kiosk; nobody knows of anything else there.
    pub fn bars(&self, person: Name, kiosk: Place, now: Timestamp) -> BTreeSet<Bar> {
        let without_version = self.in_force(kiosk, now).is_none();
        let dark_ms = self.heard_server.get(kiosk).map_or(i64::MAX, |at| now.since(*at));
        let misses = !without_version && !self.is_qualified(person, kiosk, now);
        let bars = [
            (Bar::KioskRevoked, self.is_revoked(kiosk, kiosk)),
            (Bar::LockedOut, self.is_locked_out(person, kiosk)),
            (Bar::TooLongOffline, dark_ms > LEASE_MS && self.heeds(Rule::LeasesEnd)),
            (Bar::NoVersion, without_version),
            (Bar::OnHold, misses && self.waits_for_a_ruling(person, kiosk, now)),
            (Bar::Training, misses && !self.waits_for_a_ruling(person, kiosk, now)),
        ];
        bars.into_iter().filter(|(_, stands)| *stands).map(|(bar, _)| bar).collect()
    }
}

fn revokes(said: &Said, kiosk: Place) -> bool {
    matches!(said, Said::Revoked { kiosk: revoked, .. } if *revoked == kiosk)
}
