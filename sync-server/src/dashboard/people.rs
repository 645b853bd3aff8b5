//! `GET /people`: everybody active, found by name.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::IntoResponse;
use serde::Deserialize;
use shared::id::PersonId;

use super::words::State as Words;
use super::{Page, Trouble, Viewer};
use crate::core::overview::PersonLine;
use crate::router::App;

/// How many people one page shows.
const PAGE: usize = 50;

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    after: Option<PersonId>,
}

#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage {
    search: String,
    people: Vec<Line>,
    /// The last one shown, when there are more.
    next: Option<String>,
}

struct Line {
    id: String,
    name: String,
    functions: String,
    met: usize,
    required: usize,
    state: Words,
}

pub async fn page(
    State(app): State<Arc<App>>,
    _: Viewer,
    Query(asked): Query<Asked>,
) -> Result<impl IntoResponse, Trouble> {
    let search = asked.q.clone();
    let (plant, mut lines) =
        app.blocking(move |core| core.people_lines(&asked.q, asked.after.as_ref(), PAGE + 1)).await?;
    let more = lines.len() > PAGE;
    lines.truncate(PAGE);
    let now = app.core.now();
    let people = lines.iter().map(|line| {
        let functions = plant
            .classes_of(&line.person, now)
            .map(|class| plant.classes.get(class).map_or_else(|| class.to_string(), |set| set.name.clone()));
        Line {
            id: line.person.to_string(),
            name: plant.printed_name(&line.person),
            functions: functions.collect::<Vec<_>>().join(", "),
            met: line.met,
            required: line.required,
            state: state(line),
        }
    });
    let people = people.collect();
    let next = more.then(|| lines.last().map(|line| line.person.to_string())).flatten();
    Ok(Page(PeoplePage { search, people, next }))
}

fn state(line: &PersonLine) -> Words {
    let (tone, label) = match line {
        PersonLine { required: 0, .. } => ("aside", "Nothing required"),
        PersonLine { on_hold, .. } if *on_hold > 0 => ("hold", "On hold, QA review"),
        PersonLine { met, required, .. } if met < required => ("need", "Training needed"),
        _ => ("good", "All met"),
    };
    Words { tone, label: label.to_owned(), why: String::new() }
}
