//! Entries, and what follows from them: verdicts, evidence, the plant, worksheets.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use harness::demo_plant;
use minicbor::{Decoder, Encoder};
use shared::id::*;
use shared::kind::plant::ActivityKind;
use shared::kind::record::*;
use shared::kind::{Body, Family, KINDS, KindRow, Meaning, Role, Statement, to_cbor};
use shared::log::entry::{MAX_ENTRY_BYTES, Position, Signing, seal};
use shared::log::{Draft, Entry, LogId, Stream, Subject, Unverified, canonical};
use shared::part11::signature::{DeviceSecret, PersonSecret};
use shared::plant::Plant;
use shared::plant::fold::{PlantFact, Provenance};
use shared::record::judge::{Knowledge, Standing, fold_sort, judge};
use shared::record::worksheet::{SheetContent, SheetFact, Worksheet};
use shared::time::{ClockReading, HybridTime, Timestamp};
use shared::training::gate::{Known, Question, decide};
use sync_server::import::PlantFolder;

use crate::world::{inside, world};
use crate::{Verdict, refused};

const NOW: Timestamp = Timestamp(1_772_436_600_000);

fn id<T: std::str::FromStr<Err = BadId>>(text: &str) -> T {
    text.parse().expect("an id of ours")
}

/// An entry's payload: first as bytes that nobody signed, then as the device signs it that it names.
pub fn entry(bytes: &[u8]) -> Verdict {
    if let Ok(read) = Unverified::read(bytes) {
        as_it_stands(&read, bytes);
    }
    let signed = world().signed(bytes);
    let read = match Unverified::read(&signed) {
        Ok(read) => read,
        Err(why) => return refused(why),
    };
    as_it_stands(&read, &signed);
    let device = read.peek().log().device;
    let ours = [&world().servers_secret, &world().kiosk.secret, &world().other, &world().hostile];
    let known = ours.iter().any(|secret| secret.key() == device);
    let statement = read.peek().statement();
    assert_eq!(read.signed().is_some(), known, "an entry is its device's own or nothing");
    match statement {
        Ok(Some(statement)) => {
            read_back(&statement);
            Verdict::Accepted
        }
        // Of a kind that isn't known: held, passed on, shown.
        Ok(None) => Verdict::Accepted,
        Err(why) => refused(why),
    }
}

fn as_it_stands(read: &Unverified, bytes: &[u8]) {
    let entry = read.peek();
    assert_eq!(entry.bytes(), bytes, "kept as it came");
    assert_eq!(entry.id(), EntryId::of(bytes));
    assert!(bytes.len() <= MAX_ENTRY_BYTES);
    assert_eq!(canonical::check(bytes), Ok(()), "one spelling");
    entry.blocks_verify();
    assert!(!format!("{entry:?}").is_empty());
}

/// What a statement says is the same when it is written and read again.
fn read_back(statement: &Statement) {
    let bytes = statement.to_bytes();
    assert_eq!(canonical::check(&bytes), Ok(()));
    assert_eq!(Statement::from_bytes(statement.body.kind(), &bytes), Ok(Some(statement.clone())));
}

pub fn payloads() -> Vec<Vec<u8>> {
    let held = world().servers_disk.entries.all().step_by(3).take(12);
    held.map(|entry| inside(entry.bytes())).collect()
}

/// Kind, flags, length of the content in two bytes, content; again and again. It keeps a body's bytes in one piece for whoever alters them.
struct Items<'b>(&'b [u8]);

struct Item {
    row: &'static KindRow,
    flags: u8,
    statement: Statement,
}

impl Iterator for Items<'_> {
    type Item = Result<Item, Verdict>;

    fn next(&mut self) -> Option<Self::Item> {
        let (head, rest) = self.0.split_at_checked(4)?;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]])).min(rest.len());
        let (content, rest) = rest.split_at(length);
        let place = rest.len() as u8;
        self.0 = rest;
        let row = &KINDS[usize::from(head[0]) % KINDS.len()];
        let framed = framed(ActId([place; 16]), content);
        // As holding does, before anybody asks what a body says.
        if let Err(why) = canonical::check(&framed) {
            return Some(Err(refused(why)));
        }
        match Statement::from_bytes(row.name, &framed) {
            Ok(Some(statement)) => Some(Ok(Item { row, flags: head[1], statement })),
            Ok(None) => None,
            Err(why) => Some(Err(refused(why))),
        }
    }
}

fn framed(act: ActId, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes);
    let written = encoder.array(2).and_then(|e| e.encode(act)).and_then(|e| e.bytes(content)).map(drop);
    written.expect("writing to memory");
    bytes
}

