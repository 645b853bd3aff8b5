//! Plays a script on a [`Stage`].

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kiosk::core::secret::Signer;
use kiosk::core::signing_set_up::Chosen;
use kiosk::presenter::ids;
use kiosk::presenter::view::{QuizState, ReaderNext, Screen, SecondRefusal};
use shared::id::*;
use shared::part11::authority::Reach;
use shared::part11::boxes::Stretching;
use shared::training::point_in_time::Asked;

use super::office::Office;
use super::screen;
use super::script::*;
use crate::hand::Answers;
use crate::stage::{Stage, Trouble, Wire};
use crate::{VirtualClock, demo_plant, replica};

/// Most touches that any one act takes.
const PATIENCE: usize = 200;

/// What a play needs beside its script.
pub struct Options {
    /// For the databases of server and kiosks; empty at the start.
    pub data: PathBuf,
    /// Where relative plant folders begin.
    pub beside: PathBuf,
    /// Where pictures go.
    pub pictures: Option<PathBuf>,
}

/// What came of one act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// Something was left out, and why.
    Skipped(String),
    /// It is not as written: what was expected, and what there is.
    Failed {
        expected: String,
        shown: String,
    },
}

/// What came of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    pub acts: usize,
    pub passed: usize,
    pub skipped: usize,
}

/// Plays a script up to its end or to the first act that is not as written: later ones stand on it. `say` hears of each act.
pub fn play(script: &Script, options: Options, mut say: impl FnMut(&Line, &Outcome)) -> Report {
    let mut report = Report { acts: script.lines.len(), passed: 0, skipped: 0 };
    let mut player = Player { script, options, set: None };
    for line in &script.lines {
        let outcome = player.play(line);
        say(line, &outcome);
        match outcome {
            Outcome::Done => {}
            Outcome::Skipped(_) => report.skipped += 1,
            Outcome::Failed { .. } => return report,
        }
        report.passed += 1;
    }
    report
}

struct Player<'a> {
    script: &'a Script,
    options: Options,
    set: Option<Set>,
}

/// The plant under way.
struct Set {
    stage: Stage,
    office: Office,
    answers: Answers,
    folder: sync_server::import::PlantFolder,
}

/// Why an act is not as written.
struct Not {
    expected: String,
    /// What there is instead; without it, what the kiosk shows.
    instead: Option<String>,
}

impl Not {
    fn on_screen(expected: impl Into<String>) -> Self {
        Self { expected: expected.into(), instead: None }
    }

    fn instead(expected: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { expected: expected.into(), instead: Some(instead.into()) }
    }
}

impl From<Trouble> for Not {
    fn from(trouble: Trouble) -> Self {
        Self::instead("that it can be done", trouble.to_string())
    }
}

type Played = Result<Outcome, Not>;

