//! The language: text in, acts out, or every mistake at once. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use kiosk::presenter::id::TapId;
use kiosk::presenter::view::Screen;
use shared::id::*;
use shared::kind::plant::{ActivityKind, Impact, InFlight};
use shared::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};
use shared::training::point_in_time::QualifiedAnswer;

use super::line::{Arguments, Word, shortened, words};

/// Largest script, in bytes.
pub const MAX_SCRIPT_BYTES: usize = 1 << 20;
/// Longest line, in bytes.
pub const MAX_LINE_BYTES: usize = 4096;
/// Most mistakes told of one script.
const MOST_MISTAKES: usize = 1_000;
/// When a plant begins of which no script says it: a Sunday evening.
const DEFAULT_BEGIN: &str = "2026-03-01T18:00:00Z";

/// A script without mistakes.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    pub lines: Vec<Line>,
    /// The plant's time before the first act.
    pub begin: Timestamp,
}

/// An act and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub number: usize,
    /// As written, without what surrounds it.
    pub text: String,
    pub act: Act,
}

/// Something in a script that can't be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub line: usize,
    pub column: usize,
    pub what: String,
}

impl Mistake {
    pub(super) fn at(line: usize, column: usize, what: impl Into<String>) -> Self {
        Self { line, column, what: what.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.what)
    }
}

/// What is done, or looked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    Plant(Folder),
    Kiosk { name: String, at: Vec<Place> },
    Clock(Clock),
    Cable { kiosk: String, plugged: bool },
    Signing { kiosk: String, person: PersonId, secret: String },
    Badge { kiosk: String, number: String },
    Lot { kiosk: String, lot: String },
    Tap { kiosk: String, id: String },
    Secret { kiosk: String, secret: String },
    Read { kiosk: String },
    Answer { kiosk: String, choice: Choice, all: bool },
    Sign { kiosk: String, person: PersonId, secret: String },
    Type { kiosk: String, field: String, text: String },
    See { kiosk: String, what: See },
    Picture { kiosk: String, name: String },
    Server(AtServer),
    Settle,
    Verify,
}

/// Which plant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folder {
    Demo,
    /// A plant folder; a relative path begins where the script lies.
    At(PathBuf),
}

/// A work unit with everything above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub site: SiteId,
    pub area: String,
    pub work_center: String,
    pub work_unit: WorkUnitId,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.site, self.area, self.work_center, self.work_unit)
    }
}

/// How time goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    To(Timestamp),
    ForwardMs(i64),
}

/// How a question is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    Correct,
    Wrong,
    /// As numbered on the screen, from 1.
    Numbers(Vec<usize>),
}

/// What a look expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum See {
    Decision(Decision),
    Screen(Screen),
    /// Part of a text on the screen, whatever its case.
    Text(String),
    NoText(String),
}

/// The gate's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Go,
    Supervised,
    Exception,
    NoGo,
}

impl Decision {
    const WORDS: [(&str, Self); 4] =
        [("go", Self::Go), ("supervised", Self::Supervised), ("exception", Self::Exception), ("no-go", Self::NoGo)];

    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, decision)| *decision == self).map_or("", |(word, _)| word)
    }
}

