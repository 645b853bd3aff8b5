//! Builds a folder with one person, one class, one document, and what a rule needs beside them. The site is in UTC,
//! its change time 06:00.

use std::fs;
use std::path::Path;

use oracle::{Answer, Instant, Plant, Verdict};

/// A folder in the making.
#[derive(Default)]
pub struct Folder {
    versions: Vec<String>,
    requirements: Vec<Requirement>,
    history: Vec<String>,
    exemptions: Vec<String>,
    member: Option<String>,
    active: Option<String>,
    leave: Option<String>,
}

struct Requirement {
    document: &'static str,
    activities: String,
    validity: String,
    currency: String,
}

impl Folder {
    pub fn new() -> Folder {
        Folder::default()
    }

    /// `version,approved_at,effective_from,training_impact[,withdrawn_at]`
    pub fn version(mut self, cells: &str) -> Folder {
        self.versions.push(cells.to_string());
        self
    }

    /// The next requirement, `R-1`, `R-2`…, with these activities.
    pub fn requirement(self, activities: &str) -> Folder {
        self.requirement_on("SOP", activities)
    }

    pub fn requirement_without_document(self, activities: &str) -> Folder {
        self.requirement_on("", activities)
    }

    /// Of the last requirement, in months.
    pub fn validity(mut self, months: u32) -> Folder {
        self.requirements.last_mut().unwrap().validity = months.to_string();
        self
    }

    /// Of the last requirement.
    pub fn currency(mut self, currency: &str) -> Folder {
        self.requirements.last_mut().unwrap().currency = currency.to_string();
        self
    }

    /// `version,activity,completed_at,score` for `R-1`.
    pub fn history(self, cells: &str) -> Folder {
        self.history_of(1, cells)
    }

    pub fn history_of(mut self, requirement: usize, cells: &str) -> Folder {
        self.history.push(format!("ana,R-{requirement},{cells}"));
        self
    }

    /// `version,from,until` for `R-1`.
    pub fn exemption(mut self, cells: &str) -> Folder {
        self.exemptions.push(format!("ana,R-1,{cells},Same,ben"));
        self
    }

    /// `from,until` in the class.
    pub fn member(mut self, cells: &str) -> Folder {
        self.member = Some(cells.to_string());
        self
    }

    /// `from,until` of being active.
    pub fn active(mut self, cells: &str) -> Folder {
        self.active = Some(cells.to_string());
        self
    }

    /// `from,until` of being on leave.
    pub fn leave(mut self, cells: &str) -> Folder {
        self.leave = Some(cells.to_string());
        self
    }

    pub fn load(self) -> Loaded {
        let folder = tempfile::tempdir().unwrap();
        self.write(folder.path());
        Loaded(Plant::load(folder.path()))
    }

    fn requirement_on(mut self, document: &'static str, activities: &str) -> Folder {
        let (validity, currency) = (String::new(), String::new());
        self.requirements.push(Requirement { document, activities: activities.to_string(), validity, currency });
        self
    }

    fn write(&self, folder: &Path) {
        let blank = || ",".to_string();
        let active = self.active.clone().unwrap_or_else(blank);
        let leave = self.leave.clone().unwrap_or_else(blank);
        let member = self.member.clone().unwrap_or_else(blank);
        let versions = self.versions.iter().map(|cells| match cells.split(',').count() {
            4 => format!("SOP,{cells},,,x.md"),
            _ => format!("SOP,{cells},,x.md"),
        });
        let requirements = self.requirements.iter().enumerate().map(|(index, made)| {
            let Requirement { document, activities, validity, currency } = made;
            format!("R-{},T,{document},process,{activities},{validity},{currency}", index + 1)
        });
        let matrix = (1..=self.requirements.len()).map(|number| format!("OPERATOR,R-{number}"));
        let files: [(&str, &str, Vec<String>); 9] = [
            ("sites.csv", "site,name,time_zone", vec!["S,Site,UTC".to_string()]),
            (
                "people.csv",
                "person,printed_name,site,language,badge,active_from,active_until,leave_from,leave_until",
                vec![format!("ana,Ana,S,en,1,{active},{leave}"), "ben,Ben,S,en,2,,,,".to_string()],
            ),
            ("class_members.csv", "person,personnel_class,from,until", vec![format!("ana,OPERATOR,{member}")]),
            ("documents.csv", "document,title,category,owner", vec!["SOP,T,process,ben".to_string()]),
            (
                "versions.csv",
                "document,version,approved_at,effective_from,training_impact,withdrawn_at,change_summary,content",
                versions.collect(),
            ),
            (
                "requirements.csv",
                "requirement,title,document,category,activities,validity_months,currency",
                requirements.collect(),
            ),
            ("matrix.csv", "personnel_class,requirement", matrix.collect()),
            ("exemptions.csv", "person,requirement,version,from,until,reason,approved_by", self.exemptions.clone()),
            ("history.csv", "person,requirement,version,activity,completed_at,score", self.history.clone()),
        ];
        for (file, header, rows) in files {
            fs::write(folder.join(file), format!("{header}\n{}\n", rows.join("\n"))).unwrap();
        }
        fs::create_dir(folder.join("quizzes")).unwrap();
        fs::write(folder.join("quizzes/Q.toml"), "pass_percent = 80\n").unwrap();
    }
}

/// The folder, read by the oracle.
pub struct Loaded(Plant);

impl Loaded {
    /// Asserts the answer for Ana on the document.
    #[track_caller]
    pub fn expect(&self, at: &str, verdict: Verdict) -> Answer {
        let answer = self.0.answer("ana", "SOP", instant(at));
        assert_eq!(answer.answer, verdict, "at {at}: {answer:#?}");
        answer
    }

    /// The answer for Ana on `R-1` itself.
    pub fn requirement(&self, at: &str) -> Verdict {
        self.0.answer_requirement("ana", "R-1", instant(at)).answer
    }

    pub fn open_choices(&self, at: &str) -> Vec<&'static str> {
        self.0.open_choices("ana", "SOP", instant(at))
    }
}

fn instant(text: &str) -> Instant {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}
