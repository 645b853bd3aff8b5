//! What a person does and sees, without a window: event in, view and commands out.
//!
//! **Nothing of one person's session reaches the next**: everything of theirs lies in one value that is dropped when they leave, and a
//! reply to what they asked is dropped with it (S2). The presenter does no IO and reads no clock; it decides nothing about
//! qualifications. Secrets pass through it into a command and never into a [`view::View`] or a log.
//!
//! Call [`Presenter::handle`] with each event, carry its commands out in order, feed their replies back, and show
//! [`Presenter::view`]. Read: [`message`] (what goes in and out) → [`view`] (what is shown) → [`id`] (what can be touched) → this file →
//! a flow a file, in the order of a visit: `badge`, `identify`, `tasks`, `lot`, `verdict`, `training`, `reader`, `paper`, `signing`, `second`, `quiz`,
//! `supervised`, `floor`, `check`; then what somebody else makes possible: `signing_set_up`, `lockout`, `no_badge`, `coach`, `co_sign`; one's own
//! record: `records`, `correction`; and the terminal itself: `status`, `stick`.

pub mod blocks;
pub mod id;
pub mod message;
pub mod pages;
pub mod view;
pub mod wedge;

mod badge;
mod check;
mod co_sign;
mod coach;
mod correction;
mod decimal;
mod floor;
mod identify;
mod keys;
mod lockout;
mod lot;
mod no_badge;
pub mod paper;
mod quiz;
mod reader;
mod records;
mod say;
mod second;
mod set_up;
mod signing;
mod signing_set_up;
mod status;
mod stick;
mod supervised;
mod tasks;
mod training;
mod verdict;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use shared::id::*;
use shared::kind::presence::SessionEnd;
use shared::kind::record::About;
use shared::time::{SECOND_MS, Timestamp};

use id::{Action, TapId};
use message::*;
use pages::{Estimate, Pager};
use view::{Screen, View};
use wedge::{Reading, Wedge};

use crate::core::badge::PersonSeen;
use crate::stick::Way;

/// The accessible ids by screen, for `cargo xtask play --ids`.
pub fn ids() -> &'static [(&'static str, &'static [&'static str])] {
    id::IDS
}

/// What is set once, at the start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name and version, for the status screen.
    pub software: String,
    /// Address of the server; empty when it is to be typed at terminal set-up.
    pub server: String,
    /// Languages the screens have words in, the terminal's own first.
    pub languages: Vec<String>,
    pub look: view::Look,
    pub reading: Reading,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            software: format!("Lineproof {}", env!("CARGO_PKG_VERSION")),
            server: String::new(),
            languages: vec!["en".into()],
            look: view::Look::Light,
            reading: Reading::default(),
        }
    }
}

/// See the module.
pub struct Presenter {
    settings: Settings,
    pager: Box<dyn Pager>,
    now: Timestamp,
    snapshot: StatusSnapshot,
    /// The kiosk's corrected time less the caller's, in milliseconds.
    lead_ms: i64,
    language: String,
    wedge: Wedge,
    /// The last request's number, and the badge session's.
    last: RequestId,
    pending: Vec<(RequestId, Purpose)>,
    out: Vec<Command>,
    touched: Timestamp,
    screen: Screen,
    /// The screen that a fault or the question about a swap covers, and the one behind the status screen.
    covered: Screen,
    behind_status: Screen,
    keyboard: view::Keyboard,
    notice: badge::Notice,
    set_up: set_up::SetUp,
    trouble: view::Trouble,
    badged: Option<Box<Badged>>,
    /// What people left half done, for when they come back; never a secret, never anything unsigned that would be sent by itself.
    kept: BTreeMap<PersonId, Kept>,
    /// Who just left work half done to the next badge, and when.
    left: Option<(String, Timestamp)>,
    last_lot: Option<LotId>,
    /// Where the badge that is being looked up was shown: its visit begins there.
    meant_for: Option<Screen>,
    /// The page of those who have a day pass, from 0.
    holders_page: usize,
}

