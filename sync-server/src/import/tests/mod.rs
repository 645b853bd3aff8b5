//! A small good folder, and what must be said of folders that are not.

mod wrong;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use shared::id::*;
use shared::kind::Body;
use shared::kind::plant::*;
use shared::log::{LogId, Stream};
use shared::plant::fold::{PlantFact, Provenance};
use shared::plant::{InForce, Plant};
use shared::time::{HybridTime, Timestamp};

use super::*;

const PDF: &str = "%PDF-1.7\n1 0 obj\nendobj\n%%EOF\n";

/// The good folder, file by file.
const GOOD: &[(&str, &str)] = &[
    (
        "sites.csv",
        "site,name,time_zone,change_time\nHAL,\"Halle, Werk 2\",Europe/Berlin,\nHCM,Hồ Chí Minh,Asia/Ho_Chi_Minh,07:30\n",
    ),
    (
        "work_units.csv",
        "site,area,work_center,work_unit,name\nHAL,Packaging,L4,L4-seal,Sealer\nHCM,Đóng gói,H1,H1-seal,\n",
    ),
    ("equipment.csv", "equipment,work_unit,name\nE-1,L4-seal,Heat sealer\n"),
    ("shifts.csv", "shift,work_center,start,end\nlate,L4,14:00,22:00\nearly,L4,05:30,14:00\nnight,L4,22:00,05:30\n"),
    ("personnel_classes.csv", "personnel_class,name\noperator,Operator\nlead,Line lead\n"),
    (
        "people.csv",
        "badge,person,printed_name,site,language,email,active_from,active_until,leave_from,leave_until\r\n\
         04A1B2C3,maria,\"Müller, Maria \"\"Mia\"\"\",HAL,de,maria@example.org,2020-01-01,,2026-07-01,2026-08-01\r\n\
         04A1B2C4,jonas,Jonas Weiß,HAL,de,,,,,\r\n\
         04A1B2C5,nguyen,Nguyễn Thị Ánh,HCM,vi,,,,,\r\n\
         04A1B2C6,李明,李明,HCM,zh-Hans,,,,,\r\n",
    ),
    ("person_sites.csv", "person,site,from,until\njonas,HCM,2026-01-01,2026-06-01\n"),
    (
        "class_members.csv",
        "person,personnel_class,from,until\nmaria,operator,2020-01-01,\njonas,lead,,\nnguyen,operator,,\n李明,operator,2024-01-01,2025-01-01\n李明,operator,2025-02-01,\n",
    ),
    ("roles.csv", "person,role,scope,from,until\njonas,supervisor,L4,,\njonas,quality,,,\n"),
    ("crews.csv", "person,shift,supervisor,from,until\nmaria,early,jonas,,\njonas,early,,,\n"),
    ("categories.csv", "category,window_days\nSOP,14\nprocedure,30\n"),
    ("documents.csv", "document,title,category,owner,site\nSOP-0042,Seal pouch,SOP,QA,HAL\nSOP-0001,Hygiene,SOP,QA,\n"),
    (
        "versions.csv",
        "document,version,approved_at,effective_from,training_impact,change_summary,content,language,withdrawn_at,approved_by,impact_reason,in_flight,minutes\n\
         SOP-0042,v6,2024-01-10T08:00:00Z,2024-02-01,full,,docs/seal-v6.md,de,,,,,20\n\
         SOP-0042,v7,2026-02-20T08:00:00Z,2026-03-02,read;quiz,Neue Temperatur,docs/seal-v7.md,de,,eva,,stop,6\n\
         SOP-0042,v7,2026-02-20T08:00:00Z,2026-03-02,quiz;read,\"Nhiệt độ mới, \"\"185\"\"\",docs/seal-v7.vi.md,vi,,eva,,stop,6\n\
         SOP-0001,A,2023-01-01,2023-01-01,none,,docs/hygiene.pdf,,,,first issue,,\n\
         SOP-0001,B,2023-05-01,2023-06-01,full,Neu,docs/hygiene.pdf,,2023-07-01,,,,\n",
    ),
    ("docs/seal-v6.md", "# Seal\r\n## Schritt 1: Öffnen\r\nauf\r\n## Schritt 2: Siegeln\r\n180 °C\r\n"),
    ("docs/seal-v7.md", "# Seal\n## Schritt 1: Öffnen\nauf\n## Schritt 2: Siegeln\n185 °C\n## Schritt 3: Prüfen\n"),
    ("docs/seal-v7.vi.md", "# Hàn\n## Bước 1\n## Bước 2\n185 °C\n## Bước 3\n"),
    ("docs/hygiene.pdf", PDF),
    (
        "requirements.csv",
        "requirement,title,document,category,activities,validity_months,currency,window_days,prerequisites,equipment,initial_assessors\n\
         seal,Seal pouch,SOP-0042,procedure,read;quiz:seal-quiz;runs:2;check:seal-check,12,runs:3/90,14,gxp,E-1,jonas\n\
         gxp,GxP basics,,initial,briefing:gxp-1;external,24,,,,,\n\
         hygiene,Hygiene,SOP-0001,process,read,,hours:8/30,,,,\n",
    ),
    ("matrix.csv", "personnel_class,requirement\noperator,seal\noperator,gxp\nlead,hygiene\n"),
    (
        "tasks.csv",
        "task,title,work_units,criticality,offline_limit_hours,lot_required\nseal-pouch,Seal pouch,L4-seal; H1-seal,critical,12,TRUE\nclean,Clean,L4-seal,routine,,\n",
    ),
    ("task_requirements.csv", "task,requirement\nseal-pouch,seal\nseal-pouch,gxp\nclean,hygiene\n"),
    ("task_classes.csv", "task,personnel_class,work_unit\nseal-pouch,operator,L4-seal\nseal-pouch,lead,\n"),
    ("assessors.csv", "person,requirement,from,until\njonas,seal,2024-01-01,\n"),
    (
        "exemptions.csv",
        "person,requirement,version,reason,approved_by,from,until\nnguyen,seal,v6,\"Prior, equivalent training\",eva,2024-03-01,\n",
    ),
    ("policies.toml", "[lease]\ncritical_offline_hours = 12\n\n[signing]\nprofile = \"eu-2025\"\n"),
    (
        "quizzes/seal-quiz.toml",
        "title = \"Siegeln\"\npass_percent = 80\nask = 2\nmax_attempts = 3\n\n\
         [[question]]\ntext = \"Temperatur?\"\nanswers = [\"180 °C\", \"185 °C\"]\ncorrect = 2\n\n\
         [[question]]\ntext = \"Was prüfen?\"\nanswers = [\"Naht\", \"Farbe\", \"Druck\"]\ncorrect = [\"Naht\", \"Druck\"]\n",
    ),
    (
        "checks/seal-check.toml",
        "title = \"Siegeln\"\n\n[[criterion]]\ntext = \"Naht dicht\"\nkind = \"pass_fail\"\ncritical = true\n\n\
         [[criterion]]\ntext = \"Temperatur\"\nkind = \"measured\"\nunit = \"°C\"\nmin = 183.50\nmax = 186\n",
    ),
    (
        "history.csv",
        "person,requirement,version,activity,completed_at,assessor,score,source\n\
         maria,seal,v6,read,2024-02-02,,,paper\n\
         maria,seal,,runs,2024-02-03T08:00:00+01:00,jonas,,paper\n\
         maria,seal,,runs,2024-02-03T08:00:00+01:00,jonas,,paper\n\
         maria,seal,,quiz,2024-02-03T07:00:00Z,,40,paper\n\
         nguyen,gxp,,briefing,2024-02-03,,,\n",
    ),
];