fn item(body: Body, flags: u8) -> Vec<u8> {
    let kind = KINDS.iter().position(|row| row.name == body.kind()).expect("a kind of ours") as u8;
    let statement = Statement { act: ActId([0; 16]), body }.to_bytes();
    let mut decoder = Decoder::new(&statement);
    let content = decoder.array().and_then(|_| decoder.skip()).and_then(|()| decoder.bytes().map(<[u8]>::to_vec));
    let content = content.expect("a statement of ours");
    let length = u16::try_from(content.len()).expect("a body is smaller than an entry");
    [&[kind, flags][..], &length.to_be_bytes(), &content].concat()
}

static FOLDER: LazyLock<PlantFolder> =
    LazyLock::new(|| sync_server::import::read(&demo_plant()).expect("the demo plant is right"));

static PLANT: LazyLock<Plant> = LazyLock::new(|| Plant::fold(folder_facts()));

fn folder_facts() -> Vec<PlantFact> {
    let bodies = FOLDER.bodies(&|_| BadgeHash([7; 32]));
    bodies
        .into_iter()
        .enumerate()
        .map(|(place, (_, subject, body))| fact(place as u64, subject.to_string(), body))
        .collect()
}

fn fact(place: u64, subject: String, body: Body) -> PlantFact {
    let id = EntryId::of(&place.to_be_bytes());
    let log = LogId {
        device: world().servers_secret.key(),
        incarnation: Incarnation([1; 16]),
        stream: Stream::plant_global(),
    };
    let order = (HybridTime { ms: 1_700_000_000_000 + place as i64, tick: 0 }, log, place + 1, id);
    PlantFact { id, order, subject, provenance: Provenance::SetUp, body: Some(body) }
}

/// Plant entries behind a good plant: the fold, and the questions that the gate asks of what comes out.
pub fn plant(bytes: &[u8]) -> Verdict {
    let (mut facts, mut verdict) = (Vec::new(), Verdict::Refused);
    for (place, item) in Items(bytes).enumerate() {
        let Ok(Item { row, flags, statement }) = item else { continue };
        read_back(&statement);
        if row.families.contains(&Family::Plant) {
            let subject =
                if flags & 1 == 0 { Subject::new("document", "SOP-0042") } else { Subject::new("person", "maria") };
            let fact = fact(1_000_000 + place as u64, subject.to_string(), statement.body);
            facts.push(PlantFact {
                provenance: if flags & 2 == 0 { Provenance::SetUp } else { Provenance::Signed },
                ..fact
            });
        }
        verdict = Verdict::Accepted;
    }
    let mut plant = PLANT.clone();
    facts.iter().for_each(|fact| plant.apply(fact));
    ask(&plant, &Default::default());
    verdict
}

/// Asks the gate about every task that the person may meet; gives whether any says GO.
fn ask(plant: &Plant, record: &shared::record::TrainingRecord) -> bool {
    let (maria, unit) = (id("maria"), id("SEAL"));
    let tasks = plant.tasks.keys().rev().take(6).chain(plant.tasks.keys().take(2));
    let mut go = false;
    for task in tasks {
        let clock = ClockReading { wall: NOW, uncertainty_ms: 60_000 };
        let question =
            Question { person: &maria, task, work_unit: &unit, lot: None, clock, trainer: None, co_signed: None };
        let known = Known {
            plant,
            record,
            performances: &[],
            trainers_record: None,
            trainers_performances: &[],
            trainees_of_trainer: 0,
            offline_ms: 0,
            locked_out: false,
            history_in_transit: false,
            revoked: false,
        };
        let decision = decide(&question, &known);
        assert!(
            decision.answer.may_start() || !decision.reasons.is_empty() || !decision.missing.is_empty(),
            "a NO-GO says why"
        );
        go |= decision.answer.may_start();
    }
    go
}

const SIGNERS: [(&str, Role, Meaning); 3] = [
    ("maria", Role::Operator, Meaning::Performed),
    ("jonas", Role::Assessor, Meaning::Assessed),
    ("eva", Role::Supervisor, Meaning::Observed),
];

fn secret(signer: usize) -> PersonSecret {
    PersonSecret::from_seed([40 + signer as u8; 32])
}