/// What is done at the server, in the names of people with the right to it.
#[derive(Debug, Clone, PartialEq)]
pub enum AtServer {
    Approve(Box<Approve>),
    WithdrawAssessor { person: PersonId, requirement: RequirementId },
    Query(Box<Query>),
    Rule { person: PersonId, accepted: bool, reason: String },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Approve {
    pub document: DocumentId,
    pub version: VersionId,
    pub effective: Timestamp,
    pub impact: Impact,
    pub in_flight: InFlight,
    pub minutes: Option<u32>,
    /// Initial assessors; without any, those who assess its requirements now.
    pub assessors: Vec<PersonId>,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub person: PersonId,
    /// A document or a requirement, whichever the plant knows under this id.
    pub about: String,
    pub at: Timestamp,
    pub known_to: Option<KioskName>,
    pub expect: QualifiedAnswer,
}

const SCREENS: [(&str, Screen); 23] = [
    ("idle", Screen::Idle),
    ("set-up", Screen::SetUp),
    ("tasks", Screen::Tasks),
    ("lot", Screen::Lot),
    ("verdict", Screen::Verdict),
    ("secret", Screen::Secret),
    ("reader", Screen::Reader),
    ("quiz", Screen::Quiz),
    ("worksheet", Screen::Worksheet),
    ("check", Screen::Check),
    ("second-badge", Screen::SecondBadge),
    ("receipt", Screen::Receipt),
    ("supervised", Screen::Supervised),
    ("sessions", Screen::Sessions),
    ("status", Screen::Status),
    ("fault", Screen::Fault),
    ("swap", Screen::Swap),
    ("signing-set-up", Screen::SigningSetUp),
    ("lockout", Screen::Lockout),
    ("records", Screen::Records),
    ("correction", Screen::Correction),
    ("stick", Screen::Stick),
    ("no-badge", Screen::NoBadge),
];

/// A screen's name, as `cargo xtask play --ids` lists it.
pub fn screen_name(screen: Screen) -> &'static str {
    SCREENS.iter().find(|(_, known)| *known == screen).map_or("", |(name, _)| name)
}

const ANSWERS: [(&str, QualifiedAnswer); 6] = [
    ("yes", QualifiedAnswer::Yes),
    ("yes_carried_over", QualifiedAnswer::YesCarriedOver),
    ("yes-carried-over", QualifiedAnswer::YesCarriedOver),
    ("no", QualifiedAnswer::No),
    ("not_required", QualifiedAnswer::NotRequired),
    ("not-required", QualifiedAnswer::NotRequired),
];

/// The acts, each with an example.
pub const ACTS: [(&str, &str); 18] = [
    ("plant", "plant demo"),
    ("kiosk", "kiosk K3 at SITE1/PACK/L2/SEAL"),
    ("clock", "clock 2026-03-02T05:50:00Z, or clock +10m"),
    ("offline", "offline K3"),
    ("online", "online K3"),
    ("signing", "signing K3 maria maria-secret"),
    ("badge", "badge K3 04A1B2C3"),
    ("lot", "lot K3 881"),
    ("tap", "tap K3 task:seal-pouch"),
    ("secret", "secret K3 maria-secret"),
    ("read", "read K3"),
    ("answer", "answer K3 correct, or wrong, or 2; with `all` for every question that is left"),
    ("sign", "sign K3 jonas jonas-secret"),
    ("type", "type K3 note \"first run\""),
    ("see", "see K3 decision no-go, or screen verdict, or text \"step 4\", or no-text \"Maria\""),
    ("picture", "picture K3 after-no-go"),
    ("server", "server approve|withdraw-assessor|query|rule …"),
    ("settle", "settle"),
];
const VERIFY: &str = "verify";

const APPROVE: &str = "server approve SOP-0042 v7 effective 2026-03-02T06:00:00Z impact full";
const WITHDRAW: &str = "server withdraw-assessor jonas R-0042";
const QUERY: &str = "server query qualified maria SOP-0042 at 2026-03-02T06:40:00Z known-to K3 expect yes";
const RULE: &str = "server rule maria accept \"observed by video\"";

/// Reads a script. All its mistakes come at once, in their order.
pub fn parse(bytes: &[u8]) -> Result<Script, Vec<Mistake>> {
    if bytes.len() > MAX_SCRIPT_BYTES {
        return Err(vec![Mistake::at(1, 1, format!("a script is at most {MAX_SCRIPT_BYTES} bytes long"))]);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| vec![not_utf8(bytes, error.valid_up_to())])?;
    let mut reader = Reader::default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (place, line) in text.lines().enumerate() {
        reader.take(line, place + 1);
        if reader.mistakes.len() >= MOST_MISTAKES {
            let what = format!("{MOST_MISTAKES} mistakes are enough: the lines after this one were not read");
            reader.mistakes.push(Mistake::at(place + 1, 1, what));
            break;
        }
    }
    reader.finish()
}

