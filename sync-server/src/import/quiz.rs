//! Quizzes: the paper that everybody may see, and the right answers that travel apart from it (L2).

use shared::id::{Digest32, QuizId};
use shared::kind::plant::QuizSet;
use shared::training::quiz::{Paper, Question, answers_digest};
use toml::de::{DeTable, DeValue};

use super::content::Blob;
use super::error::Reported;
use super::references::Index;
use super::settings::{Section, Settings, integer, names, parse};
use super::source::{Source, why};
use super::{Located, PlantFolder};

const KEYS: [&str; 5] = ["title", "pass_percent", "ask", "max_attempts", "question"];
const QUESTION_KEYS: [&str; 3] = ["text", "answers", "correct"];
const MAX_QUESTIONS: usize = 1_000;
const MAX_ATTEMPTS: u16 = 1_000;

/// Reads every `quizzes/ID.toml`.
pub(super) fn read(source: &Source<'_>, index: &mut Index, folder: &mut PlantFolder) {
    for name in names(source, "quizzes") {
        let file = format!("quizzes/{name}.toml");
        let Ok(quiz) = QuizId::new(&name) else {
            source.sink.error(
                &file,
                0,
                None,
                &name,
                why("is no id of a quiz", "name the file with 1 to 120 bytes and no white space around them"),
            );
            continue;
        };
        index.quizzes.add(quiz.clone());
        let Some(text) = source.text(&file, true) else { continue };
        if let Ok((body, paper, right)) =
            parse(source, &file, &text, |settings, table| read_quiz(settings, table, &quiz))
        {
            folder.blobs.insert(body.paper, Blob::Bytes(paper));
            folder.answers.insert(quiz, right);
            folder.quizzes.push(Located { line: 0, row: body });
        }
    }
}

type Quiz = (QuizSet, Vec<u8>, Vec<Vec<u16>>);

fn read_quiz(settings: &Settings<'_>, table: &DeTable<'_>, quiz: &QuizId) -> Result<Quiz, Reported> {
    let root = Section::new(settings, table, 0, &KEYS);
    let (title, pass_percent) = (root.text("title"), root.number("pass_percent", 0..=100_u8));
    let max_attempts = root.number("max_attempts", 1..=MAX_ATTEMPTS);
    let sections = root.tables("question", &QUESTION_KEYS);
    let count = sections.as_ref().map_or(MAX_QUESTIONS, Vec::len);
    let questions = sections.and_then(|sections| {
        let read: Vec<_> = sections.iter().map(question).collect();
        read.into_iter().collect::<Result<Vec<_>, _>>()
    });
    if count > MAX_QUESTIONS {
        return Err(root.bad(
            "question",
            format!("there are {count} questions"),
            format!("keep a quiz to {MAX_QUESTIONS}"),
        ));
    }
    let ask = root.number("ask", 1..=count.try_into().unwrap_or(u16::MAX));
    let (questions, right): (Vec<Question>, Vec<Vec<u16>>) = questions?.into_iter().unzip();
    let paper = Paper { questions }.to_bytes();
    let digest = Digest32::of(&paper);
    let body = QuizSet {
        quiz: quiz.clone(),
        title: title?,
        pass_percent: pass_percent?,
        ask: ask?,
        max_attempts: max_attempts?,
        paper: digest,
        questions: count.try_into().unwrap_or(u16::MAX),
        answers: answers_digest(&digest, &right),
    };
    Ok((body, paper, right))
}

fn question(section: &Section<'_>) -> Result<(Question, Vec<u16>), Reported> {
    let (text, answers) = (section.text("text"), section.texts("answers"));
    let answers = answers.and_then(|answers| choices(section, answers));
    // The right answers can only be judged beside the answers.
    let right = answers.as_ref().map_or(Err(Reported), |answers| correct(section, answers));
    Ok((Question { text: text?, answers: answers? }, right?))
}

fn choices(section: &Section<'_>, answers: Vec<String>) -> Result<Vec<String>, Reported> {
    let twice = answers.iter().enumerate().find(|(place, answer)| answers[..*place].contains(answer));
    match twice {
        _ if answers.len() < 2 => Err(section.bad("answers", "there is no choice", "give at least two answers")),
        _ if answers.len() > MAX_QUESTIONS => {
            Err(section.bad("answers", "there are too many answers", "keep them to what fits a screen"))
        }
        Some((_, answer)) => Err(section.bad("answers", format!("`{answer}` stands twice"), "give each answer once")),
        None => Ok(answers),
    }
}

/// Positions from 0 of the right answers; written as positions from 1 or as the answers' texts, one alone or in a list.
fn correct(section: &Section<'_>, answers: &[String]) -> Result<Vec<u16>, Reported> {
    let form = "write positions from 1 (`correct = [1, 3]`) or answers (`correct = [\"…\"]`)";
    let Some(value) = section.get("correct") else { return Err(section.bad("correct", "the key is missing", form)) };
    let items: Vec<&DeValue<'_>> = match value.get_ref() {
        DeValue::Array(items) => items.iter().map(|item| item.get_ref()).collect(),
        single => vec![single],
    };
    if items.is_empty() {
        return Err(section.bad("correct", "names no right answer", form));
    }
    let mixed = !items.iter().all(|item| item.is_str()) && !items.iter().all(|item| item.is_integer());
    if mixed {
        return Err(section.bad("correct", "is neither positions nor answers", form));
    }
    let place = |item: &DeValue<'_>| {
        let by_text = item.as_str().and_then(|text| answers.iter().position(|answer| answer == text.trim()));
        let by_position =
            || integer(item)?.checked_sub(1).and_then(|n| usize::try_from(n).ok()).filter(|n| *n < answers.len());
        by_text.or_else(by_position).and_then(|place| u16::try_from(place).ok())
    };
    let places: Option<Vec<u16>> = items.into_iter().map(place).collect();
    let expected = format!("name positions from 1 to {} or answers word for word", answers.len());
    let mut places = places.ok_or_else(|| section.bad("correct", "is not among the answers", expected))?;
    places.sort_unstable();
    places.dedup();
    Ok(places)
}
