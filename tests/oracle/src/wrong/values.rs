//! Cells whose value is impossible, alone or beside another.

use super::edit::replace;
use super::{Expect, Wrong, cell, line};

const PEOPLE: &str = "people.csv";
const VERSIONS: &str = "versions.csv";
const REQUIREMENTS: &str = "requirements.csv";
const HISTORY: &str = "history.csv";

pub fn list() -> Vec<Wrong> {
    let mut list = words();
    list.extend(numbers());
    list.extend(times());
    list.extend(wholes());
    list
}

/// Words that are not of the list.
fn words() -> Vec<Wrong> {
    vec![
        Wrong {
            name: "unknown_time_zone",
            make: |folder| replace(folder, "sites.csv", "Asia/Ho_Chi_Minh", "Asia/Hanoi-City"),
            expect: cell("sites.csv", 3, "time_zone"),
        },
        Wrong {
            name: "unknown_role",
            make: |folder| replace(folder, "roles.csv", "supervisor", "king"),
            expect: cell("roles.csv", 2, "role"),
        },
        Wrong {
            name: "unknown_requirement_category",
            make: |folder| replace(folder, REQUIREMENTS, "SOP-2,procedure", "SOP-2,seasonal"),
            expect: cell(REQUIREMENTS, 3, "category"),
        },
        Wrong {
            name: "unknown_impact",
            make: |folder| replace(folder, VERSIONS, "read;quiz", "read;dance"),
            expect: cell(VERSIONS, 4, "training_impact"),
        },
        Wrong {
            name: "impact_none_in_a_list",
            make: |folder| replace(folder, VERSIONS, "read;quiz", "read;none"),
            expect: cell(VERSIONS, 4, "training_impact"),
        },
        Wrong {
            name: "briefing_as_impact",
            make: |folder| replace(folder, VERSIONS, "read;quiz", "read;briefing"),
            expect: cell(VERSIONS, 4, "training_impact"),
        },
        Wrong {
            name: "unknown_in_flight",
            make: |folder| replace(folder, VERSIONS, ",stop,", ",pause,"),
            expect: cell(VERSIONS, 4, "in_flight"),
        },
        Wrong {
            name: "unknown_activity_in_requirements",
            make: |folder| replace(folder, REQUIREMENTS, "read;quiz:Q-1", "read;dance;quiz:Q-1"),
            expect: cell(REQUIREMENTS, 2, "activities"),
        },
        Wrong {
            name: "quiz_without_id",
            make: |folder| replace(folder, REQUIREMENTS, "quiz:Q-1", "quiz"),
            expect: cell(REQUIREMENTS, 2, "activities"),
        },
        Wrong {
            name: "unknown_criticality",
            make: |folder| replace(folder, "tasks.csv", "routine", "urgent"),
            expect: cell("tasks.csv", 2, "criticality"),
        },
        Wrong {
            name: "unknown_currency",
            make: |folder| replace(folder, REQUIREMENTS, "days:180", "weeks:26"),
            expect: cell(REQUIREMENTS, 2, "currency"),
        },
        Wrong {
            name: "currency_without_days",
            make: |folder| replace(folder, REQUIREMENTS, "days:180", "runs:3"),
            expect: cell(REQUIREMENTS, 2, "currency"),
        },
        Wrong {
            name: "unknown_activity_in_history",
            make: |folder| replace(folder, HISTORY, "briefing", "dance"),
            expect: cell(HISTORY, 8, "activity"),
        },
    ]
}

/// Numbers out of range, or none at all.
fn numbers() -> Vec<Wrong> {
    vec![
        Wrong {
            name: "negative_validity",
            make: |folder| replace(folder, REQUIREMENTS, ",24,", ",-3,"),
            expect: cell(REQUIREMENTS, 2, "validity_months"),
        },
        Wrong {
            name: "validity_with_a_unit",
            make: |folder| replace(folder, REQUIREMENTS, ",24,", ",24 months,"),
            expect: cell(REQUIREMENTS, 2, "validity_months"),
        },
        Wrong {
            name: "validity_too_large_for_any_calendar",
            make: |folder| replace(folder, REQUIREMENTS, ",24,", ",99999999999999999999,"),
            expect: cell(REQUIREMENTS, 2, "validity_months"),
        },
        Wrong {
            name: "no_runs",
            make: |folder| replace(folder, REQUIREMENTS, "runs:2", "runs:0"),
            expect: cell(REQUIREMENTS, 2, "activities"),
        },
        Wrong {
            name: "negative_currency",
            make: |folder| replace(folder, REQUIREMENTS, "days:180", "days:-180"),
            expect: cell(REQUIREMENTS, 2, "currency"),
        },
        Wrong {
            name: "negative_window",
            make: |folder| replace(folder, "categories.csv", "initial,30", "initial,-30"),
            expect: cell("categories.csv", 2, "window_days"),
        },
        Wrong {
            name: "offline_limit_no_number",
            make: |folder| replace(folder, "tasks.csv", ",72,", ",three days,"),
            expect: cell("tasks.csv", 2, "offline_limit_hours"),
        },
        Wrong {
            name: "score_no_number",
            make: |folder| replace(folder, HISTORY, ",90,", ",good,"),
            expect: cell(HISTORY, 3, "score"),
        },
        Wrong {
            name: "score_past_hundred",
            make: |folder| replace(folder, HISTORY, ",90,", ",190,"),
            expect: cell(HISTORY, 3, "score"),
        },
    ]
}