fn not_utf8(bytes: &[u8], good: usize) -> Mistake {
    let before = &bytes[..good];
    let begin = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    // Everything before is UTF-8, so that no character is lost here.
    let column = String::from_utf8_lossy(&before[begin..]).chars().count() + 1;
    Mistake::at(line, column, "this is not UTF-8: save the script as UTF-8")
}

/// What was read so far: enough to say of each line whether it can be played.
#[derive(Default)]
struct Reader {
    lines: Vec<Line>,
    mistakes: Vec<Mistake>,
    plant: Option<usize>,
    kiosks: BTreeMap<String, usize>,
    pictures: BTreeMap<String, usize>,
    /// How far relative acts have moved the clock before the first absolute one.
    early_ms: i64,
    begin: Option<Timestamp>,
    now: Option<Timestamp>,
}

impl Reader {
    fn take(&mut self, line: &str, number: usize) {
        if line.len() > MAX_LINE_BYTES {
            let what = format!("the line is {} bytes long, {MAX_LINE_BYTES} is the most", line.len());
            return self.mistakes.push(Mistake::at(number, 1, what));
        }
        match self.read(line, number) {
            Ok(Some(act)) => self.lines.push(Line { number, text: line.trim().to_owned(), act }),
            Ok(None) => {}
            Err(mistake) => self.mistakes.push(mistake),
        }
    }

    fn finish(mut self) -> Result<Script, Vec<Mistake>> {
        if self.lines.is_empty() && self.mistakes.is_empty() {
            self.mistakes.push(Mistake::at(1, 1, "the script is empty: it begins with `plant demo`"));
        }
        if !self.mistakes.is_empty() {
            return Err(self.mistakes);
        }
        let begin = self.begin.unwrap_or_else(|| crate::at(DEFAULT_BEGIN));
        Ok(Script { lines: self.lines, begin })
    }

    fn read(&mut self, line: &str, number: usize) -> Result<Option<Act>, Mistake> {
        let end = line.trim_end().chars().count() + 1;
        let mut words = words(line, number)?.into_iter();
        let Some(name) = words.next() else { return Ok(None) };
        let usage = ACTS.iter().find(|(act, _)| *act == name.text).map(|(_, usage)| *usage);
        let usage = usage.or((name.text == VERIFY).then_some(VERIFY)).ok_or_else(|| unknown_act(&name, number))?;
        if self.plant.is_none() && name.text != "plant" {
            // Said once: whatever follows stands in this plant.
            self.plant = Some(number);
            return Err(Mistake::at(number, name.column, "a script begins with its plant, as in: plant demo"));
        }
        let mut arguments = Arguments::new(words.collect(), number, end, usage);
        let act = self.act(&name, number, &mut arguments)?;
        arguments.done()?;
        Ok(Some(act))
    }

    fn act(&mut self, name: &Word, number: usize, arguments: &mut Arguments<'_>) -> Result<Act, Mistake> {
        match name.text.as_str() {
            "plant" => self.the_plant(name, number, arguments),
            "kiosk" => self.a_kiosk(number, arguments),
            "clock" => self.clock(arguments),
            "server" => self.server(number, arguments).map(Act::Server),
            "settle" => Ok(Act::Settle),
            VERIFY => Ok(Act::Verify),
            "picture" => {
                let kiosk = self.known_kiosk(arguments)?;
                let word = arguments.next("the picture's name")?;
                let name = plain_name(&word, arguments)?;
                if let Some(first) = self.pictures.insert(name.clone(), number) {
                    return Err(arguments.wrong(&word, format!("is the name of the picture in line {first}")));
                }
                Ok(Act::Picture { kiosk, name })
            }
            act => {
                let kiosk = self.known_kiosk(arguments)?;
                at_kiosk(act, kiosk, arguments)
            }
        }
    }

    fn the_plant(&mut self, name: &Word, number: usize, arguments: &mut Arguments<'_>) -> Result<Act, Mistake> {
        if let Some(first) = self.plant.replace(number) {
            return Err(arguments.wrong(name, format!("stands in line {first} already: a script has one plant")));
        }
        let folder = arguments.next("the plant: `demo` or a folder")?;
        Ok(Act::Plant(if folder.text == "demo" { Folder::Demo } else { Folder::At(folder.text.into()) }))
    }

