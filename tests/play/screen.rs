//! What there is to see on a kiosk's screen.
//!
//! Two sources say it: the presenter's view, always, and the window that shows it, with the feature `pictures`. The words of the screens
//! are the window's; names, documents, lots, times and the codes for what words stand for are the view's.

use std::collections::BTreeSet;

use kiosk::presenter::view::{Screen, VerdictKind, View};
use serde_json::Value;

use super::script::{Decision, screen_name};
use crate::stage::{Stage, Trouble};

/// The gate's word on view; `None` on screens without one.
pub fn decision(view: &View) -> Option<Decision> {
    match (view.screen, view.verdict.kind) {
        (Screen::Supervised, _) | (Screen::Verdict, VerdictKind::Supervised) => Some(Decision::Supervised),
        (Screen::Verdict, VerdictKind::Go) => Some(Decision::Go),
        (Screen::Verdict, _) => Some(Decision::NoGo),
        _ => None,
    }
}

/// Every text on view, once.
pub fn texts(stage: &mut Stage, kiosk: &str) -> Result<Vec<String>, Trouble> {
    let view = stage.view(kiosk)?;
    let mut texts = window_texts(stage, kiosk)?;
    collect(&model(&view), &mut texts);
    collect(&serde_json::to_value(&view.chrome).unwrap_or_default(), &mut texts);
    let mut seen = BTreeSet::new();
    texts.retain(|text| !text.trim().is_empty() && seen.insert(text.clone()));
    Ok(texts)
}

/// Whether a text contains another, whatever the case and the white space.
pub fn contains(text: &str, part: &str) -> bool {
    folded(text).contains(&folded(part))
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The screen in a few lines, for somebody who expected something else.
pub fn told(stage: &mut Stage, kiosk: &str) -> String {
    let Ok(view) = stage.view(kiosk) else { return "nothing".into() };
    let mut told = format!("the screen `{}`", screen_name(view.screen));
    if let Some(decision) = decision(&view) {
        told += &format!(", decision {}", decision.word());
    }
    for (field, value) in fields(&model(&view)) {
        told += &format!("\n    {field}: {value}");
    }
    if let Ok(texts) = window_texts(stage, kiosk)
        && !texts.is_empty()
    {
        told += &format!("\n    words: {}", texts.join(" | "));
    }
    told
}

/// The part of the view that the screen shows.
fn model(view: &View) -> Value {
    let model = match view.screen {
        Screen::Idle => serde_json::to_value(&view.idle),
        Screen::SetUp => serde_json::to_value(&view.set_up),
        Screen::Tasks => serde_json::to_value(&view.tasks),
        Screen::Lot => serde_json::to_value(&view.lot),
        Screen::Verdict => serde_json::to_value(&view.verdict),
        Screen::Secret => serde_json::to_value(&view.secret),
        Screen::Reader => serde_json::to_value(&view.reader),
        Screen::Quiz => serde_json::to_value(&view.quiz),
        Screen::Worksheet => serde_json::to_value(&view.worksheet),
        Screen::Check => serde_json::to_value(&view.check),
        Screen::SecondBadge => serde_json::to_value(&view.second_badge),
        Screen::Receipt => serde_json::to_value(&view.receipt),
        Screen::Supervised => serde_json::to_value(&view.supervised),
        Screen::Sessions => serde_json::to_value(&view.sessions),
        Screen::Status => serde_json::to_value(&view.status),
        Screen::Fault => serde_json::to_value(&view.trouble),
        Screen::Swap => serde_json::to_value(&view.swap),
        Screen::SigningSetUp => serde_json::to_value(&view.signing_set_up),
        Screen::Lockout => serde_json::to_value(&view.lockout),
        Screen::Records => serde_json::to_value(&view.records),
        Screen::Correction => serde_json::to_value(&view.correction),
        Screen::Stick => serde_json::to_value(&view.stick),
        Screen::NoBadge => serde_json::to_value(&view.no_badge),
    };
    model.unwrap_or_default()
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, texts)),
        _ => {}
    }
}

/// What a model says, without what is empty.
fn fields(model: &Value) -> Vec<(String, String)> {
    const LONGEST: usize = 400;
    let Value::Object(fields) = model else { return Vec::new() };
    let said = |value: &Value| match value {
        Value::Null | Value::Bool(false) => None,
        Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        Value::Array(values) if values.is_empty() => None,
        Value::Object(_) | Value::Array(_) => {
            let mut texts = Vec::new();
            collect(value, &mut texts);
            texts.retain(|text| !text.is_empty());
            (!texts.is_empty()).then(|| texts.join(" | "))
        }
        other => Some(other.to_string()),
    };
    let cut = |text: String| {
        if text.chars().count() > LONGEST { text.chars().take(LONGEST).chain(['…']).collect() } else { text }
    };
    fields.iter().filter_map(|(field, value)| Some((field.clone(), cut(said(value)?)))).collect()
}

#[cfg(feature = "pictures")]
fn window_texts(stage: &mut Stage, kiosk: &str) -> Result<Vec<String>, Trouble> {
    Ok(stage.window_of(kiosk)?.map_or_else(Vec::new, kiosk::window::picture::Pictures::texts))
}

#[cfg(not(feature = "pictures"))]
fn window_texts(_: &mut Stage, _: &str) -> Result<Vec<String>, Trouble> {
    Ok(Vec::new())
}