impl Player<'_> {
    fn play(&mut self, line: &Line) -> Outcome {
        match self.act(&line.act) {
            Ok(outcome) => outcome,
            Err(not) => {
                let shown = not.instead.or_else(|| self.shown(kiosk_of(&line.act)?));
                Outcome::Failed { expected: not.expected, shown: shown.unwrap_or_default() }
            }
        }
    }

    fn shown(&mut self, kiosk: &str) -> Option<String> {
        let set = self.set.as_mut()?;
        Some(screen::told(&mut set.stage, kiosk))
    }

    fn act(&mut self, act: &Act) -> Played {
        if let Act::Plant(folder) = act {
            self.set = Some(self.open(folder)?);
            return Ok(Outcome::Done);
        }
        if let Act::Picture { kiosk, name } = act {
            return self.picture(kiosk, name);
        }
        let set = self.set.as_mut().ok_or_else(|| Not::instead("a plant", "none was opened"))?;
        set.act(act)?;
        Ok(Outcome::Done)
    }

    fn open(&self, folder: &Folder) -> Result<Set, Trouble> {
        let folder = match folder {
            Folder::Demo => demo_plant(),
            Folder::At(path) => self.options.beside.join(path),
        };
        let read = sync_server::import::read(&folder).map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            format!("{} is no plant folder:\n{}", folder.display(), errors.join("\n"))
        })?;
        let clock = VirtualClock::beginning(self.script.begin);
        let mut stage = Stage::open_plant(self.options.data.clone(), &folder, clock, Wire::Direct)?;
        open_window(&mut stage)?;
        let office = Office::open(&stage.server, &folder, &self.named())?;
        Ok(Set { stage, office, answers: Answers::of_folder(&read)?, folder: read })
    }

    /// Everybody whose key the script makes.
    fn named(&self) -> BTreeSet<PersonId> {
        let person = |line: &Line| match &line.act {
            Act::Signing { person, .. } => Some(person.clone()),
            _ => None,
        };
        self.script.lines.iter().filter_map(person).collect()
    }

    #[cfg(feature = "pictures")]
    fn picture(&mut self, kiosk: &str, name: &str) -> Played {
        let Some(folder) = &self.options.pictures else {
            return Ok(Outcome::Skipped("no picture: no folder was given with --pictures".into()));
        };
        let set = self.set.as_mut().ok_or_else(|| Not::instead("a plant", "none was opened"))?;
        let drawn = (|| -> Result<(), Trouble> {
            std::fs::create_dir_all(folder)?;
            let window = set.stage.window_of(kiosk)?.ok_or("no window is open")?;
            Ok(std::fs::write(folder.join(format!("{name}.png")), window.snapshot()?)?)
        })();
        drawn?;
        Ok(Outcome::Done)
    }

    #[cfg(not(feature = "pictures"))]
    fn picture(&mut self, _: &str, _: &str) -> Played {
        let why = match self.options.pictures {
            Some(_) => "no picture: this build can't draw, the feature `pictures` is off",
            None => "no picture: no folder was given with --pictures",
        };
        Ok(Outcome::Skipped(why.into()))
    }
}

#[cfg(feature = "pictures")]
fn open_window(stage: &mut Stage) -> Result<(), Trouble> {
    stage.open_window()
}

#[cfg(not(feature = "pictures"))]
fn open_window(_: &mut Stage) -> Result<(), Trouble> {
    Ok(())
}

fn kiosk_of(act: &Act) -> Option<&str> {
    match act {
        Act::Cable { kiosk, .. }
        | Act::Signing { kiosk, .. }
        | Act::Badge { kiosk, .. }
        | Act::Lot { kiosk, .. }
        | Act::Tap { kiosk, .. }
        | Act::Secret { kiosk, .. }
        | Act::Read { kiosk }
        | Act::Answer { kiosk, .. }
        | Act::Sign { kiosk, .. }
        | Act::Type { kiosk, .. }
        | Act::See { kiosk, .. }
        | Act::Picture { kiosk, .. } => Some(kiosk),
        Act::Plant(_) | Act::Kiosk { .. } | Act::Clock(_) | Act::Server(_) | Act::Settle | Act::Verify => None,
    }
}

impl Set {
    fn act(&mut self, act: &Act) -> Result<(), Not> {
        match act {
            Act::Plant(_) | Act::Picture { .. } => Ok(()),
            Act::Kiosk { name, at } => self.add_kiosk(name, at),
            Act::Clock(clock) => self.move_clock(*clock),
            Act::Cable { kiosk, plugged } => Ok(self.stage.set_online(kiosk, *plugged)?),
            Act::Signing { kiosk, person, secret } => self.set_up_signing(kiosk, person, secret),
            Act::Badge { kiosk, number } => Ok(self.stage.scan(kiosk, number)?),
            Act::Lot { kiosk, lot } => self.give_lot(kiosk, lot),
            Act::Tap { kiosk, id } => self.tap(kiosk, id),
            Act::Secret { kiosk, secret } => {
                self.on(kiosk, Screen::Secret, "a screen that asks for a secret")?;
                Ok(self.stage.enter(kiosk, "secret", secret)?)
            }
            Act::Read { kiosk } => self.read(kiosk),
            Act::Answer { kiosk, choice, all } => self.answer(kiosk, choice, *all),
            Act::Sign { kiosk, person, secret } => self.sign(kiosk, person, secret),
            Act::Type { kiosk, field, text } => self.type_text(kiosk, field, text),
            Act::See { kiosk, what } => self.see(kiosk, what),
            Act::Server(act) => self.at_server(act),
            Act::Settle => Ok(self.stage.settle()?),
            Act::Verify => self.verify(),
        }
    }