    fn a_kiosk(&mut self, number: usize, arguments: &mut Arguments<'_>) -> Result<Act, Mistake> {
        let word = arguments.next("the kiosk's name")?;
        let name = plain_name(&word, arguments)?;
        if let Some(first) = self.kiosks.insert(name.clone(), number) {
            return Err(arguments.wrong(&word, format!("stands in line {first} already")));
        }
        arguments.keyword("at")?;
        let places = arguments.next("the place: SITE/AREA/WORK-CENTER/WORK-UNIT")?;
        let at = places.text.split(',').map(|text| place(text).ok_or_else(|| no_place(arguments, &places)));
        Ok(Act::Kiosk { name, at: at.collect::<Result<_, _>>()? })
    }

    fn known_kiosk(&self, arguments: &mut Arguments<'_>) -> Result<String, Mistake> {
        let word = arguments.next("the kiosk")?;
        if self.kiosks.contains_key(&word.text) {
            return Ok(word.text);
        }
        let known: Vec<&str> = self.kiosks.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "no kiosk yet".to_owned() } else { known.join(", ") };
        Err(arguments.wrong(&word, format!("is no kiosk of this script so far: there is {known}")))
    }

    fn clock(&mut self, arguments: &mut Arguments<'_>) -> Result<Act, Mistake> {
        let word = arguments.next("the time")?;
        if let Some(by) = word.text.strip_prefix('+') {
            let wrong = || arguments.wrong(&word, "is no time: as in +30s, +10m, +2h, +3d");
            let ms = duration_ms(by).ok_or_else(wrong)?;
            let far = match &mut self.now {
                Some(now) => {
                    *now = now.plus_ms(ms);
                    !is_in_reach(*now)
                }
                None => {
                    self.early_ms += ms;
                    self.early_ms > LONGEST_MS
                }
            };
            return if far {
                Err(arguments.wrong(&word, "leads too far"))
            } else {
                Ok(Act::Clock(Clock::ForwardMs(ms)))
            };
        }
        let to = timestamp(&word, arguments)?;
        if self.now.is_some_and(|now| to < now) {
            return Err(arguments.wrong(&word, "lies before the time it is there: time only goes forward"));
        }
        if self.now.is_none() {
            self.begin = Some(to.minus_ms(self.early_ms));
        }
        self.now = Some(to);
        Ok(Act::Clock(Clock::To(to)))
    }

    fn server(&self, number: usize, arguments: &mut Arguments<'_>) -> Result<AtServer, Mistake> {
        let act = arguments
            .one_of("act of the server's", &[("approve", 0), ("withdraw-assessor", 1), ("query", 2), ("rule", 3)])?;
        let mut words: Vec<Word> = Vec::new();
        while let Some(word) = arguments.next_if_any() {
            words.push(word);
        }
        let end = words.last().map_or(1, |last| last.column + last.text.chars().count());
        let usage = [APPROVE, WITHDRAW, QUERY, RULE][act];
        let mut rest = Arguments::new(words, number, end, usage);
        let done = match act {
            0 => approve(&mut rest)?,
            1 => AtServer::WithdrawAssessor { person: rest.id("person")?, requirement: rest.id("requirement")? },
            2 => self.query(&mut rest)?,
            _ => {
                let person = rest.id("person")?;
                let accepted = rest.one_of("ruling", &[("accept", true), ("reject", false)])?;
                AtServer::Rule { person, accepted, reason: rest.next("the reason")?.text }
            }
        };
        rest.done()?;
        Ok(done)
    }

    fn query(&self, rest: &mut Arguments<'_>) -> Result<AtServer, Mistake> {
        rest.keyword("qualified")?;
        let person = rest.id("person")?;
        let about = rest.id::<DocumentId>("document or requirement")?.to_string();
        rest.keyword("at")?;
        let word = rest.next("the time")?;
        let at = timestamp(&word, rest)?;
        let known_to = match rest.one_of("word", &[("known-to", true), ("expect", false)])? {
            true => {
                let kiosk = self.known_kiosk(rest)?;
                rest.keyword("expect")?;
                KioskName::new(&kiosk).ok()
            }
            false => None,
        };
        let expect = rest.one_of("answer", &ANSWERS)?;
        Ok(AtServer::Query(Box::new(Query { person, about, at, known_to, expect })))
    }
}

