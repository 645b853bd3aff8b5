//! Wrong as files: columns, rows, quotes, encodings.

use super::edit::{append, drop_column, read, remove, replace, write};
use super::{Wrong, cell, file, line};

pub fn list() -> Vec<Wrong> {
    vec![
        Wrong {
            name: "unknown_column",
            make: |folder| {
                replace(folder, "equipment.csv", "work_unit,name", "work_unit,name,colour");
                replace(folder, "equipment.csv", "Sealer 1", "Sealer 1,blue");
            },
            expect: cell("equipment.csv", 1, "colour"),
        },
        Wrong {
            name: "column_in_capitals",
            make: |folder| replace(folder, "matrix.csv", "personnel_class,", "Personnel_Class,"),
            expect: line("matrix.csv", 1),
        },
        Wrong {
            name: "required_column_missing",
            make: |folder| drop_column(folder, "people.csv", "badge"),
            expect: cell("people.csv", 1, "badge"),
        },
        Wrong {
            name: "column_twice",
            make: |folder| {
                replace(folder, "matrix.csv", "personnel_class,requirement", "personnel_class,requirement,requirement");
                replace(folder, "matrix.csv", "OPERATOR,R-1", "OPERATOR,R-1,R-1");
                replace(folder, "matrix.csv", "OPERATOR,R-3", "OPERATOR,R-3,R-3");
                replace(folder, "matrix.csv", "PACKER,R-2", "PACKER,R-2,R-2");
            },
            expect: cell("matrix.csv", 1, "requirement"),
        },
        Wrong {
            name: "required_file_missing",
            make: |folder| remove(folder, "task_requirements.csv"),
            expect: file("task_requirements.csv"),
        },
        Wrong { name: "empty_file", make: |folder| write(folder, "matrix.csv", b""), expect: file("matrix.csv") },
        Wrong {
            name: "semicolon_file",
            make: |folder| {
                let text = read(folder, "matrix.csv").replace(',', ";");
                write(folder, "matrix.csv", text.as_bytes());
            },
            expect: file("matrix.csv"),
        },
        Wrong {
            name: "short_row",
            make: |folder| replace(folder, "class_members.csv", "jonas,OPERATOR,,", "jonas,OPERATOR,"),
            expect: line("class_members.csv", 3),
        },
        Wrong {
            name: "long_row",
            make: |folder| replace(folder, "class_members.csv", "jonas,OPERATOR,,", "jonas,OPERATOR,,,"),
            expect: line("class_members.csv", 3),
        },
        Wrong {
            name: "open_quote",
            make: |folder| replace(folder, "documents.csv", "SOP-2,Label pouch", "SOP-2,\"Label pouch"),
            // The line of the quote and the end of the file are both fair.
            expect: file("documents.csv"),
        },
        Wrong {
            name: "utf_16",
            make: |folder| {
                let text = read(folder, "people.csv");
                let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
                let bytes: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
                write(folder, "people.csv", &bytes);
            },
            expect: file("people.csv"),
        },
        Wrong {
            name: "latin_1",
            make: |folder| {
                let text = read(folder, "people.csv");
                let (before, after) = text.split_once('ü').expect("maria's name has one");
                write(folder, "people.csv", &[before.as_bytes(), b"\xFC", after.as_bytes()].concat());
            },
            expect: line("people.csv", 2),
        },
        Wrong {
            name: "nul_byte",
            make: |folder| replace(folder, "people.csv", "Jonas Weber", "Jonas\0Weber"),
            expect: cell("people.csv", 3, "printed_name"),
        },
        Wrong {
            name: "required_cell_empty",
            make: |folder| replace(folder, "people.csv", "Jonas Weber", ""),
            expect: cell("people.csv", 3, "printed_name"),
        },
        Wrong {
            name: "required_time_empty",
            make: |folder| replace(folder, "history.csv", "check,2024-02-05,", "check,,"),
            expect: cell("history.csv", 6, "completed_at"),
        },
        Wrong {
            name: "person_twice",
            make: |folder| append(folder, "people.csv", "maria,Maria Klein,S1,de,04A1B2C9,,,,,"),
            expect: cell("people.csv", 5, "person"),
        },
        Wrong {
            name: "badge_twice",
            make: |folder| append(folder, "people.csv", "ben,Ben Klein,S1,de,04A1B2C3,,,,,"),
            expect: cell("people.csv", 5, "badge"),
        },
        Wrong {
            name: "site_twice",
            make: |folder| append(folder, "sites.csv", "S1,Werk Bonn,Europe/Berlin,06:00"),
            expect: cell("sites.csv", 4, "site"),
        },
        Wrong {
            name: "work_unit_twice",
            make: |folder| append(folder, "work_units.csv", "S1,PACK,L1,SEAL,Other"),
            expect: cell("work_units.csv", 5, "work_unit"),
        },
        Wrong {
            name: "class_twice",
            make: |folder| append(folder, "personnel_classes.csv", "PACKER,Other"),
            expect: cell("personnel_classes.csv", 4, "personnel_class"),
        },
        Wrong {
            name: "document_twice",
            make: |folder| append(folder, "documents.csv", "SOP-1,Other,procedure,jonas,S1"),
            expect: cell("documents.csv", 4, "document"),
        },
        Wrong {
            name: "version_and_language_twice",
            make: |folder| {
                let row = "SOP-1,v1,2024-01-10,2024-02-01,full,Again,content/sop-1-v1.de.md,de,,eva,,finish,10,";
                append(folder, "versions.csv", row);
            },
            expect: line("versions.csv", 6),
        },
        Wrong {
            name: "requirement_twice",
            make: |folder| append(folder, "requirements.csv", "R-2,Other,SOP-2,procedure,read,,,,,,"),
            expect: cell("requirements.csv", 5, "requirement"),
        },
        Wrong {
            name: "task_twice",
            make: |folder| append(folder, "tasks.csv", "seal-pouch,Other,SEAL,routine,,"),
            expect: cell("tasks.csv", 4, "task"),
        },
    ]
}