/// What a hostile terminal writes about a person: verdicts, evidence, and what the gate makes of it.
pub fn record(bytes: &[u8]) -> Verdict {
    let (mut entries, mut verdict, mut alone) = (Vec::<Entry>::new(), Verdict::Refused, true);
    for item in Items(bytes).take(24) {
        let Ok(Item { row, flags, statement }) = item else { continue };
        read_back(&statement);
        if row.families.contains(&Family::Record) {
            alone &= flags & 0b110 == 0;
            entries.extend(write(&entries, flags, statement));
        }
        verdict = Verdict::Accepted;
    }
    fold_sort(&mut entries);
    let keys: BTreeMap<PersonKey, PersonId> =
        SIGNERS.iter().enumerate().map(|(place, (person, ..))| (secret(place).key(), id(person))).collect();
    let knowledge =
        Knowledge { plant: &PLANT, keys: &keys, servers: &|_| false, standing: &|_: &Entry| Standing::Good };
    let judgement = judge(&entries, &knowledge);
    for entry in judgement.evidence.values().flatten() {
        assert!(judgement.verdicts.contains_key(&entry.entry), "what counts was judged");
    }
    let go = ask(&PLANT, &judgement.into_record());
    assert!(!(go && alone), "nobody comes to a GO by themselves");
    verdict
}

/// The next entry of one log. Flags: three signers; names the one before as seen; about another person; half an hour later.
fn write(before: &[Entry], flags: u8, statement: Statement) -> Option<Entry> {
    let counter = before.len() as u64 + 1;
    let at = Timestamp(NOW.0 - 7_200_000 + i64::from(flags >> 5) * 1_800_000 + counter as i64);
    let subject = Subject::new("person", if flags & 16 == 0 { "maria" } else { "ana" });
    let mut draft = Draft::new(subject, statement);
    for (place, (person, role, meaning)) in
        SIGNERS.into_iter().enumerate().filter(|(place, _)| flags & (1 << place) != 0)
    {
        let signing = Signing {
            signer: id(person),
            printed_name: person.into(),
            role,
            meaning,
            signed_at: at,
            shown: None,
            credential: None,
        };
        draft = draft.signed_by(signing, &secret(place));
    }
    let last = before.last().map(Entry::id);
    let draft = draft.having_seen(last.filter(|_| flags & 8 != 0));
    let log = LogId {
        device: DeviceSecret::from_seed([5; 32]).key(),
        incarnation: Incarnation([2; 16]),
        stream: Stream::record(&id("SITE1")),
    };
    let hybrid = HybridTime { ms: at.0, tick: 0 };
    let position = Position { log, counter, prev: last, hybrid, clock: ClockReading::exact(at), plant: vec![] };
    seal(&draft, &position, &DeviceSecret::from_seed([5; 32])).ok()
}

/// Edits of one worksheet by several terminals: whatever arrives, in whatever order, it is one worksheet.
pub fn worksheet(bytes: &[u8]) -> Verdict {
    let mut decoder = Decoder::new(bytes);
    let mut facts: Vec<SheetFact> = Vec::new();
    while decoder.position() < bytes.len() && facts.len() < 24 {
        let from = decoder.position();
        let Ok(mut edit) = decoder.decode::<SheetEdit>() else { break };
        if canonical::check(&bytes[from..decoder.position()]).is_err() {
            break;
        }
        // Parents name entries by their place, for no alteration finds a hash.
        for parent in &mut edit.parents {
            if let Some(meant) = facts.get(usize::from(parent.0[0])) {
                *parent = meant.entry;
            }
        }
        edit.worksheet = SHEET;
        let entry = EntryId::of(&[&to_cbor(&edit)[..], &[facts.len() as u8]].concat());
        facts.push(SheetFact { entry, edit });
    }
    if facts.is_empty() {
        return refused("no edit of a worksheet");
    }
    let forwards = Worksheet::replay(SHEET, facts.iter().cloned());
    let mut backwards = Worksheet::open(SHEET);
    facts.iter().rev().for_each(|fact| drop(backwards.apply(fact)));
    assert_eq!(forwards.document_digest(), backwards.document_digest());
    assert_eq!(forwards.content(), backwards.content());
    assert_eq!((forwards.heads(), forwards.refused()), (backwards.heads(), backwards.refused()));
    assert!(
        forwards.refused().values().all(|why| *why != shared::record::worksheet::Refusal::Engine),
        "the engine takes what was judged"
    );
    let written = forwards.content().to_bytes();
    assert_eq!(SheetContent::from_bytes(&written).as_ref(), Ok(forwards.content()));
    drop(forwards.content().to_sign());
    Verdict::Accepted
}

const SHEET: WorksheetId = WorksheetId([9; 32]);

/// What a sign-off carries of a worksheet.
pub fn content(bytes: &[u8]) -> Verdict {
    match SheetContent::from_bytes(bytes) {
        Ok(content) => {
            assert_eq!(content.to_bytes(), bytes, "one spelling");
            drop(content.to_sign());
            Verdict::Accepted
        }
        Err(why) => refused(why),
    }
}