/// Times that are none, or in the wrong order.
fn times() -> Vec<Wrong> {
    vec![
        Wrong {
            name: "impossible_date_in_people",
            make: |folder| replace(folder, PEOPLE, "maria@plant.example,2024-01-08", "maria@plant.example,2025-02-30"),
            expect: cell(PEOPLE, 2, "active_from"),
        },
        Wrong {
            name: "impossible_change_time",
            make: |folder| replace(folder, "sites.csv", "06:00", "25:00"),
            expect: cell("sites.csv", 2, "change_time"),
        },
        Wrong {
            name: "impossible_shift_start",
            make: |folder| replace(folder, "shifts.csv", "LATE,L1,14:00", "LATE,L1,14:70"),
            expect: cell("shifts.csv", 3, "start"),
        },
        Wrong {
            name: "german_date_in_history",
            make: |folder| replace(folder, HISTORY, "2024-02-05", "05.02.2024"),
            expect: cell(HISTORY, 6, "completed_at"),
        },
        Wrong {
            name: "time_without_offset_in_history",
            make: |folder| replace(folder, HISTORY, "2024-02-02T08:00:00Z", "2024-02-02T08:00:00"),
            expect: cell(HISTORY, 2, "completed_at"),
        },
        Wrong {
            name: "leap_day_in_a_common_year",
            make: |folder| replace(folder, HISTORY, "2024-02-05", "2025-02-29"),
            expect: cell(HISTORY, 6, "completed_at"),
        },
        Wrong {
            name: "approved_after_effective",
            make: |folder| replace(folder, VERSIONS, "2025-01-10T08:00:00Z", "2025-03-10T08:00:00Z"),
            expect: either(VERSIONS, 4, "approved_at", "effective_from"),
        },
        Wrong {
            // 06:00 in Berlin is 05:00 UTC: the date alone is the earlier one.
            name: "approved_an_hour_after_a_date_alone",
            make: |folder| replace(folder, VERSIONS, "2025-01-10T08:00:00Z", "2025-02-01T06:00:00Z"),
            expect: either(VERSIONS, 4, "approved_at", "effective_from"),
        },
        Wrong {
            name: "active_until_before_from",
            make: |folder| replace(folder, PEOPLE, "2026-12-31", "2023-12-31"),
            expect: either(PEOPLE, 4, "active_until", "active_from"),
        },
        Wrong {
            name: "leave_until_before_from",
            make: |folder| replace(folder, PEOPLE, "2025-06-01", "2025-02-01"),
            expect: either(PEOPLE, 4, "leave_until", "leave_from"),
        },
        Wrong {
            name: "member_until_before_from",
            make: |folder| replace(folder, "class_members.csv", "2026-06-30", "2023-06-30"),
            expect: either("class_members.csv", 4, "until", "from"),
        },
        Wrong {
            name: "exempt_until_before_from",
            make: |folder| replace(folder, "exemptions.csv", "2025-03-15", "2023-03-15"),
            expect: either("exemptions.csv", 2, "until", "from"),
        },
        Wrong {
            name: "assessor_until_before_from",
            make: |folder| replace(folder, "assessors.csv", "2026-12-31", "2023-12-31"),
            expect: either("assessors.csv", 2, "until", "from"),
        },
        Wrong {
            name: "role_until_before_from",
            make: |folder| replace(folder, "roles.csv", "2026-02-01", "2023-02-01"),
            expect: either("roles.csv", 3, "until", "from"),
        },
    ]
}

/// Rows that are wrong as a whole, or with others.
fn wholes() -> Vec<Wrong> {
    vec![
        Wrong {
            name: "requirement_without_activity",
            make: |folder| replace(folder, REQUIREMENTS, "procedure,read,", "procedure,,"),
            expect: cell(REQUIREMENTS, 3, "activities"),
        },
        Wrong {
            name: "prerequisite_of_itself",
            make: |folder| replace(folder, REQUIREMENTS, ",R-1,", ",R-2,"),
            expect: cell(REQUIREMENTS, 3, "prerequisites"),
        },
        Wrong {
            name: "prerequisites_in_a_circle",
            make: |folder| replace(folder, REQUIREMENTS, "days:180,14,,", "days:180,14,R-2,"),
            expect: Expect { line: None, ..cell(REQUIREMENTS, 2, "prerequisites") },
        },
        Wrong {
            name: "languages_of_one_version_differ_in_time",
            make: |folder| replace(folder, VERSIONS, "2024-02-01,full,Erstausgabe", "2024-02-02,full,Erstausgabe"),
            expect: cell(VERSIONS, 3, "effective_from"),
        },
        Wrong {
            name: "languages_of_one_version_differ_in_impact",
            make: |folder| replace(folder, VERSIONS, "full,Erstausgabe", "quiz,Erstausgabe"),
            expect: cell(VERSIONS, 3, "training_impact"),
        },
        Wrong {
            name: "languages_of_one_version_differ_in_minutes",
            make: |folder| {
                let row = "content/sop-1-v1.de.md,de,,eva,,finish,";
                replace(folder, VERSIONS, &format!("{row}10"), &format!("{row}25"));
            },
            expect: cell(VERSIONS, 3, "minutes"),
        },
        Wrong {
            name: "task_at_no_work_unit",
            make: |folder| replace(folder, "tasks.csv", "SEAL;FILL", ""),
            expect: line("tasks.csv", 2),
        },
    ]
}

/// Where a pair of cells is at odds, either may be named.
const fn either(file: &'static str, line: u64, column: &'static str, other: &'static str) -> Expect {
    cell(file, line, column).or(file, Some(line), Some(other))
}
