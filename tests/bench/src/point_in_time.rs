//! "Was X trained on the version of Y in force on date D?", answered by the server (G3).

use std::time::Instant;

use shared::training::point_in_time::Asked;

use crate::Trouble;
use crate::figure::{Figure, Samples, ms};
use crate::full::FullPlant;

const QUESTIONS: usize = 2_000;

pub fn measure(full: &FullPlant) -> Result<Figure, Trouble> {
    let server = &full.plant.server;
    let plant = server.plant();
    let people: Vec<_> = plant.people.keys().cloned().collect();
    let documents: Vec<_> = plant.documents.keys().cloned().collect();
    let mut took = Vec::new();
    for number in 0..QUESTIONS {
        let person = &people[number * 7919 % people.len()];
        let document = &documents[number * 104_729 % documents.len()];
        let at = full.now.plus_ms(-((number as i64 * 3) % 2_000) * shared::time::DAY_MS);
        let began = Instant::now();
        std::hint::black_box(server.qualified_at(&plant, person, Asked::Document(document), at)?);
        took.push(began.elapsed());
    }
    let samples = Samples::of(took);
    let (figure, limit) = (ms(samples.quantile(0.99)), 1_000.0);
    Ok(Figure {
        name: "point-in-time",
        figure,
        unit: "ms",
        limit,
        ratio: figure / limit,
        promise: "p99 < 1 s (the limit is the promise itself)",
        held: figure < limit,
        size: format!(
            "{QUESTIONS} questions, p50 {:.3} ms; {} people, {} documents",
            samples.median_ms(),
            people.len(),
            documents.len()
        ),
        seed: full.size.seed,
    })
}
