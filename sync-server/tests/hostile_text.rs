//! Text that attacks whoever reads or keeps it: markup in every field that comes from plant folders, terminals and people, and ids that are no
//! ids in every address. Pages stay the pages of the templates, and the database stays as it was.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use common::Edge;
use common::pen::Pen;
use html5gum::{Token, Tokenizer};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE};
use serde_json::{Value, json};
use shared::id::*;
use shared::kind::record::*;
use shared::kind::{Body, Meaning, Role, Statement};
use shared::log::entry::Signing;
use shared::log::{Draft, Stream, Subject};
use shared::part11::boxes::Stretching;
use shared::time::MINUTE_MS;
use sync_server::config::Config;
use sync_server::core::people::Signer;
use sync_server::core::{Core, Machine};

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/demo-plant");
const TEMPLATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");

/// Ends whatever it may stand in, and begins an element and an attribute; `[of]` says which field it came from.
fn attack(of: &str) -> String {
    format!("[{of}]\"' onxss=1 x='</title></style>--><xss onxss=1>")
}

fn id<T: std::str::FromStr<Err = BadId>>(text: &str) -> T {
    text.parse().unwrap()
}

/// Columns that hold what people wrote.
const FREE: [&str; 12] = [
    "sites.name",
    "work_units.name",
    "equipment.name",
    "personnel_classes.name",
    "people.printed_name",
    "documents.title",
    "documents.owner",
    "versions.change_summary",
    "versions.impact_reason",
    "requirements.title",
    "exemptions.reason",
    "history.source",
];

/// Ids of the demo plant that become attacks wherever they stand.
const IDS: [&str; 6] = ["maria", "R-0042", "SOP-0042", "v6", "SEAL", "sealing-operator"];

/// The demo plant with an attack in every text of a table.
fn hostile_plant() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(Path::new(DEMO), folder.path());
    for file in std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_none_or(|ending| ending != "csv") {
            continue;
        }
        let table = file.file_stem().unwrap().to_string_lossy().into_owned();
        let mut reader = csv::Reader::from_path(&file).unwrap();
        let header = reader.headers().unwrap().clone();
        let rows: Vec<csv::StringRecord> = reader.into_records().map(Result::unwrap).collect();
        let mut writer = csv::Writer::from_path(&file).unwrap();
        writer.write_record(&header).unwrap();
        for row in &rows {
            let cells = row.iter().zip(&header).map(|(cell, column)| hostile_cell(&format!("{table}.{column}"), cell));
            writer.write_record(cells).unwrap();
        }
    }
    folder
}

fn hostile_cell(column: &str, cell: &str) -> String {
    if FREE.contains(&column) && !cell.is_empty() {
        return attack(column);
    }
    let part = |part: &str| if IDS.contains(&part.trim()) { attack(part.trim()) } else { part.to_owned() };
    cell.split(';').map(part).collect::<Vec<_>>().join(";")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap().map(|file| file.unwrap()) {
        let target = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            copy(&file.path(), &target)
        } else {
            std::fs::copy(file.path(), target).unwrap();
        }
    }
}

/// A server with that plant, and with records in which everything that a terminal or a person may write is an attack.
async fn hostile_server() -> Edge {
    common::with_cryptography();
    let data = tempfile::tempdir().unwrap();
    let core = std::sync::Arc::new(Core::open(data.path(), std::sync::Arc::new(Machine)).unwrap());
    core.import(hostile_plant().path(), false, &attack("account")).unwrap();
    let maria = attack("maria");
    let mut verifier = None;
    for person in ["helga", "sven", "jonas", "ana", &maria] {
        let proof = attack("identity_proof");
        let secret = "a secret of theirs";
        core.set_up_signing(&id(person), secret, &proof, verifier.as_ref(), Stretching::TESTS).unwrap();
        verifier = Some(signer("helga"));
    }
    core.withdraw_assessor(&id("jonas"), &id(&attack("R-0042")), &attack("withdrawn"), &signer("helga")).unwrap();
    terminal_writes(&core, &maria);
    core.rule(&id(&maria), true, &attack("ruling"), &signer("helga")).expect("something of maria's is on hold");
    core.revoke_kiosk(&id(&attack("K5")), &attack("revoked"), None).unwrap();
    core.badge_lost(&id("ana"), None, &attack("badge_lost_here"), &signer("helga")).unwrap();
    Edge::over(data, core, Config::local()).await
}