/// Everything of the person at the screen. It ends with their session.
struct Badged {
    seen: PersonSeen,
    /// No badge was shown.
    by_pass: Option<no_badge::ByPass>,
    /// Their key is unlocked: own signings don't ask for the secret again (R13).
    unlocked: bool,
    list: tasks::List,
    lot: Option<LotId>,
    lot_entry: lot::Entry,
    /// The task asked for.
    task: Option<TaskId>,
    verdict: Option<VerdictReply>,
    training: Option<training::Training>,
    reader: Option<reader::Reading>,
    quiz: Option<quiz::Answering>,
    sheet: Option<floor::Sheet>,
    check: Option<check::Checking>,
    signing: Option<signing::Signing>,
    receipt: Option<training::Receipt>,
    supervised: Option<supervised::Watched>,
    sessions_page: usize,
    setting_up: signing_set_up::SettingUp,
    lockout: lockout::LockedOut,
    stick: stick::AtStick,
    helping: no_badge::Helping,
    records: records::Records,
    correcting: Option<correction::Correcting>,
    /// Who showed a badge meanwhile.
    other: Option<PersonSeen>,
    kept: Kept,
}

/// What a person left half done.
#[derive(Debug, Clone, Default)]
struct Kept {
    check: Option<check::Marks>,
    pages: Option<reader::Seen>,
    /// A note that was being written.
    note: Option<(About, String)>,
    correction: Option<correction::Correcting>,
}

/// What a reply is for.
#[derive(Debug, Clone)]
enum Purpose {
    Nothing,
    FirstBadge,
    SecondBadge,
    OtherBadge,
    BadgeIn(Box<PersonSeen>),
    Tasks,
    Ask,
    /// Whether the second person may sign.
    MaySign(Box<PersonSeen>),
    /// Whether the person may carry entries by stick.
    MayCarry(Way),
    /// Whether the person may help another; with what that begins.
    MayHelp(view::NoBadgeStep),
    Procedure(reader::Use),
    /// A page (from 0) of the document with these bytes: of another that was open before, nothing is shown.
    Page(Digest32, usize),
    Secret,
    Sign,
    Quiz,
    Sheet,
    Edit,
    Check,
    End,
    Confirm,
    SetUp,
    Records,
}

impl Purpose {
    /// Whether the screen waits: a second touch must not do it twice.
    fn holds_the_screen(&self) -> bool {
        !matches!(self, Self::Nothing | Self::Edit | Self::OtherBadge | Self::FirstBadge | Self::Page(..))
    }
}

impl Presenter {
    pub fn new(now: Timestamp, settings: Settings) -> Self {
        let language = settings.languages.first().cloned().unwrap_or_else(|| "en".into());
        Self {
            pager: Box::new(Estimate::default()),
            now,
            snapshot: StatusSnapshot::default(),
            lead_ms: 0,
            keyboard: keys::keyboard_for(&language),
            language,
            wedge: Wedge::default(),
            last: RequestId { number: 0, session: 0 },
            pending: Vec::new(),
            out: Vec::new(),
            touched: now,
            screen: Screen::Idle,
            covered: Screen::Idle,
            behind_status: Screen::Idle,
            notice: badge::Notice::default(),
            set_up: set_up::SetUp::default(),
            trouble: view::Trouble::default(),
            badged: None,
            kept: BTreeMap::new(),
            left: None,
            last_lot: None,
            meant_for: None,
            holders_page: 0,
            settings,
        }
    }

    /// Cuts procedures into pages with this from now on: a window can measure what is otherwise estimated.
    pub fn set_pager(&mut self, pager: Box<dyn Pager>) {
        self.pager = pager;
    }

    /// Takes one event; gives what is to be done, in order. `now` is the caller's clock.
    pub fn handle(&mut self, event: Event, now: Timestamp) -> Vec<Command> {
        self.now = now;
        if self.touched > now {
            // The clock was set back: the countdown begins anew rather than lasting for ever.
            self.touched = now;
        }
        match event {
            Event::Tap(id) => {
                self.touched = now;
                if let Some(id) = TapId::parse(&id) {
                    self.tap(id);
                }
            }
            Event::Typed { field, text } => {
                self.touched = now;
                self.typed(&field, text);
            }
            Event::Key(text) => {
                if let Some(scan) = self.wedge.take(&text, now, &self.settings.reading) {
                    self.touched = now;
                    self.scanned(Hidden(scan));
                }
            }
            Event::Tick => {}
            Event::Reply { request, reply } => self.replied(request, reply),
            Event::Status(snapshot) => self.told(*snapshot),
        }
        self.pass_time();
        std::mem::take(&mut self.out)
    }