fn unknown_act(name: &Word, number: usize) -> Mistake {
    let acts: Vec<&str> = ACTS.iter().map(|(act, _)| *act).chain([VERIFY]).collect();
    Mistake::at(number, name.column, format!("`{}` is no act: there are {}", shortened(&name.text), acts.join(", ")))
}

fn at_kiosk(act: &str, kiosk: String, arguments: &mut Arguments<'_>) -> Result<Act, Mistake> {
    Ok(match act {
        "offline" | "online" => Act::Cable { kiosk, plugged: act == "online" },
        "signing" => {
            Act::Signing { kiosk, person: arguments.id("person")?, secret: arguments.next("the secret")?.text }
        }
        "badge" => Act::Badge { kiosk, number: arguments.next("the badge's number")?.text },
        "lot" => Act::Lot { kiosk, lot: arguments.id::<LotId>("lot")?.to_string() },
        "tap" => {
            let word = arguments.next("an accessible id")?;
            if TapId::parse(&word.text).is_none() {
                return Err(arguments.wrong(&word, "is no accessible id: `cargo xtask play --ids` lists them"));
            }
            Act::Tap { kiosk, id: word.text }
        }
        "secret" => Act::Secret { kiosk, secret: arguments.next("the secret")?.text },
        "read" => Act::Read { kiosk },
        "answer" => answer(kiosk, arguments)?,
        "sign" => Act::Sign { kiosk, person: arguments.id("person")?, secret: arguments.next("the secret")?.text },
        "type" => {
            let fields = ["secret", "lot", "note", "code", "value", "name"].map(|field| (field, field));
            let field = arguments.one_of("field", &fields)?.to_owned();
            Act::Type { kiosk, field, text: arguments.next("the text")?.text }
        }
        _ => Act::See { kiosk, what: see(arguments)? },
    })
}

fn answer(kiosk: String, arguments: &mut Arguments<'_>) -> Result<Act, Mistake> {
    let word = arguments.next("the answer")?;
    let number = |text: &str| text.parse().ok().filter(|number| (1..=99).contains(number));
    let numbers = || word.text.split(',').map(number).collect::<Option<Vec<usize>>>();
    let choice = match word.text.as_str() {
        "correct" => Choice::Correct,
        "wrong" => Choice::Wrong,
        _ => Choice::Numbers(
            numbers()
                .ok_or_else(|| arguments.wrong(&word, "is neither `correct` nor `wrong` nor a choice's number"))?,
        ),
    };
    let all = match arguments.next_if_any() {
        None => false,
        Some(all) if all.text == "all" => true,
        Some(other) => return Err(arguments.wrong(&other, "is not `all`")),
    };
    Ok(Act::Answer { kiosk, choice, all })
}

fn see(arguments: &mut Arguments<'_>) -> Result<See, Mistake> {
    let text = |arguments: &mut Arguments<'_>| {
        let word = arguments.next("the text")?;
        if word.text.trim().is_empty() { Err(arguments.wrong(&word, "is no text")) } else { Ok(word.text) }
    };
    match arguments.one_of("thing to see", &[("decision", 0), ("screen", 1), ("text", 2), ("no-text", 3)])? {
        0 => arguments.one_of("decision", &Decision::WORDS).map(See::Decision),
        1 => arguments.one_of("screen", &SCREENS).map(See::Screen),
        2 => text(arguments).map(See::Text),
        _ => text(arguments).map(See::NoText),
    }
}