fn signer(person: &str) -> Signer {
    Signer { person: id(person), secret: "a secret of theirs".into() }
}

fn terminal_writes(core: &Core, maria: &str) {
    let mut pen = Pen::enrol(core, &attack("K3"), &attack("SEAL"), 3);
    Pen::enrol(core, &attack("K5"), "LABEL", 5);
    pen.log.stream = Stream::record(&id("SITE1"));
    let about = About {
        requirement: id(&attack("R-0042")),
        document: Some(id(&attack("SOP-0042"))),
        version: Some(id(&attack("v6"))),
    };
    let check = CheckSigned {
        about: about.clone(),
        check: id("C-0042"),
        worksheet: WorksheetId([0; 32]),
        edits: Vec::new(),
        results: vec![CriterionResult { passed: true, measured: Some(attack("measured")) }],
        outcome: Outcome::Passed,
        content: Vec::new(),
        content_digest: Digest32::of(b""),
    };
    let entry = EntryId([7; 32]);
    let coached = (about.clone(), id("Q-0042"));
    let until = core.now().plus_ms(60 * MINUTE_MS);
    let read = Read { about, content: None, language: id("en"), seconds: 412, reached_end: true };
    let lifted = LockoutLifted { person: id(maria), forgives: vec![entry], reason: attack("lockout_lifted") };
    let correction = Correction {
        entry,
        what: attack("corrected"),
        old: attack("old"),
        new: attack("new"),
        reason: attack("correction"),
    };
    let bodies: Vec<Body> = vec![
        check.into(),
        read.into(),
        DayPass { until, identification: attack("identification") }.into(),
        BadgeLost { badge: BadgeHash([7; 32]), reason: attack("badge_lost_there"), since: None }.into(),
        lifted.into(),
        correction.into(),
        CoSigned { decision: entry, reason: attack("co_signed") }.into(),
        Coaching { about: coached.0, quiz: coached.1, reason: attack("coached") }.into(),
        SupervisedStart { session: core.act(), task: id(&attack("task")), trainer: id(&attack("trainer")) }.into(),
    ];
    for (subject, body) in bodies.into_iter().flat_map(|body| [(maria, body.clone()), ("[nobody]<xss onxss=1>", body)])
    {
        let own_name = matches!(body, Body::CheckSigned(_));
        let mut draft = Draft::new(Subject::person(&id(subject)), Statement { act: core.act(), body });
        for (person, role, meaning) in
            [(maria, Role::Operator, Meaning::Performed), ("jonas", Role::Assessor, Meaning::Assessed)]
        {
            let signing = Signing {
                signer: id(person),
                printed_name: Some(core.plant().printed_name(&id(person)))
                    .filter(|_| own_name)
                    .unwrap_or_else(|| attack("signers_printed_name")),
                role,
                meaning,
                signed_at: core.now(),
                shown: None,
                credential: None,
            };
            draft = draft.signed_by(signing, &core.unlock(&signer(person)).unwrap());
        }
        pen.write_draft(core, &draft);
    }
    pen.call(core, &pen.written);
}

/// An element's name and its attributes.
type Element = (String, BTreeMap<String, String>);

/// The elements of a page, in their order, and its text.
fn parts(page: &str) -> (Vec<Element>, String) {
    let (mut elements, mut text) = (Vec::new(), String::new());
    let words = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    for token in Tokenizer::new(page).map(Result::unwrap) {
        match token {
            Token::StartTag(tag) => {
                let attributes = tag.attributes.iter().map(|(name, value)| (words(name), words(value)));
                elements.push((words(&tag.name), attributes.collect()));
            }
            Token::String(said) => text.push_str(&words(&said)),
            Token::Comment(said) => panic!("a comment, which no page has: {}", words(&said)),
            _ => {}
        }
    }
    (elements, text)
}

