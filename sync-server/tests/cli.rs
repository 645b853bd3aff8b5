//! The command line as a script sees it: answers on standard output, exit codes 0, 1, 2, 3.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::Value;
use sync_server::cli::lock::Lock;
use sync_server::core::{Core, Machine};

fn run(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sync-server"));
    command.arg("--data").arg(data).args(arguments).env_remove("LINEPROOF_DATA").output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// A data folder with the demo plant.
fn demo() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    let core = Core::open(data.path(), Arc::new(Machine)).unwrap();
    core.import(&Path::new(env!("CARGO_MANIFEST_DIR")).join("demo-plant"), false, "test").unwrap();
    data
}

#[test]
fn exit_codes_tell_yes_no_wrong_usage_and_could_not_run() {
    let data = demo();
    let asked = |person, at| {
        run(data.path(), &["query", "qualified", "--person", person, "--document", "SOP-0042", "--at", at])
    };
    let yes = asked("maria", "2025-03-03");
    assert_eq!(code(&yes), 0, "{yes:?}");
    assert!(told(&yes).starts_with("Maria Lindner (maria) at 2025-03-03 06:00 CET\nYES"), "{yes:?}");
    let no = asked("maria", "2023-01-01T00:00:00Z");
    assert!(matches!(code(&no), 0 | 1) && told(&no).contains("NO"), "{no:?}");
    assert_eq!(code(&asked("maria", "yesterday")), 2);
    assert_eq!(code(&asked("nobody", "2025-03-03")), 3);
    assert_eq!(code(&run(data.path(), &["query", "qualified"])), 2);
    assert_eq!(code(&run(data.path(), &["no-such-command"])), 2);
    let empty = tempfile::tempdir().unwrap();
    let nothing = run(empty.path(), &["verify"]);
    assert_eq!(code(&nothing), 3);
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0, "a question makes no database");
    assert_eq!(code(&run(data.path(), &["verify", "--rebuild", "--json"])), 0);
}

#[test]
fn u10_every_answer_says_how_complete_the_data_are() {
    let data = demo();
    let none = "No kiosk is enrolled yet";
    assert!(told(&run(data.path(), &["query", "lot", "881"])).contains(none));
    let lot = told(&run(data.path(), &["query", "lot", "881", "--json"]));
    let lot: Value = serde_json::from_str(lot.lines().last().unwrap()).unwrap();
    assert_eq!(lot["watermark"]["kiosks"], 0, "{lot}");
    let file = data.path().join("questions.csv");
    std::fs::write(&file, "person,document,at\nmaria,SOP-0042,2025-03-03\n").unwrap();
    let batch = run(data.path(), &["query", "qualified", "--batch", file.to_str().unwrap()]);
    assert!(String::from_utf8(batch.stderr).unwrap().contains(none));
}

#[test]
fn g3_a_batch_is_answered_in_the_order_asked_like_one_by_one() {
    let data = demo();
    let file = data.path().join("questions.csv");
    let rows = [
        "2025-03-03,SOP-0042,maria",
        "2025-03-03,SOP-0003,ana",
        "2024-01-10T08:00:00+01:00,SOP-0042,maria",
        "x,SOP-0042,maria",
    ];
    std::fs::write(&file, format!("at,document,person\n{}\n", rows.join("\n"))).unwrap();
    let batch = run(data.path(), &["query", "qualified", "--batch", file.to_str().unwrap()]);
    assert_eq!(code(&batch), 0, "{batch:?}");
    let text = told(&batch);
    let answers: Vec<&str> = text.lines().collect();
    assert_eq!(answers[0], "person,document,at,answer,legacy,version_in_force,trained_on");
    assert_eq!(answers.len(), 5);
    for (row, answer) in rows.iter().zip(&answers[1..]).take(3) {
        let [at, document, person] = row.split(',').collect::<Vec<_>>()[..] else { panic!("three columns") };
        let alone = ["query", "qualified", "--person", person, "--document", document, "--at", at, "--json"];
        let alone: Value = serde_json::from_slice(&run(data.path(), &alone).stdout).unwrap();
        let word = alone["answer"].as_str().unwrap();
        assert!(answer.starts_with(&format!("{person},{document},{at},{word},")), "{answer}");
    }
    assert!(answers[4].starts_with("maria,SOP-0042,x,bad_time,"), "{text}");
    let lines = told(&run(data.path(), &["query", "qualified", "--batch", file.to_str().unwrap(), "--json"]));
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(last["summary"]["questions"], 4);
}