    /// What is on view now.
    pub fn view(&self) -> View {
        let mut view = View {
            screen: self.screen_shown(),
            language: self.language.clone(),
            look: self.settings.look,
            chrome: self.chrome(),
            keyboard: self.keyboard.clone(),
            idle: self.idle_view(),
            set_up: self.set_up_view(),
            status: self.status_view(),
            stick: self.stick_view(),
            no_badge: self.no_badge_view(),
            trouble: self.trouble_view(),
            ..View::default()
        };
        let Some(badged) = &self.badged else { return view };
        view.tasks = self.tasks_view(badged);
        view.lot = self.lot_view(badged);
        view.verdict = self.verdict_view(badged);
        view.secret = self.secret_view(badged);
        view.reader = self.reader_view(badged);
        view.quiz = self.quiz_view(badged);
        view.worksheet = self.worksheet_view(badged);
        view.check = self.check_view(badged);
        view.second_badge = self.second_badge_view(badged);
        view.receipt = self.receipt_view(badged);
        view.supervised = self.supervised_view(badged);
        view.sessions = self.sessions_view(badged);
        view.swap = self.swap_view(badged);
        view.signing_set_up = self.signing_set_up_view(badged);
        view.lockout = self.lockout_view(badged);
        view.records = self.records_view(badged);
        view.correction = self.correction_view(badged);
        view
    }

    /// The journalled decision behind the verdict on view. Nobody at the screen needs it; who watches from outside finds the entry by it.
    pub fn decision(&self) -> Option<EntryId> {
        let verdict = self.badged.as_ref().and_then(|badged| badged.verdict.as_ref());
        verdict.filter(|_| self.screen_shown() == Screen::Verdict).map(|reply| reply.verdict.entry)
    }

    fn tap(&mut self, id: TapId) {
        match id {
            TapId::Action(Action::SignOut) => return self.sign_out(SessionEnd::Tap),
            TapId::Action(Action::Language) => return self.next_language(),
            TapId::Action(Action::Status) => return self.open_status(),
            _ => {}
        }
        let may_wait = matches!(id, TapId::Step(..) | TapId::SwapStay | TapId::SwapSwitch);
        if self.is_waiting() && !may_wait {
            return;
        }
        match self.screen_shown() {
            Screen::Idle => self.tap_idle(id),
            Screen::SetUp => self.tap_set_up(id),
            Screen::Tasks => self.tap_tasks(id),
            Screen::Lot => self.tap_lot(id),
            Screen::Verdict => self.tap_verdict(id),
            Screen::Secret => self.tap_secret(id),
            Screen::Reader => self.tap_reader(id),
            Screen::Quiz => self.tap_quiz(id),
            Screen::Worksheet => self.tap_worksheet(id),
            Screen::Check => self.tap_check(id),
            Screen::SecondBadge => self.tap_second(id),
            Screen::Receipt => self.tap_receipt(id),
            Screen::Supervised => self.tap_supervised(id),
            Screen::Sessions => self.tap_sessions(id),
            Screen::Status => self.tap_status(id),
            Screen::Stick => self.tap_stick(id),
            Screen::NoBadge => self.tap_no_badge(id),
            Screen::Fault => self.tap_fault(id),
            Screen::Swap => self.tap_swap(id),
            Screen::SigningSetUp => self.tap_signing_set_up(id),
            Screen::Lockout => self.tap_lockout(id),
            Screen::Records => self.tap_records(id),
            Screen::Correction => self.tap_correction(id),
        }
    }

    fn typed(&mut self, field: &str, text: String) {
        if self.is_waiting() {
            return;
        }
        match (field, self.screen) {
            ("secret", Screen::Secret) => self.type_secret(text),
            ("secret", Screen::SigningSetUp) => self.type_chosen(text),
            ("right", Screen::Correction) => self.type_right(&text),
            ("lot", Screen::Lot) => self.type_lot(text),
            ("name", Screen::NoBadge) => self.type_name(&text),
            ("note", Screen::Worksheet) => self.type_note(text),
            ("value", Screen::Check) => self.type_value(&text),
            ("code", Screen::SetUp) => self.type_code(&text),
            ("server", Screen::SetUp) => self.type_whole_address(&text),
            _ => {}
        }
    }