fn approve(rest: &mut Arguments<'_>) -> Result<AtServer, Mistake> {
    let (document, version) = (rest.id("document")?, rest.id("version")?);
    rest.keyword("effective")?;
    let word = rest.next("the time it becomes effective")?;
    let effective = timestamp(&word, rest)?;
    rest.keyword("impact")?;
    let word = rest.next("the training impact")?;
    let impact = impact(&word, rest)?;
    let mut approve = Approve {
        document,
        version,
        effective,
        impact,
        in_flight: InFlight::Finish,
        minutes: None,
        assessors: Vec::new(),
        reason: None,
    };
    while let Some(word) = rest.next_if_any() {
        match word.text.as_str() {
            "minutes" => approve.minutes = Some(rest.id("number of minutes")?),
            "in-flight" => {
                let rules = [("finish", InFlight::Finish), ("stop", InFlight::Stop)];
                approve.in_flight = rest.one_of("in-flight rule", &rules)?;
            }
            "assessors" => {
                let people = rest.next("the assessors")?;
                let people_of = |text: &str| text.split(',').map(PersonId::new).collect::<Result<_, _>>();
                approve.assessors =
                    people_of(&people.text).map_err(|why| rest.wrong(&people, format!("is no person: {why}")))?;
            }
            "reason" => approve.reason = Some(rest.next("the reason")?.text),
            _ => return Err(rest.wrong(&word, "is none of minutes, in-flight, assessors, reason")),
        }
    }
    Ok(AtServer::Approve(Box::new(approve)))
}

fn impact(word: &Word, arguments: &Arguments<'_>) -> Result<Impact, Mistake> {
    let activity = |text: &str| {
        Some(match text {
            "read" => ActivityKind::Read,
            "quiz" => ActivityKind::Quiz,
            "runs" => ActivityKind::Runs,
            "check" => ActivityKind::Check,
            _ => return None,
        })
    };
    match word.text.as_str() {
        "none" => Ok(Impact::None),
        "full" => Ok(Impact::Full),
        some => {
            let kinds: Option<BTreeSet<ActivityKind>> = some.split(',').map(activity).collect();
            let wrong = || arguments.wrong(word, "is no training impact: none, full, or some of read,quiz,runs,check");
            kinds.map(|kinds| Impact::Some(kinds.into_iter().collect())).ok_or_else(wrong)
        }
    }
}

fn place(text: &str) -> Option<Place> {
    let mut parts = text.split('/');
    let (site, area, work_center, work_unit) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let whole = parts.next().is_none() && !area.is_empty() && !work_center.is_empty();
    whole.then_some(())?;
    Some(Place {
        site: SiteId::new(site).ok()?,
        area: area.to_owned(),
        work_center: work_center.to_owned(),
        work_unit: WorkUnitId::new(work_unit).ok()?,
    })
}

fn no_place(arguments: &Arguments<'_>, word: &Word) -> Mistake {
    arguments.wrong(word, "is no place: SITE/AREA/WORK-CENTER/WORK-UNIT, several joined by commas")
}

/// A name that can also be a file's.
fn plain_name(word: &Word, arguments: &Arguments<'_>) -> Result<String, Mistake> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !word.text.is_empty() && word.text.len() <= 60 && word.text.chars().all(plain) {
        Ok(word.text.clone())
    } else {
        Err(arguments.wrong(word, "is no name: 1 to 60 letters from a to z, digits, - and _"))
    }
}

/// Years that a plant can live in, so that no sum of times leaves the calendar.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=2099;
const LONGEST_MS: i64 = 3_660 * DAY_MS;

fn is_in_reach(at: Timestamp) -> bool {
    use chrono::Datelike;
    YEARS.contains(&at.utc().year())
}

fn timestamp(word: &Word, arguments: &Arguments<'_>) -> Result<Timestamp, Mistake> {
    let at = Timestamp::parse(&word.text).filter(|at| is_in_reach(*at));
    at.ok_or_else(|| {
        arguments
            .wrong(word, "is no time between 2000 and 2099: as in 2026-03-02T06:00:00Z or 2026-03-02T07:00:00+01:00")
    })
}

fn duration_ms(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let unit_ms = match unit {
        's' => SECOND_MS,
        'm' => MINUTE_MS,
        'h' => HOUR_MS,
        'd' => DAY_MS,
        _ => return None,
    };
    let number: i64 = text.strip_suffix(unit)?.parse().ok().filter(|number| *number >= 0)?;
    number.checked_mul(unit_ms).filter(|ms| *ms <= LONGEST_MS)
}