pub fn plants() -> Vec<Vec<u8>> {
    let mut one_of_each: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for fact in folder_facts() {
        let Some(body) = fact.body else { continue };
        let kind = body.kind();
        let bytes = item(body, 0);
        if bytes.len() < 2_000 {
            one_of_each.entry(kind).or_insert(bytes);
        }
    }
    let all: Vec<Vec<u8>> = one_of_each.into_values().collect();
    all.chunks(3).map(<[_]>::concat).chain(all.iter().cloned()).collect()
}

pub fn records() -> Vec<Vec<u8>> {
    let about = || About { requirement: id("R-0042"), document: Some(id("SOP-0042")), version: Some(id("v7")) };
    let content = sheet(vec![tick("seal"), tick("look")]).content().to_bytes();
    let digest = Digest32::of(&content);
    let read = Read { about: about(), content: Some(digest), language: id("de"), seconds: 90, reached_end: true };
    let quiz = QuizAttempt {
        about: about(),
        quiz: id("Q-0042"),
        paper: digest,
        drawn: vec![0, 1],
        answers: vec![vec![1], vec![0, 2]],
        score_percent: 100,
        outcome: Outcome::Passed,
    };
    let run = RunObserved {
        about: about(),
        worksheet: SHEET,
        outcome: Outcome::Passed,
        session: Some(ActId([3; 16])),
        note: "first run".into(),
    };
    let check = CheckSigned {
        about: about(),
        check: id("C-0042"),
        worksheet: SHEET,
        edits: vec![],
        results: vec![CriterionResult { passed: true, measured: Some("185".into()) }],
        outcome: Outcome::Passed,
        content,
        content_digest: digest,
    };
    let row = LegacyRow {
        requirement: id("R-0042"),
        version: None,
        activity: ActivityKind::Check,
        completed_at: Timestamp(1_700_000_000_000),
        assessor: Some(id("jonas")),
        score_percent: Some(90),
        source: None,
        line: 7,
    };
    let correction = Correction {
        entry: EntryId([4; 32]),
        what: "score".into(),
        old: "90".into(),
        new: "80".into(),
        reason: "typing".into(),
    };
    let story: [(Body, u8); 9] = [
        (read.into(), 0b1001),
        (quiz.into(), 0b1001),
        (Coaching { about: about(), quiz: id("Q-0042"), reason: "step 4".into() }.into(), 0b1011),
        (run.into(), 0b1011),
        (check.into(), 0b1011),
        (LegacyBatch { batch: ActId([6; 16]), rows: vec![row] }.into(), 0),
        (correction.into(), 0b1001),
        (CoSigned { decision: EntryId([4; 32]), reason: "lease".into() }.into(), 0b0010),
        (SupervisedStart { session: ActId([3; 16]), task: id("seal-pouch"), trainer: id("jonas") }.into(), 0b0011),
    ];
    let items: Vec<Vec<u8>> = story.into_iter().map(|(body, flags)| item(body, flags)).collect();
    items.iter().cloned().chain([items.concat(), items[..5].concat()]).collect()
}

fn tick(step: &str) -> Edit {
    Edit::Tick(step.into(), true)
}

fn edits(parents: &[u8], edits: Vec<Edit>) -> SheetEdit {
    let parents = parents.iter().map(|place| EntryId([*place; 32])).collect();
    SheetEdit { worksheet: SHEET, parents, at: NOW, author: id("jonas"), edits }
}

fn sheet(said: Vec<Edit>) -> Worksheet {
    Worksheet::replay(SHEET, [SheetFact { entry: EntryId([1; 32]), edit: edits(&[], said) }])
}

pub fn worksheets() -> Vec<Vec<u8>> {
    let insert = |at, text: &str| Edit::Insert(at, text.into());
    let value = |name: &str, said: &str| Edit::Value(name.into(), said.into());
    let stories = [
        vec![edits(&[], vec![tick("seal")])],
        vec![edits(&[], vec![tick("seal")]), edits(&[], vec![Edit::Tick("seal".into(), false)])],
        vec![edits(&[], vec![insert(0, "slow")]), edits(&[0], vec![insert(4, " but sure"), Edit::Cut(0, 2)])],
        vec![
            edits(&[], vec![insert(0, "äöü\n")]),
            edits(&[0], vec![insert(1, "a")]),
            edits(&[0], vec![Edit::Cut(0, 2), value("temperature", "185 °C")]),
            edits(&[1, 2], vec![value("temperature", "184 °C"), insert(0, "x")]),
        ],
    ];
    stories.iter().map(|story| story.iter().flat_map(to_cbor).collect()).collect()
}

pub fn contents() -> Vec<Vec<u8>> {
    let said = [
        vec![tick("seal")],
        vec![tick("look"), Edit::Value("temperature".into(), "185 °C".into())],
        vec![Edit::Insert(0, "slow\nbut sure".into())],
    ];
    said.into_iter().map(|said| sheet(said).content().to_bytes()).collect()
}