    fn screen(&self, kiosk: &str) -> Result<Screen, Trouble> {
        Ok(self.stage.view(kiosk)?.screen)
    }

    fn on(&self, kiosk: &str, screen: Screen, expected: &str) -> Result<(), Not> {
        if self.screen(kiosk)? == screen { Ok(()) } else { Err(Not::on_screen(expected)) }
    }

    fn add_kiosk(&mut self, name: &str, at: &[Place]) -> Result<(), Not> {
        for place in at {
            let plant = self.stage.server.plant();
            let known = plant.work_units.get(&place.work_unit);
            let is = known.map(|unit| Place {
                site: unit.site.clone(),
                area: unit.area.to_string(),
                work_center: unit.work_center.to_string(),
                work_unit: unit.work_unit.clone(),
            });
            if is.as_ref() != Some(place) {
                let instead = is.map_or_else(
                    || {
                        let units: Vec<&str> = plant.work_units.keys().map(WorkUnitId::as_str).collect();
                        format!("no such work unit; there are {}", units.join(", "))
                    },
                    |is| format!("that work unit is at {is}"),
                );
                return Err(Not::instead(format!("a work unit at {place}"), instead));
            }
        }
        let units: Vec<&str> = at.iter().map(|place| place.work_unit.as_str()).collect();
        Ok(self.stage.add_kiosk(name, &units)?)
    }

    fn move_clock(&mut self, clock: Clock) -> Result<(), Not> {
        match clock {
            Clock::To(at) => self.stage.clock.set_to(at),
            Clock::ForwardMs(ms) => self.stage.clock.advance_ms(ms),
        }
        Ok(self.stage.tick()?)
    }

    fn set_up_signing(&mut self, kiosk: &str, person: &PersonId, secret: &str) -> Result<(), Not> {
        let units =
            self.stage.kiosk(kiosk)?.enrolment().map_or_else(Vec::new, |enrolment| enrolment.work_units.clone());
        let reach = Reach::at(&units, Some(person));
        let verifier = self.office.verifier(&self.stage.server, person, reach);
        let verifier =
            verifier.ok_or_else(|| Not::instead("a verifier", "nobody in the plant folder may verify an identity"))?;
        let verifier = Signer { person: verifier.person, secret: verifier.secret };
        let chosen = Chosen { secret, identity_proof: "identity card", language: "en", stretching: Stretching::TESTS };
        let made = self.stage.kiosk(kiosk)?.set_up_signing(person, &chosen, &verifier);
        made.map_err(|why| Not::instead(format!("signing set-up of {person} at {kiosk}"), why.to_string()))?;
        self.office.knows(person, secret);
        Ok(())
    }

    /// Where a lot is asked for, it is scanned; from the list it is entered first.
    fn give_lot(&mut self, kiosk: &str, lot: &str) -> Result<(), Not> {
        if self.screen(kiosk)? == Screen::Tasks {
            self.stage.tap(kiosk, "action:lot")?;
        }
        self.on(kiosk, Screen::Lot, "a screen that takes a lot: the task list, or the lot's own")?;
        self.stage.scan(kiosk, lot)?;
        if self.screen(kiosk)? == Screen::Lot {
            Err(Not::on_screen(format!("that `{lot}` is taken as a lot")))
        } else {
            Ok(())
        }
    }

    fn tap(&mut self, kiosk: &str, id: &str) -> Result<(), Not> {
        let before = self.stage.view(kiosk)?;
        let name = screen_name(before.screen);
        let can = can_be_touched(name);
        if !can.iter().any(|pattern| matches(pattern, id)) {
            return Err(Not::on_screen(format!(
                "something with the id {id}; the screen `{name}` has {}",
                can.join(", ")
            )));
        }
        self.stage.tap(kiosk, id)?;
        if id.starts_with("task:") && self.screen(kiosk)? == Screen::Tasks {
            return Err(Not::on_screen(format!("{id} among the tasks")));
        }
        Ok(())
    }

    fn read(&mut self, kiosk: &str) -> Result<(), Not> {
        self.on(kiosk, Screen::Reader, "a procedure to read")?;
        for _ in 0..PATIENCE {
            let view = self.stage.view(kiosk)?;
            if view.screen != Screen::Reader {
                return Ok(());
            }
            if view.reader.next == ReaderNext::SeeAllPages {
                self.stage.tap(kiosk, "page:prev")?;
                continue;
            }
            self.stage.tap(kiosk, "next")?;
        }
        Err(Not::on_screen("that the procedure ends"))
    }