#[test]
fn a_table_for_people_holds_no_formula_and_one_for_import_says_that_it_may() {
    let data = demo();
    let file = data.path().join("questions.csv");
    let attacks = ["=HYPERLINK(\"https://evil.example\")", "+1", "-1", "@SUM(A1)", "＝1"];
    let rows: Vec<String> =
        attacks.iter().map(|a| format!("\"{0}\",\"{0}\",\"{0}\"", a.replace('"', "\"\""))).collect();
    std::fs::write(&file, format!("person,document,at\n{}\nmaria,@D,=T()\n", rows.join("\n"))).unwrap();
    let batch = ["query", "qualified", "--batch", file.to_str().unwrap()];
    let table = told(&run(data.path(), &batch));
    let cells: Vec<String> = csv::Reader::from_reader(table.as_bytes())
        .into_records()
        .flat_map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert_eq!(cells.iter().filter(|cell| cell.starts_with('\'')).count(), 3 * attacks.len() + 2, "{table}");
    assert!(!cells.iter().any(|cell| cell.starts_with(['=', '+', '-', '@', '＝'])), "{table}");
    let lines = told(&run(data.path(), &[&batch[..], &["--json"]].concat()));
    assert!(lines.contains("\"person\":\"+1\""), "programs get what they asked: {lines}");

    let folder = data.path().join("plant-copy");
    let exported = told(&run(data.path(), &["export", folder.to_str().unwrap()]));
    assert!(exported.contains("formulas") && exported.contains("as text"), "{exported}");
}

/// Somebody with the file: what the plant's classes say is gone. Gives the entries' names.
fn alter_classes(data: &Path) -> Vec<String> {
    let database = rusqlite::Connection::open(data.join("server.sqlite")).unwrap();
    let guard = "SELECT sql FROM sqlite_schema WHERE name = 'entry_is_never_changed'";
    let guard: String = database.query_row(guard, [], |row| row.get(0)).unwrap();
    database.execute_batch("DROP TRIGGER entry_is_never_changed").unwrap();
    let alter = "UPDATE entry SET bytes = zeroblob(9) WHERE kind = 'class_set' RETURNING lower(hex(id))";
    let mut altered = database.prepare(alter).unwrap();
    let altered = altered.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    database.execute_batch(&guard).unwrap();
    altered
}

#[test]
fn r1_verify_names_what_was_altered_also_where_no_server_opens_on_it() {
    let data = demo();
    let altered = alter_classes(data.path());
    assert!(altered.len() > 1);

    let refused = run(data.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let why = String::from_utf8(refused.stderr.clone()).unwrap();
    assert_eq!(code(&refused), 3, "{why}");
    assert!(why.contains("nothing was changed") && why.contains("sync-server verify --data"), "{why}");
    for arguments in [&["verify"][..], &["verify", "--rebuild"]] {
        let found = run(data.path(), arguments);
        assert_eq!(code(&found), 1, "{found:?}");
        let found = told(&found);
        assert!(altered.iter().all(|id| found.contains(&format!("{id}: its bytes were altered"))), "{found}");
        assert!(found.contains(&format!(", {} findings", altered.len())), "{found}");
    }
}

#[test]
fn beside_a_running_server_questions_work_and_writing_is_refused_with_another_way() {
    let data = demo();
    let mut lock = Lock::take(data.path(), "").unwrap();
    lock.name("the server at https://localhost:8443").unwrap();
    let revoked = run(data.path(), &["kiosk", "revoke", "K3", "--reason", "lost"]);
    assert_eq!(code(&revoked), 3);
    let why = String::from_utf8(revoked.stderr).unwrap();
    assert!(why.contains("https://localhost:8443") && why.contains("POST /api/v1/kiosks/K3/revoke"), "{why}");
    assert_eq!(code(&run(data.path(), &["verify"])), 0);
    let made = run(data.path(), &["kiosk", "enrol-code", "--work-unit", "SEAL", "--json"]);
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!((made["code"].as_str().unwrap().len(), made["name"].as_str()), (14, Some("K1")));
    drop(lock);
    assert_eq!(code(&run(data.path(), &["kiosk", "revoke", "K3", "--reason", "lost"])), 3, "no such kiosk");
}

#[test]
fn every_command_shows_an_example() {
    let data = tempfile::tempdir().unwrap();
    for command in [
        "serve",
        "import",
        "export",
        "kiosk enrol-code",
        "kiosk list",
        "kiosk revoke",
        "query qualified",
        "query lot",
        "verify",
        "signing set-up",
        "doctor",
        "backup",
        "escrow",
        "restore",
        "recover",
        "fork list",
        "fork rule",
        "config print",
        "version",
    ] {
        let mut words: Vec<&str> = command.split(' ').collect();
        words.push("--help");
        let help = run(data.path(), &words);
        assert_eq!(code(&help), 0);
        assert!(
            told(&help).contains("Example") && told(&help).contains(&format!("sync-server {command}")),
            "{command}"
        );
    }
}
