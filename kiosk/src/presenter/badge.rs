//! Badges: who stands here, who comes next, who leaves.

use shared::kind::presence::SessionEnd;
use shared::time::{SECOND_MS, Timestamp};

use super::id::TapId;
use super::message::*;
use super::say::unit_name;
use super::view::{self, BadgeResult, Screen};
use super::{Badged, Kept, Presenter, Purpose, no_badge, signing};
use crate::core::badge::{BadgeSeen, PersonSeen};

/// How long a word about the last badge stays, in milliseconds.
const NOTICE_MS: i64 = 10 * SECOND_MS;
/// People whose half-done work is remembered.
const MOST_KEPT: usize = 32;
/// Running sessions shown on the idle screen.
const SESSIONS_SHOWN: usize = 4;

/// What came of the last badge.
#[derive(Debug, Clone, Default)]
pub(super) struct Notice {
    result: BadgeResult,
    since: Timestamp,
}

impl Presenter {
    /// Something was scanned: what it is depends on who asks for it.
    pub(super) fn scanned(&mut self, scan: Hidden) {
        match self.screen_shown() {
            Screen::SetUp => self.type_code(&scan.0),
            Screen::Lot | Screen::SecondBadge if self.is_waiting() => {}
            Screen::Lot => self.lot_scanned(scan.0),
            // The question who may have the screen is answered by the badge that may sign.
            Screen::Swap if self.covered == Screen::SecondBadge => {
                self.swap_back();
                self.look_up(Purpose::SecondBadge, scan);
            }
            Screen::SecondBadge => self.look_up(Purpose::SecondBadge, scan),
            Screen::Fault if self.badged.is_none() => {}
            _ if self.badged.is_some() => self.look_up(Purpose::OtherBadge, scan),
            _ => {
                // The last badge counts: what an earlier one may still bring is dropped.
                self.meant_for = Some(self.screen).filter(|screen| matches!(screen, Screen::Stick | Screen::NoBadge));
                self.turn_session();
                self.screen = Screen::Idle;
                self.notice(BadgeResult::Reading);
                self.look_up(Purpose::FirstBadge, scan);
            }
        }
    }

    /// Asks whose badge it is, by its number in the form that is the same for every reader.
    fn look_up(&mut self, purpose: Purpose, scan: Hidden) {
        match (self.settings.reading.number.normal(&scan.0), purpose) {
            (Ok(number), purpose) => self.send(purpose, What::LookUp { badge: Hidden(number) }),
            (Err(_), Purpose::FirstBadge) => self.notice(BadgeResult::Unreadable),
            (Err(_), Purpose::SecondBadge) => self.second_badge(BadgeSeen::Unknown),
            // As a badge that nobody has: whoever is signed in goes on.
            (Err(_), _) => {}
        }
    }

    pub(super) fn first_badge(&mut self, seen: BadgeSeen) {
        match seen {
            BadgeSeen::Person(person) => self.badge_in(person),
            other => self.notice(result_of(&other)),
        }
    }

    /// A badge while somebody is signed in. It takes the screen at once: each tap is stored, so nothing is lost. Only where two people are
    /// at work together the screen asks first; and where a counter-signature is asked for, the badge opens that (S2).
    pub(super) fn other_badge(&mut self, seen: BadgeSeen) {
        let Some(badged) = self.badged.as_mut() else { return };
        let BadgeSeen::Person(person) = seen else { return };
        if person.person == badged.seen.person && badged.by_pass.is_some() {
            // The badge was found: from here on they are here by it.
            return self.badge_in(person);
        }
        if person.person == badged.seen.person {
            if self.screen == Screen::Swap {
                self.swap_back();
            }
            return;
        }
        let watched = badged.supervised.as_ref().filter(|_| self.screen == Screen::Supervised);
        if watched.is_some_and(|watched| watched.is_trainer(&person.person)) {
            return self.confirm_by_badge(person);
        }
        let second = badged.signing.as_ref().and_then(|signing| signing.second.as_ref());
        if second.is_some_and(|second| second.person == person.person) {
            return;
        }
        match self.screen {
            Screen::Secret if badged.is_unidentified() => self.badge_in(person),
            Screen::Secret if second.is_some() => self.another_second(person),
            Screen::SigningSetUp if badged.setting_up.is_at_rest() => self.badge_in(person),
            Screen::Lockout if !badged.lockout.holds_work() => self.badge_in(person),
            Screen::Secret
            | Screen::Worksheet
            | Screen::Check
            | Screen::Supervised
            | Screen::Swap
            | Screen::SigningSetUp
            | Screen::Lockout
            | Screen::Correction => self.offer_swap(person),
            _ => self.badge_in(person),
        }
    }

