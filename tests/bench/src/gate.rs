//! The gate's decision in a full store: from the question to the reasons, everything read from the database.

use std::time::{Duration, Instant};

use harness::Plant;
use rusqlite::Connection;
use shared::id::*;

use crate::Trouble;
use crate::figure::{Figure, Samples, ms};
use crate::full::{FullPlant, HERE, duties};

const QUESTIONS: usize = 20_000;

pub fn measure(full: &mut FullPlant) -> Result<Figure, Trouble> {
    let people = full.active_people();
    let places = duties(full.plant.kiosk(HERE).plant(), full.now).places;
    let bare = Connection::open(full.plant.path(HERE).join("kiosk.sqlite"))?;
    let (mut ours, mut limits, mut go) = (Vec::new(), Vec::new(), 0);
    for number in 0..QUESTIONS {
        // Every person in turn, far apart, so that nobody's rows are still warm from the question before.
        let person = &people[number * 7919 % people.len()];
        let (task, _) = &places[number % places.len()];
        let (answer, took) = ask(&mut full.plant, person, task)?;
        go += usize::from(answer);
        ours.push(took);
        limits.push(bare_reads(&bare, person, &governing(&full.plant.kiosk(HERE).plant().clone(), task))?);
    }
    let (ours, limits) = (Samples::of(ours), Samples::of(limits));
    let (figure, limit) = (ms(ours.quantile(0.99)), ms(limits.quantile(0.99)));
    Ok(Figure {
        name: "gate",
        figure,
        unit: "ms",
        limit,
        ratio: figure / limit,
        promise: "p99 of the decision ≤ 1 ms; the limit: reading the same rows and nothing else",
        held: figure <= 1.0,
        size: format!("{}; {QUESTIONS} questions, {go} GO, p50 {:.3} ms", full.sized(), ours.median_ms()),
        seed: full.size.seed,
    })
}

fn ask(plant: &mut Plant, person: &PersonId, task: &TaskId) -> Result<(bool, Duration), Trouble> {
    let kiosk = plant.kiosk(HERE);
    let began = Instant::now();
    let decision = kiosk.look(person, task, None, None)?;
    Ok((decision.answer.may_start(), began.elapsed()))
}

fn governing(plant: &shared::plant::Plant, task: &TaskId) -> Vec<RequirementId> {
    plant.tasks.get(task).map_or_else(Vec::new, |task| task.requirements.to_vec())
}

/// The rows the decision rests on, read and thrown away.
fn bare_reads(connection: &Connection, person: &PersonId, requirements: &[RequirementId]) -> Result<Duration, Trouble> {
    let began = Instant::now();
    let mut bytes = 0;
    let mut statement =
        connection.prepare_cached("SELECT rows FROM evidence WHERE person = ?1 AND requirement = ?2")?;
    for requirement in requirements {
        let mut rows = statement.query([person.as_str(), requirement.as_str()])?;
        while let Some(row) = rows.next()? {
            bytes += row.get_ref(0)?.as_blob()?.len();
        }
    }
    std::hint::black_box(bytes);
    Ok(began.elapsed())
}
