//! A plant small enough for an account: one procedure that is read and checked, one task, three people, two who assess.

use std::fs;
use std::path::Path;

use harness::Plant;

use super::said::Name;

pub const OPERATORS: [&str; 3] = ["maria", "ana", "ben"];
pub const ASSESSORS: [&str; 2] = ["jonas", "eva"];
pub const KIOSKS: [&str; 3] = ["K1", "K2", "K3"];
pub const MORNING: &str = "2026-03-01T06:00:00Z";

const FOLDER: [(&str, &str); 15] = [
    ("sites.csv", "site,name,time_zone\nS,Works,Europe/Berlin\n"),
    ("work_units.csv", "site,area,work_center,work_unit\nS,A,L,U\n"),
    ("personnel_classes.csv", "personnel_class,name\nC,Operator\n"),
    (
        "people.csv",
        "person,printed_name,site,language,badge\nmaria,Maria,S,en,01\nana,Ana,S,en,02\nben,Ben,S,en,03\njonas,Jonas,S,en,04\n\
         eva,Eva,S,en,05\nhelga,Helga,S,en,06\ntobias,Tobias,S,en,07\nlukas,Lukas,S,en,08\nhenning,Henning,S,en,09\n",
    ),
    ("class_members.csv", "person,personnel_class\nmaria,C\nana,C\nben,C\n"),
    (
        "roles.csv",
        "person,role\njonas,supervisor\neva,supervisor\nhelga,quality\ntobias,quality\nlukas,author\nhenning,reviewer\n",
    ),
    ("documents.csv", "document,title,category,owner\nD,Seal,procedure,lukas\n"),
    (
        "versions.csv",
        "document,version,approved_at,effective_from,training_impact,change_summary,content,language\n\
         D,1,2024-01-01,2024-01-02,full,New,content/d.md,en\n",
    ),
    ("requirements.csv", "requirement,title,document,category,activities\nR,Seal,D,procedure,read;check:C-1\n"),
    ("matrix.csv", "personnel_class,requirement\nC,R\n"),
    ("tasks.csv", "task,title,work_units,criticality,offline_limit_hours\nT,Seal,U,critical,12\n"),
    ("task_requirements.csv", "task,requirement\nT,R\n"),
    ("checks/C-1.toml", "title = \"Check\"\n[[criterion]]\ntext = \"Does it\"\nkind = \"pass_fail\"\n"),
    ("content/d.md", "# Seal\n\n1. Close it\n"),
    (
        "history.csv",
        "person,requirement,version,activity,completed_at\nmaria,R,1,read,2024-02-01T10:00:00Z\n\
         maria,R,1,check,2024-02-02T10:00:00Z\nana,R,1,read,2024-02-01T10:00:00Z\nana,R,1,check,2024-02-02T10:00:00Z\n",
    ),
];

/// Who assesses, since when and until when: the one file that quality changes.
pub fn write_assessors(folder: &Path, assessors: &[(Name, String, String)]) {
    let rows = assessors.iter().map(|(who, from, until)| format!("{who},R,{from},{until}\n"));
    let rows: String = rows.collect();
    fs::write(folder.join("assessors.csv"), format!("person,requirement,from,until\n{rows}")).unwrap();
}

pub fn write(folder: &Path) {
    for below in ["content", "checks"] {
        fs::create_dir_all(folder.join(below)).unwrap();
    }
    FOLDER.iter().for_each(|(name, text)| fs::write(folder.join(name), text).unwrap());
}

/// The server with everybody's keys, and kiosks that know all there is.
pub fn begin(folder: &Path) -> Plant {
    let mut plant = Plant::from_folder(folder, MORNING);
    plant.set_up_signing(&["helga", "tobias", "lukas", "henning", "jonas", "eva", "maria", "ana", "ben"]);
    KIOSKS.iter().for_each(|kiosk| plant.add_kiosk(kiosk, &["U"]));
    plant.settle();
    plant
}