    pub(super) fn offer_swap(&mut self, person: PersonSeen) {
        let Some(badged) = self.badged.as_mut() else { return };
        badged.other = Some(person);
        if self.screen != Screen::Swap {
            self.covered = self.screen;
            self.screen = Screen::Swap;
        }
    }

    pub(super) fn tap_swap(&mut self, id: TapId) {
        match id {
            TapId::SwapStay => self.swap_back(),
            TapId::SwapSwitch => {
                if let Some(person) = self.badged.as_mut().and_then(|badged| badged.other.take()) {
                    self.badge_in(person);
                }
            }
            _ => {}
        }
    }

    fn swap_back(&mut self) {
        self.screen = self.covered;
        if let Some(badged) = self.badged.as_mut() {
            badged.other = None;
        }
    }

    /// The badge session before ends here, in memory; the store writes its end with the new one's beginning.
    fn badge_in(&mut self, person: PersonSeen) {
        let half_way = self.badged.as_ref().filter(|badged| badged.is_half_way(self.screen));
        self.left = half_way.map(|badged| (badged.seen.printed_name.clone(), self.now));
        self.turn_session();
        self.screen = Screen::Idle;
        self.notice(BadgeResult::Reading);
        let what = What::BadgeIn { person: person.person.clone() };
        self.send(Purpose::BadgeIn(Box::new(person)), what);
    }

    pub(super) fn badged_in(&mut self, seen: PersonSeen, by_pass: Option<no_badge::ByPass>) {
        self.notice = Notice::default();
        self.speak(seen.language.as_str());
        let kept = self.kept.remove(&seen.person).unwrap_or_default();
        self.badged = Some(Box::new(Badged {
            seen,
            by_pass,
            unlocked: false,
            list: Default::default(),
            lot: None,
            lot_entry: Default::default(),
            task: None,
            verdict: None,
            training: None,
            reader: None,
            quiz: None,
            sheet: None,
            check: None,
            signing: None,
            receipt: None,
            supervised: None,
            sessions_page: 0,
            setting_up: Default::default(),
            lockout: Default::default(),
            stick: Default::default(),
            helping: Default::default(),
            records: Default::default(),
            correcting: None,
            other: None,
            kept,
        }));
        self.touched = self.now;
        self.welcome();
    }

    /// Where a visit begins: what keeps the person from signing comes first.
    pub(super) fn welcome(&mut self) {
        match self.badged.as_ref().map(|badged| (badged.seen.locked_out, badged.seen.can_sign())) {
            Some((true, _)) => self.locked_out(),
            Some((_, false)) => self.offer_signing_set_up(),
            Some(_) if self.is_to_identify() => self.begin_signing(signing::Act::Identify),
            Some(_) => match self.meant_for.take() {
                Some(screen) => self.screen = screen,
                None => self.back_to_tasks(),
            },
            None => {}
        }
    }

    /// The badge that opened this session was reported lost meanwhile: the session is over (R15).
    pub(super) fn follow_lost_badge(&mut self) {
        let plant = &self.snapshot.plant;
        let by_badge = self.badged.as_ref().filter(|badged| badged.by_pass.is_none());
        let Some(described) = by_badge.and_then(|badged| plant.people.get(&badged.seen.person)) else {
            return;
        };
        if described.badge.is_some_and(|badge| plant.disabled_badges.contains_key(&badge)) {
            self.sign_out(SessionEnd::Tap);
            self.notice(BadgeResult::Disabled);
        }
    }

    /// Ends the badge session: by tap, or because nobody touched anything.
    pub(super) fn sign_out(&mut self, how: SessionEnd) {
        if self.badged.is_none() {
            return;
        }
        self.turn_session();
        self.screen = Screen::Idle;
        self.send(Purpose::Nothing, What::BadgeOut { how });
    }