    /// Asks for something to be done, and remembers what its reply is for.
    fn send(&mut self, purpose: Purpose, what: What) {
        self.last.number += 1;
        self.pending.push((self.last, purpose));
        self.out.push(Command { request: self.last, what });
    }

    fn is_waiting(&self) -> bool {
        self.pending.iter().any(|(_, purpose)| purpose.holds_the_screen())
    }

    fn replied(&mut self, request: RequestId, reply: Reply) {
        let Some(place) = self.pending.iter().position(|(id, _)| *id == request) else { return };
        let (_, purpose) = self.pending.remove(place);
        match (purpose, reply) {
            (purpose, Reply::Failed(failure)) => self.fail(&failure, &purpose),
            (Purpose::FirstBadge, Reply::Badge(seen)) => self.first_badge(seen),
            (Purpose::OtherBadge, Reply::Badge(seen)) => self.other_badge(seen),
            (Purpose::SecondBadge, Reply::Badge(seen)) => self.second_badge(seen),
            (Purpose::BadgeIn(seen), Reply::Done) => self.badged_in(*seen, None),
            (Purpose::Tasks, Reply::Tasks(cards)) => self.tasks_came(cards),
            (Purpose::Ask, Reply::Verdict(verdict)) => self.verdict_came(*verdict),
            (Purpose::MaySign(seen), reply) => self.may_sign(*seen, reply),
            (Purpose::MayCarry(way), reply) => self.may_carry(way, reply),
            (Purpose::MayHelp(next), reply) => self.may_help(next, reply),
            (Purpose::Procedure(use_of), Reply::Procedure(procedure)) => self.procedure_came(*procedure, use_of),
            (Purpose::Page(document, page), Reply::Page(drawn)) => self.page_came(&document, page, drawn),
            (Purpose::Secret, reply) => self.secret_checked(reply),
            (Purpose::Sign, reply) => self.sign_replied(reply),
            (Purpose::Quiz, Reply::Quiz(quiz)) => self.quiz_came(*quiz),
            (Purpose::Quiz, Reply::UsedUp(used)) => self.no_attempt_left(*used),
            (Purpose::Records, Reply::Records(entries)) => self.records_came(entries),
            (Purpose::Sheet, Reply::Sheet(sheet)) => self.sheet_came(*sheet, true),
            (Purpose::Edit, Reply::Sheet(sheet)) => self.sheet_came(*sheet, false),
            (Purpose::Check, Reply::Check(check)) => self.check_came(*check),
            (Purpose::Confirm, Reply::Done) => self.confirmed(),
            (Purpose::Confirm, _) => self.cancel_signing(),
            // It had ended already, or somebody else has the screen by now.
            (Purpose::Nothing | Purpose::End, _) => {}
            (Purpose::SetUp, reply) => self.set_up_replied(reply),
            (_, Reply::Denied(refusal)) => self.refused(&refusal),
            _ => {}
        }
    }

    /// Ends what time ends.
    fn pass_time(&mut self) {
        self.fade_notice();
        self.pass_second_badge_time();
        self.pass_supervised_time();
        self.pass_status_time();
        self.pass_drawing_time();
        if self.idle_left_s() == Some(0) {
            self.sign_out(SessionEnd::Idle);
        }
    }

    /// Seconds until the session ends by itself; `None` while none is counted.
    fn idle_left_s(&self) -> Option<i64> {
        self.badged.as_ref()?;
        let policy = &self.snapshot.plant.policy.idle;
        let allowed = match self.screen {
            // Who works under supervision has no hand free for the screen; their key is locked instead.
            Screen::Supervised => return None,
            Screen::Verdict => policy.verdict_seconds,
            _ => policy.task_seconds,
        };
        let left_ms = i64::from(allowed) * SECOND_MS - self.now.since(self.touched);
        Some((left_ms + SECOND_MS - 1).div_euclid(SECOND_MS).max(0))
    }
}