/// What the templates themselves are made of: names of elements, and of their attributes.
fn of_templates() -> BTreeSet<String> {
    // What one template puts into a tag of another.
    let mut names = BTreeSet::from(["aria-current".to_owned()]);
    for file in std::fs::read_dir(TEMPLATES).unwrap().map(|file| file.unwrap().path()) {
        let template = std::fs::read_to_string(&file).unwrap();
        for way in ["|safe", "| safe", "|escape", "| escape", "escape "] {
            assert!(!template.contains(way), "{}: {way:?} lets text become markup", file.display());
        }
        let unquoted = |after: &str| !after.split("}}").next().is_some_and(|said| said.ends_with("|urlencode_strict "));
        assert!(!template.split("={{").skip(1).any(unquoted), "{}: a value without quotes", file.display());
        // What stands between the templates' own brackets is no markup; in a tag it may stand before an attribute's name.
        let plain = without_code(&template);
        for (name, attributes) in parts(&plain).0 {
            names.extend(attributes.into_keys());
            names.insert(name);
        }
    }
    names
}

/// A template without what the template library puts in.
fn without_code(template: &str) -> String {
    let mut plain = String::new();
    let mut rest = template;
    while let Some(begin) = rest.find("{") {
        let (before, from) = rest.split_at(begin);
        plain.push_str(before);
        let end = match from.get(1..2) {
            Some("{") => from.find("}}"),
            Some("%") => from.find("%}"),
            _ => None,
        };
        match end {
            Some(end) => rest = &from[end + 2..],
            None => {
                plain.push('{');
                rest = &from[1..];
            }
        }
    }
    plain + rest
}

#[tokio::test]
async fn what_is_written_anywhere_becomes_no_markup_on_any_page() {
    let edge = hostile_server().await;
    let session = edge.session().await;
    let known = of_templates();
    let mut shown = String::new();
    let mut open: Vec<String> =
        ["/", "/?refresh=off", "/people", "/login", "/recovery", "/nowhere", "/set-up"].map(String::from).into();
    for odd in ["/people?q=", "/people?after=", "/people/", "/kiosks/", "/imports/", "/set-up?token=", "/"] {
        open.push(format!("{odd}{}", percent(&attack("address"))));
    }
    let mut seen = BTreeSet::new();
    while let Some(address) = open.pop() {
        if !seen.insert(address.clone()) || address == "/logout" || address.starts_with("/assets/") {
            continue;
        }
        let (status, page) = edge.page(&address, &session).await;
        assert!(!status.is_server_error(), "{address}: {status}");
        let (elements, text) = parts(&page);
        for (name, attributes) in elements {
            assert!(known.contains(&name), "{address}: an element <{name}> that no template has:\n{page}");
            for (attribute, value) in attributes {
                assert!(
                    known.contains(&attribute),
                    "{address}: {attribute}= on <{name}>, which no template has:\n{page}"
                );
                assert!(attribute != "style" && !attribute.starts_with("on"), "{address}: {attribute}");
                if ["href", "src", "action"].contains(&attribute.as_str()) {
                    assert!(value.starts_with(['/', '#']) && !value.starts_with("//"), "{address}: leads to {value}");
                    open.extend(Some(value.split('#').next().unwrap().to_owned()).filter(|path| !path.is_empty()));
                }
            }
        }
        shown.push_str(&text);
    }
    assert!(seen.len() > 60, "the walk saw the pages: {}", seen.len());
    for field in [
        "sites.name",
        "work_units.name",
        "personnel_classes.name",
        "people.printed_name",
        "requirements.title",
        "history.source",
        "account",
        "identity_proof",
        "K3",
        "K5",
        "maria",
        "R-0042",
        "SOP-0042",
        "v6",
        "SEAL",
        "identification",
        "badge_lost_there",
        "lockout_lifted",
        "corrected",
        "old",
        "new",
        "correction",
        "co_signed",
        "coached",
        "task",
        "trainer",
        "nobody",
        "signers_printed_name",
        "ruling",
        "address",
    ] {
        assert!(shown.contains(&format!("[{field}]")), "{field} was on no page: the test looked at too little");
    }
    edge.running.stop().await;
}