    fn answer(&mut self, kiosk: &str, choice: &Choice, all: bool) -> Result<(), Not> {
        self.answer_one(kiosk, choice)?;
        while all && self.asks(kiosk)? {
            self.answer_one(kiosk, choice)?;
        }
        Ok(())
    }

    fn asks(&self, kiosk: &str) -> Result<bool, Trouble> {
        let view = self.stage.view(kiosk)?;
        Ok(view.screen == Screen::Quiz && view.quiz.state == QuizState::Question)
    }

    fn answer_one(&mut self, kiosk: &str, choice: &Choice) -> Result<(), Not> {
        if !self.asks(kiosk)? {
            return Err(Not::on_screen("a question"));
        }
        let quiz = self.stage.view(kiosk)?.quiz;
        let right: Vec<usize> =
            self.answers.of_question(&quiz.question)?.iter().map(|place| usize::from(*place) + 1).collect();
        let numbers = match choice {
            Choice::Correct => right,
            Choice::Wrong => (1..=quiz.answers.len()).find(|number| !right.contains(number)).into_iter().collect(),
            Choice::Numbers(numbers) => numbers.clone(),
        };
        if numbers.is_empty() || numbers.iter().any(|number| *number > quiz.answers.len()) {
            return Err(Not::on_screen(format!("a question with such a choice: {numbers:?}")));
        }
        for number in numbers {
            self.stage.tap(kiosk, &format!("answer:{number}"))?;
        }
        Ok(self.stage.tap(kiosk, "next")?)
    }

    /// The second person: their badge, and their secret where it is asked for.
    fn sign(&mut self, kiosk: &str, person: &PersonId, secret: &str) -> Result<(), Not> {
        self.on(kiosk, Screen::SecondBadge, "a screen that asks for a second badge")?;
        let number = self.badge_of(person)?;
        self.stage.scan(kiosk, &number)?;
        let view = self.stage.view(kiosk)?;
        match view.screen {
            Screen::Secret => Ok(self.stage.enter(kiosk, "secret", secret)?),
            Screen::SecondBadge if view.second_badge.refusal != SecondRefusal::None => {
                Err(Not::on_screen(format!("that {person} may sign")))
            }
            _ => Ok(()),
        }
    }

    fn badge_of(&self, person: &PersonId) -> Result<String, Not> {
        use sync_server::import::Badge;
        let row = self.folder.people.iter().find(|row| row.row.person == *person);
        match row.map(|row| &row.row.badge) {
            Some(Badge::Number(number)) => Ok(number.clone()),
            Some(_) => Err(Not::instead(format!("a badge number of {person}"), "the plant folder gives none")),
            None => Err(Not::instead(format!("{person} among the people"), "the plant folder names nobody so")),
        }
    }

    fn type_text(&mut self, kiosk: &str, field: &str, text: &str) -> Result<(), Not> {
        let name = screen_name(self.screen(kiosk)?);
        let has = ids().iter().any(|(screen, ids)| *screen == name && ids.contains(&format!("typed {field}").as_str()));
        if !has {
            return Err(Not::on_screen(format!("a screen with the field `{field}`")));
        }
        Ok(self.stage.enter(kiosk, field, text)?)
    }

    fn see(&mut self, kiosk: &str, what: &See) -> Result<(), Not> {
        let view = self.stage.view(kiosk)?;
        let (is_so, expected) = match what {
            See::Decision(decision) => {
                (screen::decision(&view) == Some(*decision), format!("the decision {}", decision.word()))
            }
            See::Screen(screen) => (view.screen == *screen, format!("the screen `{}`", screen_name(*screen))),
            See::Text(text) => (self.shows(kiosk, text)?, format!("the text {text:?}{}", only_names())),
            See::NoText(text) => (!self.shows(kiosk, text)?, format!("nowhere the text {text:?}")),
        };
        if is_so { Ok(()) } else { Err(Not::on_screen(expected)) }
    }

    fn shows(&mut self, kiosk: &str, part: &str) -> Result<bool, Trouble> {
        Ok(screen::texts(&mut self.stage, kiosk)?.iter().any(|text| screen::contains(text, part)))
    }

