//! Cells that name what is nowhere defined.

use super::edit::{append, replace};
use super::{Wrong, cell};

pub fn list() -> Vec<Wrong> {
    vec![
        Wrong {
            name: "unknown_site_in_people",
            make: |folder| replace(folder, "people.csv", "Jonas Weber,S1", "Jonas Weber,S9"),
            expect: cell("people.csv", 3, "site"),
        },
        Wrong {
            name: "unknown_site_in_work_units",
            make: |folder| replace(folder, "work_units.csv", "S2,PACK-2", "S9,PACK-2"),
            expect: cell("work_units.csv", 4, "site"),
        },
        Wrong {
            name: "unknown_site_in_documents",
            make: |folder| replace(folder, "documents.csv", "jonas,S1", "jonas,S9"),
            expect: cell("documents.csv", 2, "site"),
        },
        Wrong {
            name: "unknown_site_in_person_sites",
            make: |folder| replace(folder, "person_sites.csv", "jonas,S2", "jonas,S9"),
            expect: cell("person_sites.csv", 2, "site"),
        },
        Wrong {
            name: "unknown_person_in_person_sites",
            make: |folder| replace(folder, "person_sites.csv", "jonas,S2", "nobody,S2"),
            expect: cell("person_sites.csv", 2, "person"),
        },
        Wrong {
            name: "unknown_work_unit_in_equipment",
            make: |folder| replace(folder, "equipment.csv", "EQ-1,SEAL", "EQ-1,NOWHERE"),
            expect: cell("equipment.csv", 2, "work_unit"),
        },
        Wrong {
            name: "unknown_person_in_class_members",
            make: |folder| replace(folder, "class_members.csv", "jonas,", "nobody,"),
            expect: cell("class_members.csv", 3, "person"),
        },
        Wrong {
            name: "unknown_class_in_class_members",
            make: |folder| replace(folder, "class_members.csv", "PACKER", "NOBODY"),
            expect: cell("class_members.csv", 4, "personnel_class"),
        },
        Wrong {
            name: "unknown_person_in_roles",
            make: |folder| replace(folder, "roles.csv", "jonas,supervisor", "nobody,supervisor"),
            expect: cell("roles.csv", 2, "person"),
        },
        Wrong {
            name: "unknown_work_center_in_shifts",
            make: |folder| replace(folder, "shifts.csv", "LATE,L1", "LATE,L9"),
            expect: cell("shifts.csv", 3, "work_center"),
        },
        Wrong {
            name: "unknown_shift_in_crews",
            make: |folder| replace(folder, "crews.csv", "EARLY", "NIGHT"),
            expect: cell("crews.csv", 2, "shift"),
        },
        Wrong {
            name: "unknown_supervisor_in_crews",
            make: |folder| replace(folder, "crews.csv", "jonas", "nobody"),
            expect: cell("crews.csv", 2, "supervisor"),
        },
        Wrong {
            name: "unknown_document_in_versions",
            make: |folder| replace(folder, "versions.csv", "SOP-2,v1", "SOP-9,v1"),
            expect: cell("versions.csv", 5, "document"),
        },
        Wrong {
            name: "unknown_document_in_requirements",
            make: |folder| replace(folder, "requirements.csv", "Label,SOP-2", "Label,SOP-9"),
            expect: cell("requirements.csv", 3, "document"),
        },
        Wrong {
            name: "unknown_quiz",
            make: |folder| replace(folder, "requirements.csv", "quiz:Q-1", "quiz:Q-9"),
            expect: cell("requirements.csv", 2, "activities"),
        },
        Wrong {
            name: "unknown_check",
            make: |folder| replace(folder, "requirements.csv", "check:C-1", "check:C-9"),
            expect: cell("requirements.csv", 2, "activities"),
        },
        Wrong {
            name: "unknown_prerequisite",
            make: |folder| replace(folder, "requirements.csv", ",R-1,", ",R-9,"),
            expect: cell("requirements.csv", 3, "prerequisites"),
        },
        Wrong {
            name: "unknown_equipment_in_requirements",
            make: |folder| replace(folder, "requirements.csv", "EQ-1", "EQ-9"),
            expect: cell("requirements.csv", 2, "equipment"),
        },
        Wrong {
            name: "unknown_initial_assessor",
            make: |folder| replace(folder, "requirements.csv", "EQ-1,jonas", "EQ-1,jonas;nobody"),
            expect: cell("requirements.csv", 2, "initial_assessors"),
        },
        Wrong {
            name: "unknown_class_in_matrix",
            make: |folder| replace(folder, "matrix.csv", "PACKER", "NOBODY"),
            expect: cell("matrix.csv", 4, "personnel_class"),
        },
        Wrong {
            name: "unknown_requirement_in_matrix",
            make: |folder| replace(folder, "matrix.csv", "R-3", "R-9"),
            expect: cell("matrix.csv", 3, "requirement"),
        },
        Wrong {
            name: "unknown_work_unit_in_tasks",
            make: |folder| replace(folder, "tasks.csv", "SEAL;FILL", "SEAL;NOWHERE"),
            expect: cell("tasks.csv", 2, "work_units"),
        },
        Wrong {
            name: "unknown_task_in_task_requirements",
            make: |folder| replace(folder, "task_requirements.csv", "label-pouch", "nothing"),
            expect: cell("task_requirements.csv", 4, "task"),
        },
        Wrong {
            name: "unknown_requirement_in_task_requirements",
            make: |folder| replace(folder, "task_requirements.csv", "R-3", "R-9"),
            expect: cell("task_requirements.csv", 3, "requirement"),
        },
        Wrong {
            name: "unknown_class_in_task_classes",
            make: |folder| replace(folder, "task_classes.csv", "OPERATOR", "NOBODY"),
            expect: cell("task_classes.csv", 2, "personnel_class"),
        },
        Wrong {
            name: "unknown_person_in_assessors",
            make: |folder| replace(folder, "assessors.csv", "jonas", "nobody"),
            expect: cell("assessors.csv", 2, "person"),
        },
        Wrong {
            name: "unknown_requirement_in_assessors",
            make: |folder| replace(folder, "assessors.csv", "R-1", "R-9"),
            expect: cell("assessors.csv", 2, "requirement"),
        },
        Wrong {
            name: "unknown_requirement_in_exemptions",
            make: |folder| replace(folder, "exemptions.csv", "R-2", "R-9"),
            expect: cell("exemptions.csv", 2, "requirement"),
        },
        Wrong {
            name: "unknown_version_in_exemptions",
            make: |folder| replace(folder, "exemptions.csv", "v1", "v9"),
            expect: cell("exemptions.csv", 2, "version"),
        },
        Wrong {
            name: "unknown_person_in_history",
            make: |folder| replace(folder, "history.csv", "eva,R-2", "nobody,R-2"),
            expect: cell("history.csv", 7, "person"),
        },
        Wrong {
            name: "unknown_requirement_in_history",
            make: |folder| replace(folder, "history.csv", "R-3", "R-9"),
            expect: cell("history.csv", 8, "requirement"),
        },
        Wrong {
            name: "unknown_version_in_history",
            make: |folder| replace(folder, "history.csv", "v1,check", "v9,check"),
            expect: cell("history.csv", 6, "version"),
        },
        Wrong {
            // It exists, but on another document.
            name: "version_of_another_document_in_history",
            make: |folder| replace(folder, "history.csv", "eva,R-2,v1", "eva,R-2,v2"),
            expect: cell("history.csv", 7, "version"),
        },
        Wrong {
            name: "unknown_assessor_in_history",
            make: |folder| append(folder, "history.csv", "maria,R-1,v1,check,2024-02-06,nobody,,"),
            expect: cell("history.csv", 9, "assessor"),
        },
    ]
}
