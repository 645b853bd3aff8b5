//! A small valid folder: every file of the format, a few rows each, no quoted cells.

use std::fs;
use std::path::Path;

use super::edit::write;

/// Writes the folder; `folder` should be empty. Panics where the disk does.
pub fn good(folder: &Path) {
    for below in ["content", "quizzes", "checks"] {
        fs::create_dir_all(folder.join(below)).unwrap_or_else(|error| panic!("{below}: {error}"));
    }
    for (file, text) in FILES {
        write(folder, file, text.as_bytes());
    }
    write(folder, "content/sop-2-v1.pdf", &crate::generate::pdf());
}

/// Line 1 is the header: [`super::all`] counts on the lines as they stand here.
const FILES: [(&str, &str); 26] = [
    (
        "sites.csv",
        "site,name,time_zone,change_time\n\
         S1,Werk Aachen,Europe/Berlin,06:00\n\
         S2,Nhà máy Hà Nội,Asia/Ho_Chi_Minh,\n",
    ),
    (
        "work_units.csv",
        "site,area,work_center,work_unit,name\n\
         S1,PACK,L1,SEAL,Sealer\n\
         S1,PACK,L1,FILL,Filler\n\
         S2,PACK-2,L2,LABEL,Labeller\n",
    ),
    ("equipment.csv", "equipment,work_unit,name\nEQ-1,SEAL,Sealer 1\n"),
    ("personnel_classes.csv", "personnel_class,name\nOPERATOR,Operator\nPACKER,Packer\n"),
    (
        "people.csv",
        "person,printed_name,site,language,badge,email,active_from,active_until,leave_from,leave_until\n\
         maria,Maria Müller,S1,de,04A1B2C3,maria@plant.example,2024-01-08,,,\n\
         jonas,Jonas Weber,S1,de,04A1B2C4,,,,,\n\
         eva,Nguyễn Thị Eva,S2,vi,04A1B2C5,,2024-01-08,2026-12-31,2025-03-01,2025-06-01\n",
    ),
    ("person_sites.csv", "person,site,from,until\njonas,S2,2025-01-01,2025-12-31\n"),
    (
        "class_members.csv",
        "person,personnel_class,from,until\n\
         maria,OPERATOR,2024-01-08,\n\
         jonas,OPERATOR,,\n\
         eva,PACKER,2024-01-08,2026-06-30\n",
    ),
    ("roles.csv", "person,role,scope,from,until\njonas,supervisor,,,\neva,quality,,2024-02-01,2026-02-01\n"),
    ("shifts.csv", "shift,work_center,start,end\nEARLY,L1,06:00,14:00\nLATE,L1,14:00,22:00\n"),
    ("crews.csv", "person,shift,supervisor,from,until\nmaria,EARLY,jonas,,\n"),
    (
        "documents.csv",
        "document,title,category,owner,site\n\
         SOP-1,Seal pouch,procedure,jonas,S1\n\
         SOP-2,Label pouch,procedure,jonas,\n",
    ),
    ("categories.csv", "category,window_days\ninitial,30\nprocess,14\nprocedure,14\ncorrective,7\n"),
    (
        "versions.csv",
        "document,version,approved_at,effective_from,training_impact,change_summary,content,language,withdrawn_at,\
         approved_by,impact_reason,in_flight,minutes,changed_steps\n\
         SOP-1,v1,2024-01-10,2024-02-01,full,First issue,content/sop-1-v1.en.md,en,,eva,,finish,10,\n\
         SOP-1,v1,2024-01-10,2024-02-01,full,Erstausgabe,content/sop-1-v1.de.md,de,,eva,,finish,10,\n\
         SOP-1,v2,2025-01-10T08:00:00Z,2025-02-01,read;quiz,Step 2,content/sop-1-v2.md,en,,eva,,stop,6,2\n\
         SOP-2,v1,2024-03-01,2024-03-15,none,First issue,content/sop-2-v1.pdf,en,2026-09-01,eva,New,,,\n",
    ),
    (
        "requirements.csv",
        "requirement,title,document,category,activities,validity_months,currency,window_days,prerequisites,equipment,\
         initial_assessors\n\
         R-1,Seal,SOP-1,procedure,read;quiz:Q-1;runs:2;check:C-1,24,days:180,14,,EQ-1,jonas\n\
         R-2,Label,SOP-2,procedure,read,,,,R-1,,\n\
         R-3,Hygiene,,initial,briefing:B-1,12,,30,,,\n",
    ),
    ("matrix.csv", "personnel_class,requirement\nOPERATOR,R-1\nOPERATOR,R-3\nPACKER,R-2\n"),
    (
        "tasks.csv",
        "task,title,work_units,criticality,offline_limit_hours,lot_required\n\
         seal-pouch,Seal pouch,SEAL;FILL,routine,72,\n\
         label-pouch,Label pouch,LABEL,critical,8,\n",
    ),
    ("task_requirements.csv", "task,requirement\nseal-pouch,R-1\nseal-pouch,R-3\nlabel-pouch,R-2\n"),
    ("task_classes.csv", "task,personnel_class,work_unit\nseal-pouch,OPERATOR,SEAL\n"),
    ("assessors.csv", "person,requirement,from,until\njonas,R-1,2024-01-08,2026-12-31\n"),
    (
        "exemptions.csv",
        "person,requirement,version,reason,approved_by,from,until\n\
         eva,R-2,v1,Same at the vendor,jonas,2024-03-15,2025-03-15\n",
    ),
    (
        "history.csv",
        "person,requirement,version,activity,completed_at,assessor,score,source\n\
         maria,R-1,v1,read,2024-02-02T08:00:00Z,,,LMS\n\
         maria,R-1,,quiz,2024-02-02T08:30:00Z,,90,LMS\n\
         maria,R-1,v1,runs,2024-02-03T08:00:00Z,jonas,,\n\
         maria,R-1,v1,runs,2024-02-04T08:00:00Z,jonas,,\n\
         maria,R-1,v1,check,2024-02-05,jonas,,\n\
         eva,R-2,v1,read,2024-03-20T01:00:00+07:00,,,\n\
         maria,R-3,,briefing,2024-01-15,,,\n",
    ),
    (
        "quizzes/Q-1.toml",
        "title = \"Seal\"\npass_percent = 80\nask = 2\nmax_attempts = 3\n\n\
         [[question]]\ntext = \"Which first?\"\nanswers = [\"Clear\", \"Seal\", \"Sign\"]\ncorrect = 1\n\n\
         [[question]]\ntext = \"Which last?\"\nanswers = [\"Clear\", \"Seal\", \"Sign\"]\ncorrect = 2\n",
    ),
    (
        "checks/C-1.toml",
        "title = \"Seal\"\n\n\
         [[criterion]]\ntext = \"Seam is tight\"\nkind = \"pass_fail\"\ncritical = true\n\n\
         [[criterion]]\ntext = \"Force\"\nkind = \"measured\"\nunit = \"N\"\nmin = 1.5\nmax = 4.0\n",
    ),
    ("content/sop-1-v1.en.md", "# Seal pouch\n\n## Step 1: Clear\n\nClear the line.\n\n## Step 2: Seal\n\nSeal it.\n"),
    ("content/sop-1-v1.de.md", "# Siegeln\n\n## Step 1: Räumen\n\nRäumen.\n\n## Step 2: Siegeln\n\nSiegeln.\n"),
    ("content/sop-1-v2.md", "# Seal pouch\n\n## Step 1: Clear\n\nClear the line.\n\n## Step 2: Seal\n\nSeal twice.\n"),
];