/// Every byte of it as an address may hold it.
fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// What is no id of anything here: quotes and commands of SQL, ends of text, other scripts, ids of other kinds, too much.
fn odd_ids() -> Vec<String> {
    let plain = [
        "'",
        "' OR '1'='1",
        "'; DROP TABLE entry; --",
        "maria' UNION SELECT bytes FROM entry --",
        "%' OR person LIKE '%",
        "\"",
        "x' AND randomblob(1000000000)--",
        "%",
        "_",
        "*",
        "../../server.key",
        "-1",
        "18446744073709551616",
        "NaN",
        "null",
        "王丽华",
        "\u{202e}airam",
        "a\0b",
        "\n",
        " ",
        "$(id)",
        "SOP-0042",
        "00000000000000000000000000000000",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ];
    let mut odd: Vec<String> = plain.iter().map(|text| percent(text)).collect();
    odd.extend(["%FF%FE".into(), "%C3%28".into(), "%".into(), "%zz".into(), "a".repeat(5000)]);
    odd
}

/// Every address of the router, from its source: none is forgotten.
fn routes() -> Vec<&'static str> {
    let source = include_str!("../src/router.rs");
    let routes: Vec<&str> = source.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(routes.len() > 35, "{routes:?}");
    routes
}

/// Every row of every table, as one digest a table.
fn database(edge: &Edge) -> BTreeMap<String, Digest32> {
    let connection = rusqlite::Connection::open(edge.data.path().join("server.sqlite")).unwrap();
    let mut names = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let digest = |name: &String| {
        let mut all = connection.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let columns = all.column_count();
        let rows = all.query_map([], |row| {
            let cells: Vec<rusqlite::types::Value> =
                (0..columns).map(|place| row.get(place)).collect::<Result<_, _>>()?;
            Ok(format!("{cells:?}"))
        });
        let mut rows: Vec<String> = rows.unwrap().map(Result::unwrap).collect();
        rows.sort();
        Digest32::of(rows.join("\n").as_bytes())
    };
    names.iter().map(|name| (name.clone(), digest(name))).collect()
}