    /// **Nothing of one person's session reaches the next**: this is where it ends.
    pub(super) fn turn_session(&mut self) {
        self.last.session += 1;
        self.pending.clear();
        self.wedge.clear();
        self.notice = Notice::default();
        if let Some(badged) = self.badged.take() {
            let (person, kept) = badged.left_half_done();
            if self.kept.len() >= MOST_KEPT {
                self.kept.clear();
            }
            self.kept.insert(person, kept);
        }
        let own = self.settings.languages.first().cloned().unwrap_or_default();
        self.speak(&own);
    }

    pub(super) fn notice(&mut self, result: BadgeResult) {
        self.notice = Notice { result, since: self.now };
    }

    pub(super) fn fade_notice(&mut self) {
        self.left.take_if(|(_, since)| self.now.since(*since) >= NOTICE_MS);
        let old = self.now.since(self.notice.since) >= NOTICE_MS;
        if self.notice.result != BadgeResult::None && old {
            self.notice = Notice::default();
        }
    }

    /// The badge could not be signed in: the word for it stays on the idle screen.
    pub(super) fn badge_failed(&mut self) {
        self.notice(BadgeResult::Unreadable);
    }

    pub(super) fn idle_view(&self) -> view::Idle {
        let sessions = &self.snapshot.sessions;
        let units = self.snapshot.status.work_units.iter().map(|unit| unit_name(&self.snapshot.plant, unit));
        view::Idle {
            badge: self.notice.result,
            work_units: units.collect::<Vec<_>>().join(" · "),
            sessions: sessions.iter().take(SESSIONS_SHOWN).map(|session| self.session_row(session)).collect(),
            sessions_more: super::say::count(sessions.len().saturating_sub(SESSIONS_SHOWN)),
        }
    }

    pub(super) fn swap_view(&self, badged: &Badged) -> view::Swap {
        let Some(other) = &badged.other else { return view::Swap::default() };
        let training = badged.training.as_ref();
        view::Swap {
            kept: badged.seen.printed_name.clone(),
            other: other.printed_name.clone(),
            refusal: badged.signing.as_ref().map_or_else(Default::default, |signing| signing.refusal_of(&other.person)),
            doing: match self.covered {
                Screen::Quiz => view::Meaning::QuizDone,
                Screen::Worksheet => view::Meaning::RunPerformed,
                Screen::Check => view::Meaning::CheckPerformed,
                Screen::Supervised => view::Meaning::SupervisionAsked,
                Screen::Correction => view::Meaning::Corrected,
                Screen::Secret | Screen::SecondBadge | Screen::SigningSetUp | Screen::Lockout => {
                    badged.signing.as_ref().map_or(view::Meaning::ReadAndUnderstood, signing::Signing::own_meaning)
                }
                _ => view::Meaning::ReadAndUnderstood,
            },
            document: training.map_or_else(String::new, super::training::Training::document),
        }
    }
}

impl Badged {
    /// Whether they leave something behind to come back to.
    fn is_half_way(&self, screen: Screen) -> bool {
        let at_work = self.reader.is_some() || self.quiz.is_some() || self.sheet.is_some() || self.check.is_some();
        at_work && !matches!(screen, Screen::Idle | Screen::Tasks | Screen::Receipt | Screen::Sessions)
    }

    fn left_half_done(self: Box<Self>) -> (shared::id::PersonId, Kept) {
        let Self { seen, reader, check, sheet, training, correcting, kept, .. } = *self;
        let about = training.map(|training| training.context.about);
        let note = sheet.and_then(|sheet| Some((about?, sheet.unsaved_note()?))).or(kept.note);
        let pages = reader.and_then(|reading| reading.seen()).or(kept.pages);
        let check = check.map(|checking| checking.marks()).or(kept.check);
        let correction = correcting.or(kept.correction);
        (seen.person, Kept { check, pages, note, correction })
    }
}

fn result_of(seen: &BadgeSeen) -> BadgeResult {
    match seen {
        BadgeSeen::Person(_) => BadgeResult::None,
        BadgeSeen::Unknown => BadgeResult::Unknown,
        BadgeSeen::OtherSite { .. } => BadgeResult::OtherSite,
        BadgeSeen::Disabled { .. } => BadgeResult::Disabled,
        BadgeSeen::Inactive { .. } => BadgeResult::Inactive,
    }
}