    fn at_server(&mut self, act: &AtServer) -> Result<(), Not> {
        let server = &self.stage.server;
        match act {
            AtServer::Approve(what) => self.office.approve(server, what)?,
            AtServer::WithdrawAssessor { person, requirement } => {
                self.office.withdraw_assessor(server, person, requirement)?
            }
            AtServer::Rule { person, accepted, reason } => self.office.rule(server, person, *accepted, reason)?,
            AtServer::Query(query) => return self.query(query),
        }
        Ok(())
    }

    /// With a kiosk named, the answer is what that kiosk could know; without, what was true.
    fn query(&self, query: &Query) -> Result<(), Not> {
        let server = &self.stage.server;
        let (document, requirement) = (DocumentId::new(&query.about), RequirementId::new(&query.about));
        let asked = match (&document, &requirement) {
            (Ok(document), _) if server.plant().documents.contains_key(document) => Asked::Document(document),
            (_, Ok(requirement)) => Asked::Requirement(requirement),
            (_, Err(why)) => return Err(Not::instead("a document or requirement", why.to_string())),
        };
        let answer = server.query_qualified(&query.person, asked, query.at, query.known_to.as_ref());
        let answer = answer.map_err(|why| Not::instead("an answer", why.to_string()))?;
        let (found, whose) = match (&answer.answer_known, &query.known_to) {
            (Some(known), Some(kiosk)) => (known.qualified.answer, format!("what {kiosk} could know")),
            _ => (answer.qualified.answer, "what was true".to_owned()),
        };
        if found == query.expect {
            return Ok(());
        }
        let word = |answer: shared::training::point_in_time::QualifiedAnswer| answer.word();
        let known = answer.answer_known.as_ref().map_or_else(String::new, |known| {
            format!("; {} could know: {}", known.kiosk, word(known.qualified.answer))
        });
        let version = answer.qualified.version_in_force.as_ref().map_or_else(|| "none".into(), ToString::to_string);
        let shown = format!("what was true: {} (in force: {version}){known}", word(answer.qualified.answer));
        Err(Not::instead(format!("the answer {} of {whose}", word(query.expect)), shown))
    }

    fn verify(&mut self) -> Result<(), Not> {
        let found =
            self.stage.server.verify(true).map_err(|why| Not::instead("a look at every entry", why.to_string()))?;
        let mut findings: Vec<String> =
            found.findings.iter().map(|f| format!("server: {} {}", f.what, f.problem)).collect();
        if found.rebuilt_equal == Some(false) {
            findings.push("server: what is derived is not what a replay derives".into());
        }
        for kiosk in &self.stage.kiosks {
            let core = self.stage.kiosk(&kiosk.name)?;
            let looked = replica::look(core.ledger().connection());
            let looked =
                looked.map_err(|why| Not::instead("a look at every entry", format!("{}: {why}", kiosk.name)))?;
            findings.extend(looked.findings.iter().map(|finding| format!("{}: {finding}", kiosk.name)));
        }
        if findings.is_empty() {
            Ok(())
        } else {
            Err(Not::instead("every entry as it was written", findings.join("\n")))
        }
    }
}

/// A build without screens knows none of their words.
fn only_names() -> &'static str {
    if cfg!(feature = "pictures") {
        ""
    } else {
        " (this build knows names, documents and codes; the screens' own words need the feature `pictures`)"
    }
}

/// Ids that a screen can have, and those of every screen.
fn can_be_touched(screen: &str) -> Vec<&'static str> {
    let listed = ids().iter().filter(|(name, _)| [screen, "every screen"].contains(name));
    listed.flat_map(|(_, ids)| ids.iter().copied()).filter(|id| !id.starts_with("typed ")).collect()
}

/// Whether an id has the form of a listed one: `step:4:pass` that of `step:<number>:pass`.
fn matches(pattern: &str, id: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('<') else { return pattern == id };
    let after = rest.split_once('>').map_or("", |(_, after)| after);
    id.len() > before.len() + after.len() && id.starts_with(before) && id.ends_with(after)
}

/// The folder in which a script lies.
pub fn beside(script: &Path) -> PathBuf {
    script.parent().map_or_else(PathBuf::new, Path::to_owned)
}
