//! Without a badge (S6, S13, R15): who has a day pass comes in by name and secret; a supervisor, by their own badge and secret, gives one to
//! somebody they know, or reports a badge lost.

use shared::id::PersonId;
use shared::kind::presence::SessionEnd;
use shared::time::{HOUR_MS, Timestamp};

use super::id::{Action, TapId};
use super::message::*;
use super::say::{count, names, page_of};
use super::view::{self, BadgeResult, Identification, Loss, NoBadgeRefusal, NoBadgeStep, Screen};
use super::{Badged, Presenter, Purpose, signing, training};
use crate::core::day_pass::NoPass;

/// Names on one page of who has a pass, and among whom one is chosen while typing.
const HOLDERS_A_PAGE: usize = 4;
const FOUND_SHOWN: usize = 3;
/// Longest part of a name that is typed, in characters.
const LONGEST: usize = 40;
/// Hours until when a pass may be given, beside the end of the shift and the longest.
const HOURS: [i64; 2] = [4, 8];
/// Hours since when a badge may be out of its owner's hands, by the choices on the screen.
const SINCE_HOURS: [i64; 4] = [1, 12, 48, 168];

/// The session was opened by a day pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct ByPass {
    pub until: Timestamp,
    /// Their secret was right, and the session is open in the core, too.
    pub entered: bool,
}

/// A supervisor's help under way.
#[derive(Default)]
pub(super) struct Helping {
    step: NoBadgeStep,
    typed: String,
    /// Who is helped.
    person: Option<PersonId>,
    identification: Option<Identification>,
    loss: Option<Loss>,
    when: Option<Timestamp>,
    refusal: NoBadgeRefusal,
    done: Option<HelpReply>,
}

impl Helping {
    /// What goes out with the supervisor's secret.
    pub fn ready(&self, by: &PersonId, secret: Hidden) -> Option<What> {
        let (person, by, when) = (self.person.clone()?, by.clone(), self.when?);
        Some(match self.step {
            NoBadgeStep::Until => {
                What::GiveDayPass { person, identification: self.identification?, until: when, by, secret }
            }
            NoBadgeStep::Since => What::ReportLost { person, loss: self.loss?, since: when, by, secret },
            _ => return None,
        })
    }
}

impl Identification {
    const ALL: [Self; 4] = [Self::KnownBySight, Self::IdCard, Self::PersonnelFile, Self::Vouched];

    fn numbered(number: usize) -> Option<Self> {
        Self::ALL.get(number.checked_sub(1)?).copied()
    }

    /// As it is recorded.
    pub fn word(self) -> &'static str {
        match self {
            Self::KnownBySight => "known by sight",
            Self::IdCard => "identity card",
            Self::PersonnelFile => "photograph in the personnel file",
            Self::Vouched => "known to a colleague who stood by",
        }
    }
}

impl Loss {
    const ALL: [Self; 4] = [Self::OnTheWay, Self::OnSite, Self::Stolen, Self::NotFound];

    fn numbered(number: usize) -> Option<Self> {
        Self::ALL.get(number.checked_sub(1)?).copied()
    }

    /// As it is recorded.
    pub fn word(self) -> &'static str {
        match self {
            Self::OnTheWay => "lost on the way",
            Self::OnSite => "lost on site",
            Self::Stolen => "stolen",
            Self::NotFound => "not found any more",
        }
    }
}

impl Presenter {
    /// From the idle screen: nobody is signed in.
    pub(super) fn tap_idle(&mut self, id: TapId) {
        if id == TapId::Action(Action::NoBadge) && self.snapshot.status.kiosk.is_some() {
            self.holders_page = 0;
            self.screen = Screen::NoBadge;
        }
    }

    pub(super) fn tap_no_badge(&mut self, id: TapId) {
        if self.badged.is_some() {
            return self.tap_helping(id);
        }
        match id {
            TapId::Action(Action::Back) => self.screen = Screen::Idle,
            TapId::Page(forward) => {
                self.holders_page = if forward { self.holders_page + 1 } else { self.holders_page.saturating_sub(1) };
                self.holders_page = self.holders_on_page().0;
            }
            TapId::Holder(number) => {
                let holder = number.checked_sub(1).and_then(|place| self.snapshot.pass_holders.get(place));
                if let Some(holder) = holder.cloned() {
                    self.turn_session();
                    let pass = ByPass { until: holder.until, entered: false };
                    self.badged_in(holder.person, Some(pass));
                }
            }
            _ => {}
        }
    }

    fn holders_on_page(&self) -> (usize, usize, std::ops::Range<usize>) {
        page_of(self.snapshot.pass_holders.len(), self.holders_page, HOLDERS_A_PAGE)
    }