#[tokio::test]
async fn no_odd_id_in_any_address_fails_the_server_or_changes_its_database() {
    let edge = Edge::with(true, Config { wrong_per_minute: usize::MAX, ..Config::local() }).await;
    let (session, secret) = (edge.session().await, "a secret of theirs");
    edge.core.set_up_signing(&id("helga"), secret, "identity card", None, Stretching::TESTS).unwrap();
    let before = database(&edge);
    assert!(before.len() > 5 && before.contains_key("entry"), "{before:?}");
    let ask = async |method: Method, address: &str, body: Option<(&str, String)>| {
        let mut request = edge.client.request(method.clone(), edge.at(address)).header(COOKIE, &session);
        if let Some((kind, body)) = body {
            request = request.header(CONTENT_TYPE, kind).header("sec-fetch-site", "same-origin").body(body);
        }
        let status = request.send().await.unwrap().status();
        assert!(!status.is_server_error(), "{method} {address}: {status}");
        status
    };
    let mut asked = 0;
    for route in routes().into_iter().filter(|route| route.contains('{')) {
        for odd in odd_ids() {
            let address: String = route
                .split('{')
                .map(|part| part.split_once('}').map_or(part.to_owned(), |(_, rest)| format!("{odd}{rest}")))
                .collect();
            for method in [Method::GET, Method::POST, Method::PUT] {
                let body = (method != Method::GET).then(|| ("application/json", r#"{"reason":"x"}"#.to_owned()));
                let status = ask(method.clone(), &address, body).await;
                assert!(status.is_client_error(), "{method} {address}: {status}");
                asked += 1;
            }
        }
    }
    for odd in odd_ids() {
        for address in
            ["/people?q=", "/people?after=", "/people?q=m&after=", "/?refresh=", "/set-up?token=", "/?nothing="]
        {
            ask(Method::GET, &format!("{address}{odd}"), None).await;
            asked += 1;
        }
    }
    // In bodies: each text of what an act asks for, in turn.
    let by = json!({"person": "helga", "secret": "a secret of theirs"});
    let bodies = [
        ("/api/v1/kiosks/enrol-codes", json!({"name": "K9", "work_units": ["SEAL"], "replaces": "K3"})),
        (
            "/api/v1/qualifications/query",
            json!({"person": "maria", "document": "SOP-0042", "at": "2026-03-02T06:40:00Z", "known_to": "K3"}),
        ),
        ("/api/v1/badges/lost", json!({"person": "maria", "reason": "x", "since": "2026-03-02T06:40:00Z", "by": by})),
        ("/api/v1/assessors/withdraw", json!({"person": "jonas", "requirement": "R-0042", "reason": "x", "by": by})),
        ("/api/v1/rulings", json!({"person": "maria", "accepted": true, "reason": "x", "by": by})),
        ("/api/v1/rulings/branch", json!({"branch": "00", "accepted": true, "reason": "x", "by": by})),
        (
            "/api/v1/signing-set-up",
            json!({"person": "nobody", "secret": "a secret of theirs", "identity_proof": "x", "verifier": by}),
        ),
        ("/api/v1/kiosks/K3/revoke", json!({"reason": "x", "by": by})),
        ("/api/v1/documents/SOP-0042/versions/v6/withdraw", json!({"reason": "x", "by": by})),
    ];
    let odd = ["'; DROP TABLE entry; --", "' OR '1'='1", "a\u{0}b", "\u{202e}", "", " ", "-1", "../../server.key"];
    for (address, body) in bodies {
        // Free text may be anything, and a wrong secret is counted.
        let free = ["reason", "secret", "identity_proof"];
        for place in places(&body, "").iter().filter(|place| !free.iter().any(|name| place.ends_with(name))) {
            for odd in odd {
                let mut body = body.clone();
                *body.pointer_mut(place).unwrap() = Value::from(odd);
                let status = ask(Method::POST, address, Some(("application/json", body.to_string()))).await;
                assert!(status.is_client_error(), "{address} {body}: {status}");
                asked += 1;
            }
        }
    }
    for (address, form) in [
        ("/people/maria/badge", "person=ODD&secret=ODD&since=ODD&reason=ODD"),
        ("/kiosks/K3/retire", "first=ODD&first_secret=ODD&second=ODD&second_secret=ODD&reason=ODD"),
        ("/recovery", "first=ODD&first_secret=ODD&second=ODD&second_secret=ODD&reason=ODD"),
        ("/imports/00000000000000000000000000000000", "person=ODD&secret=ODD&reason=ODD"),
        ("/login", "token=ODD"),
    ] {
        for odd in odd_ids() {
            let form = ("application/x-www-form-urlencoded", form.replace("ODD", &odd));
            let status = ask(Method::POST, address, Some(form)).await;
            assert!(status.is_client_error(), "{address} {odd}: {status}");
            asked += 1;
        }
    }
    assert!(asked > 1000, "{asked}");
    assert_eq!(database(&edge), before, "something was written");
    assert!(edge.core.verify(true).unwrap().is_clean());
    edge.running.stop().await;
}

/// Where in it texts stand.
fn places(value: &Value, at: &str) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| places(value, &format!("{at}/{name}"))).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(place, item)| places(item, &format!("{at}/{place}"))).collect()
        }
        Value::String(_) => vec![at.to_owned()],
        _ => Vec::new(),
    }
}