/// A plant folder of a test's own.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn good() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        GOOD.iter().for_each(|(file, text)| folder.put(file, text.as_bytes()));
        folder
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn put(&self, file: &str, bytes: &[u8]) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn text(&self, file: &str) -> String {
        fs::read_to_string(self.path().join(file)).unwrap()
    }

    /// Replaces the first occurrence of `old` in a file, which must be there.
    pub fn edit(&self, file: &str, old: &str, new: &str) {
        let text = self.text(file);
        assert!(text.contains(old), "{file} lacks {old:?}");
        self.put(file, text.replacen(old, new, 1).as_bytes());
    }
}

pub fn badge(number: &str) -> BadgeHash {
    BadgeHash(Digest32::of(number.trim().to_uppercase().as_bytes()).0)
}

/// The plant after importing the folder into nothing.
pub fn plant_of(folder: &PlantFolder) -> Plant {
    let mut plant = Plant::default();
    write(&mut plant, folder.bodies(&badge), 0);
    plant
}

fn write(plant: &mut Plant, bodies: Vec<(Stream, shared::log::Subject, Body)>, ms: i64) {
    for (tick, (stream, subject, body)) in (0_u32..).zip(bodies) {
        let id = EntryId::of(format!("{ms} {tick}").as_bytes());
        let log = LogId { device: DeviceKey([0; 32]), incarnation: Incarnation([0; 16]), stream };
        let order = (HybridTime { ms, tick }, log, u64::from(tick), id);
        plant.apply(&PlantFact {
            id,
            order,
            subject: subject.to_string(),
            provenance: Provenance::SetUp,
            body: Some(body),
        });
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

#[test]
fn k2_a_good_folder_becomes_the_plant_it_describes() {
    let folder = read(Folder::good().path()).unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert_eq!(folder.warnings, Vec::<String>::new());
    let plant = plant_of(&folder);
    assert_eq!(plant.sites["HAL"].change_minute, 5 * 60 + 30, "the earliest shift's start");
    assert_eq!(plant.sites["HCM"].change_minute, 7 * 60 + 30);
    assert_eq!(plant.people["maria"].printed_name, "Müller, Maria \"Mia\"");
    assert_eq!(plant.badges[&badge("04a1b2c6")].as_str(), "李明");
    assert_eq!(
        plant.people["jonas"].further_sites[0].span.from,
        Some(at("2026-01-01T00:30:00Z")),
        "the further site's clock"
    );
    let document = &plant.documents["SOP-0042"];
    let InForce::Version(v7) = document.in_force(at("2026-03-02T04:30:00Z")) else { panic!("v7 is in force") };
    assert_eq!(v7.id().as_str(), "v7");
    assert_eq!(v7.approved.impact, Impact::Some(vec![ActivityKind::Read, ActivityKind::Quiz]));
    let draft = document.draft(v7.id()).unwrap();
    assert_eq!((draft.contents.len(), draft.changed_steps.as_slice()), (2, &["2".to_owned(), "3".to_owned()][..]));
    assert!(matches!(plant.documents["SOP-0001"].in_force(at("2026-01-01T00:00:00Z")), InForce::Withdrawn(_)));
    assert_eq!(plant.requirements["seal"].activities.len(), 4);
    assert_eq!(plant.tasks["seal-pouch"].classes.len(), 2);
    assert!(plant.tasks["seal-pouch"].lot_required);
    assert_eq!(plant.policy.lease.critical_offline_hours, 12);
    assert_eq!(folder.answers["seal-quiz"], [vec![1], vec![0, 2]]);
    let measure = plant.checks["seal-check"].criteria[1].measure.clone().unwrap();
    assert_eq!((measure.min.as_deref(), measure.max.as_deref()), (Some("183.50"), Some("186")));
    let withdrawal = folder.bodies(&badge).into_iter().find_map(|(_, _, body)| match body {
        Body::VersionWithdrawn(withdrawn) => Some(withdrawn.tasks),
        _ => None,
    });
    assert_eq!(withdrawal.unwrap(), [TaskId::new("clean").unwrap()], "A14: the tasks that stop");
}

#[test]
fn k5_a_second_import_changes_nothing_and_a_changed_row_is_one_entry() {
    let folder = Folder::good();
    let first = read(folder.path()).unwrap();
    let mut plant = plant_of(&first);
    let none = difference(first.bodies(&badge), &plant);
    assert_eq!((none.new_or_changed.len(), none.unchanged, none.note()), (0, plant.rows.len(), None));

    folder.edit("people.csv", "Jonas Weiß", "Jonas Weiss");
    folder.edit("versions.csv", "B,2023-05-01", "B,2023-05-02");
    let changed = difference(read(folder.path()).unwrap().bodies(&badge), &plant);
    let kinds: Vec<_> = changed.new_or_changed.iter().map(|(_, _, body)| body.kind()).collect();
    assert_eq!(
        kinds,
        ["person_set", "version_approved", "version_withdrawn"],
        "a corrected approval doesn't bring a withdrawn version back"
    );
    write(&mut plant, changed.new_or_changed, 1);
    assert!(matches!(plant.documents["SOP-0001"].in_force(at("2026-01-01T00:00:00Z")), InForce::Withdrawn(_)));
    assert!(difference(read(folder.path()).unwrap().bodies(&badge), &plant).new_or_changed.is_empty());

    folder.edit("matrix.csv", "lead,hygiene\n", "");
    let less = difference(read(folder.path()).unwrap().bodies(&badge), &plant);
    assert!(less.new_or_changed.is_empty());
    assert_eq!(less.note().unwrap(), "1 rows of the plant are not in the folder and stay as they are (matrix 1)");
}

#[test]
fn k5_what_people_signed_and_a_folder_cannot_say_stays() {
    let folder = read(Folder::good().path()).unwrap();
    let mut plant = plant_of(&folder);
    let approved = plant.documents["SOP-0042"].version(&VersionId::new("v7").unwrap()).unwrap().approved.clone();
    let signed = VersionApproved { initial_assessors: vec![PersonId::new("jonas").unwrap()], ..approved };
    write(
        &mut plant,
        vec![(Stream::plant_global(), shared::log::Subject::new("document", "SOP-0042"), signed.into())],
        1,
    );
    assert!(difference(folder.bodies(&badge), &plant).new_or_changed.is_empty());
}

#[test]
fn k2_history_comes_in_order_in_batches_and_only_once() {
    let folder = Folder::good();
    let rows: String =
        (0..3000).map(|n| format!("jonas,gxp,,external,2024-05-{:02},,,Übernahme {}\n", 1 + n % 28, n % 50)).collect();
    folder.put("history.csv", (folder.text("history.csv") + &rows).as_bytes());
    let read_folder = read(folder.path()).unwrap();
    let all: Vec<_> = read_folder.legacy_batches(ActId([1; 16]), &|_| false).collect();
    let of = |person: &str| {
        all.iter().filter(|(p, _)| p.as_str() == person).flat_map(|(_, b)| b.rows.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("maria").iter().map(|row| row.line).collect::<Vec<_>>(), [2, 3, 4, 5]);
    assert_eq!(of("jonas").len(), 3000);
    assert!(of("jonas").is_sorted_by_key(|row| (row.completed_at, row.line)));
    assert!(all.iter().filter(|(p, _)| p.as_str() == "jonas").count() > 5);
    for (_, batch) in &all {
        assert!(Body::from(batch.clone()).size() <= history::MAX_BATCH_BYTES);
    }
    let known: BTreeSet<Digest32> = ["maria", "jonas", "nguyen"]
        .into_iter()
        .flat_map(|p| row_digests(&PersonId::new(p).unwrap(), &of(p)))
        .collect();
    assert_eq!(known.len(), 3005, "two runs at one instant are two runs");
    assert_eq!(read_folder.legacy_batches(ActId([2; 16]), &|digest| known.contains(digest)).count(), 0);
    folder.edit("history.csv", "maria,seal,v6,read", "nguyen,seal,v7,read,2026-03-05,,,\nmaria,seal,v6,read");
    let more = read(folder.path()).unwrap();
    let new: Vec<_> = more.legacy_batches(ActId([3; 16]), &|digest| known.contains(digest)).collect();
    assert_eq!(
        (new.len(), new[0].0.as_str(), new[0].1.rows.len()),
        (1, "nguyen", 1),
        "lines moved; only the new row is new"
    );
}

#[test]
fn k2_the_same_table_in_other_clothes_is_the_same_table() {
    let plain = read(Folder::good().path()).unwrap();
    let folder = Folder::good();
    for (file, text) in GOOD.iter().filter(|(file, _)| file.ends_with(".csv")) {
        let text = format!("\u{feff}{}\r\n\r\n", text.replace("\r\n", "\n").trim_end().replace('\n', "\r\n"));
        folder.put(file, text.as_bytes());
    }
    folder.edit(
        "matrix.csv",
        "personnel_class,requirement\r\noperator,seal",
        "requirement,personnel_class\r\n\"seal\",operator",
    );
    folder.edit("matrix.csv", "operator,gxp", "gxp,operator");
    folder.edit("matrix.csv", "lead,hygiene", "hygiene,lead");
    let read_folder = read(folder.path()).unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert_eq!(read_folder.bodies(&badge).len(), plain.bodies(&badge).len());
    assert!(difference(read_folder.bodies(&badge), &plant_of(&plain)).new_or_changed.is_empty());
}

#[test]
fn k2_all_errors_come_at_once_and_in_order() {
    let folder = Folder::good();
    folder.edit("sites.csv", "Europe/Berlin", "Berlin");
    folder.edit("people.csv", "HAL,de,,", "HAL,?,@,");
    folder.edit("matrix.csv", "lead,hygiene", "leed,hygeine");
    folder.edit("history.csv", "maria,seal,v6,read,2024-02-02", "maria,seal,v6,red,2024-02-30");
    let errors = read(folder.path()).unwrap_err();
    let found: Vec<_> =
        errors.iter().map(|e| format!("{}:{}:{}", e.file, e.line, e.column.as_deref().unwrap_or(""))).collect();
    let expected = [
        "history.csv:2:activity",
        "history.csv:2:completed_at",
        "matrix.csv:4:personnel_class",
        "matrix.csv:4:requirement",
        "people.csv:3:email",
        "people.csv:3:language",
        "sites.csv:2:time_zone",
    ];
    assert_eq!(found, expected);
    assert!(errors[2].to_string().contains("did you mean `lead`?"), "{}", errors[2]);
}

#[test]
fn k2_a_content_link_out_of_the_folder_is_refused() {
    let folder = Folder::good();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.md"), "# Secret").unwrap();
    fs::remove_file(folder.path().join("docs/seal-v6.md")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(outside.path().join("secret.md"), folder.path().join("docs/seal-v6.md")).unwrap();
    let errors = read(folder.path()).unwrap_err();
    assert_eq!((errors[0].line, errors[0].column.as_deref()), (2, Some("content")));
    #[cfg(unix)]
    assert!(errors[0].problem.contains("leaves the folder"));
}

#[test]
fn k2_no_path_leads_out_of_the_folder() {
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret.md");
    fs::write(&secret, "# Secret").unwrap();
    let up = format!("{}{}", "../".repeat(40), secret.display());
    for path in [secret.to_str().unwrap(), &up, "docs/../../x.md", "..", "/etc/passwd", "docs\\..\\..\\x.md"] {
        let folder = Folder::good();
        folder.edit("versions.csv", "docs/seal-v6.md", path);
        let errors = read(folder.path()).unwrap_err();
        assert_eq!((errors[0].line, errors[0].column.as_deref()), (2, Some("content")), "{path}");
    }
    // A table, or a folder below, that is a link.
    for linked in ["people.csv", "quizzes"] {
        let folder = Folder::good();
        let real = outside.path().join(linked);
        fs::rename(folder.path().join(linked), &real).unwrap();
        std::os::unix::fs::symlink(&real, folder.path().join(linked)).unwrap();
        assert!(read(folder.path()).is_err(), "{linked} is a link out of the folder");
    }
}

#[test]
fn k2_a_folder_that_is_not_there_is_one_error() {
    let folder = Folder::good();
    let errors = read(&folder.path().join("nowhere")).unwrap_err();
    assert_eq!((errors.len(), errors[0].line), (1, 0));
    assert_eq!(read(&folder.path().join("sites.csv")).unwrap_err().len(), 1);
}

#[test]
fn k2_a_row_too_large_for_an_entry_is_named() {
    let folder = Folder::good();
    folder.edit("versions.csv", "Neue Temperatur", &"ä".repeat(8000));
    let errors = read(folder.path()).unwrap_err();
    assert_eq!((errors.len(), errors[0].file.as_str(), errors[0].line), (1, "versions.csv", 3));
}

#[test]
fn r4_a_roles_scope_is_a_place_by_name_or_path_without_a_warning() {
    for scope in
        ["HAL", "HAL/Packaging", "HAL/Packaging/L4", "HAL/Packaging/L4/L4-seal", "Packaging", "L4-seal", "lead", ""]
    {
        let folder = Folder::good();
        folder.edit("roles.csv", "jonas,supervisor,L4", &format!("jonas,supervisor,{scope}"));
        let read = read(folder.path()).unwrap();
        assert_eq!(read.warnings, Vec::<String>::new(), "{scope}");
        assert_eq!(read.roles[0].row.scope.as_deref(), Some(scope).filter(|scope| !scope.is_empty()));
    }
}

#[test]
fn k2_odd_and_harmless_things_are_warnings() {
    let folder = Folder::good();
    folder.edit(
        "history.csv",
        "maria,seal,v6,read",
        "jonas,hygiene,,read,2022-01-01,,,\njonas,hygiene,,runs,2023-02-01,,,\nmaria,seal,v6,read",
    );
    folder.edit("versions.csv", "first issue", "");
    folder.put("member.csv", b"x");
    let warnings = read(folder.path()).unwrap().warnings;
    let has = |part: &str| assert!(warnings.iter().any(|w| w.contains(part)), "{part}: {warnings:#?}");
    has("history.csv line 2: no version was in force");
    has("history.csv line 3: the requirement doesn't ask");
    has("versions.csv line 5: training impact `none`");
    has("member.csv: is not read");
    assert_eq!(warnings.len(), 4);
}