    fn tap_helping(&mut self, id: TapId) {
        let found = self.found();
        let choices = self.choices();
        let Some(badged) = self.badged.as_mut() else { return };
        let by = badged.seen.person.clone();
        let help = &mut badged.helping;
        help.refusal = NoBadgeRefusal::None;
        let person = help.person.clone();
        match (help.step, id, person) {
            (NoBadgeStep::Done, TapId::Next | TapId::Action(Action::Back), _) => self.sign_out(SessionEnd::Tap),
            (NoBadgeStep::Person, TapId::Cancel | TapId::Action(Action::Back), _) => self.sign_out(SessionEnd::Tap),
            (_, TapId::Action(Action::Back), _) => help.step = help.step.before(),
            (NoBadgeStep::Person, TapId::Key(key), _) => {
                Self::press(&mut self.keyboard, &mut help.typed, key, LONGEST);
            }
            (NoBadgeStep::Person, TapId::Person(number), _) => self.choose(found.get(number.wrapping_sub(1))),
            (NoBadgeStep::Person, TapId::Ok, _) if found.len() == 1 => self.choose(found.first()),
            (NoBadgeStep::What, TapId::Action(Action::DayPass), Some(person)) => {
                self.send(Purpose::MayHelp(NoBadgeStep::Identification), What::MayGivePass { by, person });
            }
            (NoBadgeStep::What, TapId::Action(Action::BadgeLost), Some(person)) => {
                self.send(Purpose::MayHelp(NoBadgeStep::Loss), What::MayReportLost { by, person });
            }
            (NoBadgeStep::Identification, TapId::Reason(number), _) => {
                help.identification = Identification::numbered(number);
                help.step = if help.identification.is_some() { NoBadgeStep::Until } else { help.step };
            }
            (NoBadgeStep::Loss, TapId::Reason(number), _) => {
                help.loss = Loss::numbered(number);
                help.step = if help.loss.is_some() { NoBadgeStep::Since } else { help.step };
            }
            (NoBadgeStep::Until | NoBadgeStep::Since, TapId::When(number), _) => {
                let act =
                    if help.step == NoBadgeStep::Until { signing::Act::GivePass } else { signing::Act::ReportLost };
                help.when = choices.get(number.wrapping_sub(1)).copied();
                if help.when.is_some() {
                    self.begin_signing(act);
                }
            }
            _ => {}
        }
    }

    pub(super) fn type_name(&mut self, text: &str) {
        let help = self.badged.as_mut().map(|badged| &mut badged.helping);
        if let Some(help) = help.filter(|help| help.step == NoBadgeStep::Person) {
            help.typed = text.chars().take(LONGEST).collect();
        }
    }

    fn choose(&mut self, person: Option<&PersonId>) {
        if let (Some(badged), Some(person)) = (self.badged.as_mut(), person) {
            badged.helping.person = Some(person.clone());
            badged.helping.step = NoBadgeStep::What;
        }
    }

    /// Whether this person may help that one, as the core says.
    pub(super) fn may_help(&mut self, next: NoBadgeStep, reply: Reply) {
        let Some(badged) = self.badged.as_mut() else { return };
        let help = &mut badged.helping;
        match reply {
            Reply::Done => help.step = next,
            Reply::Denied(refusal) => match refused(&refusal) {
                Some(why) => help.refusal = why,
                None => self.refused(&refusal),
            },
            _ => {}
        }
    }

    /// Stored: it acts from here on.
    pub(super) fn helped(&mut self, reply: HelpReply) {
        let Some(badged) = self.badged.as_mut() else { return };
        badged.signing = None;
        (badged.helping.step, badged.helping.done) = (NoBadgeStep::Done, Some(reply));
        self.touched = self.now;
        self.screen = Screen::NoBadge;
    }

    /// What was asked for meanwhile turns out not to be possible.
    pub(super) fn not_helped(&mut self, refusal: &Refusal) {
        let Some(badged) = self.badged.as_mut() else { return };
        badged.signing = None;
        (badged.helping.step, self.screen) = (NoBadgeStep::What, Screen::NoBadge);
        match refused(refusal) {
            Some(why) => badged.helping.refusal = why,
            None => self.refused(refusal),
        }
    }

    /// The pass by which somebody is here has ended, or was found void: so has the session.
    pub(super) fn follow_day_pass(&mut self) {
        let Some(badged) = self.badged.as_ref().filter(|badged| badged.by_pass.is_some()) else { return };
        let person = &badged.seen.person;
        if self.snapshot.pass_holders.iter().all(|holder| holder.person.person != *person) {
            self.pass_is_over();
        }
    }

    pub(super) fn pass_is_over(&mut self) {
        self.sign_out(SessionEnd::TimeOut);
        self.notice(BadgeResult::PassOver);
    }

    /// People of the site whose name or id holds what was typed, by name.
    fn found(&self) -> Vec<PersonId> {
        let Some(badged) = &self.badged else { return Vec::new() };
        let wanted = badged.helping.typed.trim().to_lowercase();
        let (plant, now) = (&self.snapshot.plant, self.wall());
        let (Some(site), false) = (&self.snapshot.site, wanted.is_empty()) else { return Vec::new() };
        let is_meant = |(id, set): &(&PersonId, &shared::kind::plant::PersonSet)| {
            **id != badged.seen.person
                && plant.works_at(id, site, now)
                && plant.is_active(id, now)
                && (set.printed_name.to_lowercase().contains(&wanted) || id.as_str().contains(&wanted))
        };
        let mut found: Vec<_> = plant.people.iter().filter(is_meant).collect();
        found.sort_by_key(|(_, set)| &set.printed_name);
        found.into_iter().map(|(id, _)| id.clone()).collect()
    }

