//! Whose id it is: an id stays with the person it was given to (R12).

use shared::kind::plant::PersonSet;
use shared::plant::Plant;
use shared::time::Timestamp;

use super::{ImportError, PlantFolder};

/// What a folder calls people whom the plant knows by another name.
#[derive(Debug, Default)]
pub struct Renamed {
    /// Who has left keeps the name under which they left: their signatures and evidence would be somebody else's.
    pub refused: Vec<ImportError>,
    /// People marry: who is active is called anew, and whoever brings the folder looks whether it is the same person.
    pub warnings: Vec<String>,
}

/// Compares the names in a folder with those that the plant knows.
pub fn renamed(folder: &PlantFolder, plant: &Plant, now: Timestamp) -> Renamed {
    let mut renamed = Renamed::default();
    for placed in &folder.people {
        let (row, line) = (&placed.row, placed.line);
        let Some(known) = plant.people.get(&row.person).filter(|known| known.printed_name != row.printed_name) else {
            continue;
        };
        let (person, former) = (&row.person, &known.printed_name);
        if has_left(known, now) {
            renamed.refused.push(ImportError {
                file: "people.csv".into(),
                line,
                column: Some("printed_name".into()),
                value: row.printed_name.clone(),
                problem: format!("is not the name under which `{person}` left: {former}"),
                expected: format!(
                    "leave {former} as it was and give somebody else an id of their own; who really comes back is made active under that name first, and renamed then"
                ),
            });
        } else {
            renamed.warnings.push(format!(
                "people.csv line {line}: `{person}` was {former} and is now {}; an id never goes to another person, so make sure that it is the same",
                row.printed_name
            ));
        }
    }
    renamed
}

/// Whether this would give the id of somebody who has left to somebody else.
pub fn is_reassigned(row: &PersonSet, plant: &Plant, now: Timestamp) -> bool {
    let known = plant.people.get(&row.person);
    known.is_some_and(|known| known.printed_name != row.printed_name && has_left(known, now))
}

fn has_left(known: &PersonSet, now: Timestamp) -> bool {
    known.active.until.is_some_and(|until| until <= now)
}
