//! `policies.toml`: the plant's settings.

use serde::Deserialize;
use shared::kind::plant::{LONGEST_DAY_PASS_HOURS, PolicySet};
use toml::de::DeTable;

use super::PlantFolder;
use super::error::Reported;
use super::settings::{Section, Settings, parse};
use super::source::Source;

const FILE: &str = "policies.toml";

/// Settings that would stop a plant, or never let go, outside these limits.
const LIMITS: [(&str, &str, u32, u32); 11] = [
    ("lease", "critical_offline_hours", 0, 8_784),
    ("lease", "routine_offline_hours", 0, 8_784),
    ("idle", "task_seconds", 5, 3_600),
    ("idle", "verdict_seconds", 1, 3_600),
    ("lockout", "attempts", 1, 100),
    ("session", "task_session_max_hours", 1, 168),
    ("session", "day_pass_max_hours", 0, LONGEST_DAY_PASS_HOURS),
    ("trainee", "confirm_minutes", 1, 1_440),
    ("trainee", "max_trainees", 0, 100),
    ("exception", "max_expired_days", 0, 3_660),
    ("exception", "budget_per_shift", 0, 1_000),
];

/// Reads the policies, if the folder has any.
pub(super) fn read(source: &Source<'_>, folder: &mut PlantFolder) {
    let Some(text) = source.text(FILE, false) else { return };
    folder.policy = parse(source, FILE, &text, |settings, table| policies(settings, table, &text)).ok();
}

fn policies(settings: &Settings<'_>, table: &DeTable<'_>, text: &str) -> Result<PolicySet, Reported> {
    let before = settings.sink.len();
    // The defaults name every key there is.
    let known = toml::Table::try_from(PolicySet::default()).unwrap_or_default();
    let root = Section::new(settings, table, 0, &known.keys().map(String::as_str).collect::<Vec<_>>());
    for (name, keys) in &known {
        let Some(value) = root.get(name) else { continue };
        let (Some(values), Some(keys)) = (value.get_ref().as_table(), keys.as_table()) else {
            root.bad(name, "is no table", format!("begin it with `[{name}]`"));
            continue;
        };
        let keys: Vec<&str> = keys.keys().map(String::as_str).collect();
        let section = Section::new(settings, values, settings.line(value.span().start), &keys);
        let limits = LIMITS.iter().filter(|(table, key, ..)| table == name && section.get(key).is_some());
        for (_, key, least, most) in limits {
            // Reported when out of range; the value itself is read below.
            let _ = section.number(key, *least..=*most);
        }
    }
    if settings.sink.len() > before {
        return Err(Reported);
    }
    let document = toml::de::Deserializer::parse(text).map_err(|error| settings.unreadable(&error))?;
    PolicySet::deserialize(document).map_err(|error| settings.unreadable(&error))
}