    /// The moments that can be chosen: until when, or since when.
    fn choices(&self) -> Vec<Timestamp> {
        let now = self.wall();
        let Some(help) = self.badged.as_ref().map(|badged| &badged.helping) else { return Vec::new() };
        match help.step {
            NoBadgeStep::Since => SINCE_HOURS.iter().map(|hours| now.minus_ms(hours * HOUR_MS)).collect(),
            NoBadgeStep::Until => {
                let longest = i64::from(self.snapshot.plant.policy.session.longest_day_pass_hours());
                let end = help.person.as_ref().and_then(|person| self.shift_ends(person));
                let hours = HOURS.iter().copied().filter(|hours| *hours < longest).chain([longest]);
                let mut moments: Vec<_> = hours.map(|hours| now.plus_ms(hours * HOUR_MS)).collect();
                let last = now.plus_ms(longest * HOUR_MS);
                if let Some(end) = end.filter(|end| *end < last) {
                    moments.insert(0, end);
                }
                moments
            }
            _ => Vec::new(),
        }
    }

    fn shift_ends(&self, person: &PersonId) -> Option<Timestamp> {
        self.snapshot.plant.shift_ends(person, &self.snapshot.status.work_units, self.wall())
    }

    pub(super) fn no_badge_view(&self) -> view::NoBadge {
        let (plant, say) = (&self.snapshot.plant, self.say());
        let (page, pages, shown) = self.holders_on_page();
        let row = |place: usize| {
            let holder = &self.snapshot.pass_holders[place];
            let (name, until) = (holder.person.printed_name.clone(), say.moment(holder.until));
            view::HolderRow { number: count(place + 1), name, until }
        };
        let mut view = view::NoBadge {
            able: names(plant, self.snapshot.leads.iter()),
            holders: shown.map(row).collect(),
            page: count(page + 1),
            pages: count(pages),
            ..view::NoBadge::default()
        };
        if let Some(badged) = &self.badged {
            self.view_help(badged, &mut view);
        }
        view
    }

    fn view_help(&self, badged: &Badged, view: &mut view::NoBadge) {
        let (help, say) = (&badged.helping, self.say());
        let (plant, found) = (&self.snapshot.plant, self.found());
        let name = |person: &PersonId| plant.printed_name(person);
        let until = help.step == NoBadgeStep::Until;
        let choices = if until { self.choices() } else { Vec::new() };
        let end = help.person.as_ref().and_then(|person| self.shift_ends(person));
        view.helper = badged.seen.printed_name.clone();
        (view.step, view.refusal) = (help.step, help.refusal);
        view.person = help.person.as_ref().map(name).unwrap_or_default();
        view.typed = help.typed.clone();
        view.found = found.iter().take(FOUND_SHOWN).map(name).collect();
        view.more = count(found.len().saturating_sub(FOUND_SHOWN));
        view.shift_ends = until && end.is_some() && choices.first() == end.as_ref();
        view.untils = choices.into_iter().map(|at| say.moment(at)).collect();
        if let Some(done) = &help.done {
            view.until = done.until.map_or_else(String::new, |until| say.moment(until));
            view.entry = training::in_groups(&done.entry.to_string());
            view.signatures = self.signature_rows(&done.signatures, signing::Kind::GivePass);
        }
    }
}

impl NoBadgeStep {
    fn before(self) -> Self {
        match self {
            Self::Until => Self::Identification,
            Self::Since => Self::Loss,
            Self::Identification | Self::Loss => Self::What,
            _ => Self::Person,
        }
    }
}

/// What the screen says of a refusal; nothing for one that is about the secret, or about the terminal.
fn refused(refusal: &Refusal) -> Option<NoBadgeRefusal> {
    Some(match refusal {
        Refusal::NoAuthority | Refusal::ByDayPass => NoBadgeRefusal::NotAllowed,
        Refusal::SamePerson => NoBadgeRefusal::SamePerson,
        Refusal::NoPass(NoPass::Inactive) => NoBadgeRefusal::Inactive,
        Refusal::NoPass(NoPass::OtherSite) => NoBadgeRefusal::OtherSite,
        Refusal::NoPass(NoPass::LockedOut) => NoBadgeRefusal::LockedOut,
        Refusal::NoPass(NoPass::NoSecret) => NoBadgeRefusal::NoSecret,
        Refusal::NoPass(NoPass::RuledOut) => NoBadgeRefusal::RuledOut,
        Refusal::NoBadge => NoBadgeRefusal::NoBadge,
        _ => return None,
    })
}
