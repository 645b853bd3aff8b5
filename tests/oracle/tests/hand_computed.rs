//! Answers computed by hand, one rule at a time, on folders just large enough for the rule.

mod common;

use common::Folder;
use oracle::Verdict::{self, No, NotRequired, Yes, YesCarriedOver};

#[test]
fn a7_training_on_an_older_version_never_shows_as_current() {
    let plant = Folder::new()
        .version("1,2025-01-01,2025-01-10,full")
        .version("2,2025-01-01,2025-02-10,full")
        .requirement("read")
        .history("1,read,2025-01-12T08:00:00Z,")
        .load();
    plant.expect("2025-01-12T07:59:59Z", No);
    plant.expect("2025-01-12T08:00:00Z", Yes);
    plant.expect("2025-02-10T05:59:59Z", Yes);
    let answer = plant.expect("2025-02-10T06:00:00Z", No);
    assert_eq!(answer.version_in_force.as_deref(), Some("2"));
    assert_eq!(answer.trained_on.as_deref(), Some("1"));
    assert!(!answer.legacy);
}

#[test]
fn a7_carried_over_by_none_shows_as_carried_over() {
    let plant = Folder::new()
        .version("1,2025-01-01,2025-01-10,full")
        .version("2,2025-01-01,2025-02-10,none")
        .requirement("read")
        .history("1,read,2025-01-12T08:00:00Z,")
        .history("2,read,2025-02-20T08:00:00Z,")
        .load();
    let answer = plant.expect("2025-02-10T06:00:00Z", YesCarriedOver);
    assert_eq!(answer.trained_on.as_deref(), Some("1"));
    assert!(answer.legacy);
    assert!(answer.requirements[0].activities[0].carried_over);
    // Read anew though nobody asked: plain yes.
    let answer = plant.expect("2025-02-20T08:00:00Z", Yes);
    assert_eq!(answer.trained_on.as_deref(), Some("2"));
}

#[test]
fn each_activity_carries_by_itself() {
    let plant = Folder::new()
        .version("1,2025-01-01,2025-01-10,full")
        .version("2,2025-01-01,2025-02-10,read")
        .version("3,2025-01-01,2025-03-10,none")
        .version("4,2025-01-01,2025-04-10,quiz")
        .requirement("read;check:C")
        .history("1,read,2025-01-12T08:00:00Z,")
        .history("1,check,2025-01-12T08:00:00Z,")
        .history("2,read,2025-02-12T08:00:00Z,")
        .load();
    plant.expect("2025-01-13T00:00:00Z", Yes);
    plant.expect("2025-02-11T00:00:00Z", No);
    let answer = plant.expect("2025-02-13T00:00:00Z", YesCarriedOver);
    assert_eq!(answer.trained_on.as_deref(), Some("2"));
    plant.expect("2025-03-11T00:00:00Z", YesCarriedOver);
    // Version 4 demands a quiz, which this requirement does not have.
    plant.expect("2025-04-11T00:00:00Z", YesCarriedOver);
}

#[test]
fn a_demand_between_is_not_forgotten() {
    let plant = Folder::new()
        .version("1,2025-01-01,2025-01-10,full")
        .version("2,2025-01-01,2025-02-10,read")
        .version("3,2025-01-01,2025-03-10,none")
        .requirement("read")
        .history("1,read,2025-01-12T08:00:00Z,")
        .load();
    plant.expect("2025-03-11T00:00:00Z", No);
}

#[test]
fn evidence_on_a_version_not_yet_effective_counts_from_its_effective_instant() {
    let plant = Folder::new()
        .version("1,2025-01-01,2025-01-10,full")
        .version("2,2025-01-01,2025-02-10,full")
        .requirement("read")
        .history("2,read,2025-01-12T08:00:00Z,")
        .load();
    plant.expect("2025-02-10T05:59:59Z", No);
    plant.expect("2025-02-10T06:00:00Z", Yes);
}

#[test]
fn briefing_and_external_survive_every_list() {
    let plant = Folder::new()
        .version("1,2025-01-01,2025-01-10,none")
        .version("2,2025-01-01,2025-02-10,read;quiz;runs;check")
        .version("3,2025-01-01,2025-03-10,full")
        .requirement("briefing:B;external")
        .history("1,briefing,2025-01-12,")
        .history("1,external,2025-01-12,")
        .load();
    plant.expect("2025-02-11T00:00:00Z", YesCarriedOver);
    plant.expect("2025-03-11T00:00:00Z", No);
}

#[test]
fn validity_ends_at_the_clamped_month_end_in_utc() {
    let plant = Folder::new()
        .version("1,2020-01-01,2020-01-10,full")
        .requirement("read")
        .validity(1)
        .history("1,read,2025-01-31T23:30:00Z,")
        .history("1,read,2024-01-31T12:00:00+14:00,")
        .load();
    plant.expect("2025-02-28T23:29:59Z", Yes);
    plant.expect("2025-02-28T23:30:00Z", No);
    // 30 January, 22:00 UTC: clamped to 29 February in a leap year.
    plant.expect("2024-02-29T21:59:59Z", Yes);
    plant.expect("2024-02-29T22:00:00Z", No);
}

#[test]
fn a_re_read_never_prolongs_a_check() {
    let plant = Folder::new()
        .version("1,2020-01-01,2020-01-10,full")
        .requirement("read;check:C")
        .validity(12)
        .history("1,read,2024-02-29T08:00:00Z,")
        .history("1,check,2024-02-29T08:00:00Z,")
        .history("1,read,2025-02-01T08:00:00Z,")
        .load();
    plant.expect("2025-02-28T07:59:59Z", Yes);
    let answer = plant.expect("2025-02-28T08:00:00Z", No);
    assert!(answer.requirements[0].activities[0].held);
    assert!(!answer.requirements[0].activities[1].held);
}

#[test]
fn a_failed_quiz_ends_the_pass_before_it_until_the_next() {
    let plant = Folder::new()
        .version("1,2025-01-01,2025-01-10,full")
        .requirement("quiz:Q")
        .history("1,quiz,2025-01-11T08:00:00Z,79")
        .history("1,quiz,2025-01-12T08:00:00Z,80")
        .history("1,quiz,2025-01-13T08:00:00Z,0")
        .history("1,quiz,2025-01-14T08:00:00Z,")
        .load();
    plant.expect("2025-01-11T08:00:00Z", No);
    plant.expect("2025-01-12T08:00:00Z", Yes);
    plant.expect("2025-01-13T07:59:59Z", Yes);
    plant.expect("2025-01-13T08:00:00Z", No);
    plant.expect("2025-01-14T08:00:00Z", Yes);
}

#[test]
fn rows_of_one_instant_apply_in_order_of_lines() {
    let at = "2025-01-12T08:00:00Z";
    let folder = || Folder::new().version("1,2025-01-01,2025-01-10,full").requirement("quiz:Q");
    let passed = format!("1,quiz,{at},90");
    let failed = format!("1,quiz,{at},20");
    folder().history(&passed).history(&failed).load().expect(at, No);
    folder().history(&failed).history(&passed).load().expect(at, Yes);
}

#[test]
fn a_failure_on_a_future_version_does_not_reach_the_one_before() {
    let plant = Folder::new()
        .version("1,2025-01-01,2025-01-10,full")
        .version("2,2025-01-01,2025-02-10,none")
        .requirement("quiz:Q")
        .history("1,quiz,2025-01-12T08:00:00Z,90")
        .history("2,quiz,2025-01-13T08:00:00Z,10")
        .load();
    plant.expect("2025-01-14T00:00:00Z", Yes);
    plant.expect("2025-02-10T06:00:00Z", No);
    assert_eq!(plant.open_choices("2025-01-14T00:00:00Z"), ["failure_always"]);
    assert!(plant.open_choices("2025-02-10T06:00:00Z").is_empty());
}

#[test]
fn each_run_expires_by_itself() {
    let plant = Folder::new()
        .version("1,2025-01-01,2025-01-10,full")
        .version("2,2025-01-01,2025-02-12,none")
        .requirement("runs:2")
        .validity(2)
        .history("1,runs,2025-01-11T08:00:00Z,")
        .history("1,runs,2025-02-11T08:00:00Z,")
        .history("2,runs,2025-03-10T08:00:00Z,")
        .history("2,runs,2025-03-20T08:00:00Z,")
        .load();
    plant.expect("2025-02-11T07:59:59Z", No);
    plant.expect("2025-02-11T08:00:00Z", Yes);
    plant.expect("2025-03-10T08:00:00Z", YesCarriedOver);
    // The first run is over; the second, on version 1, is needed still.
    plant.expect("2025-03-11T08:00:00Z", YesCarriedOver);
    // Two runs on version 2 are enough by themselves.
    plant.expect("2025-03-20T08:00:00Z", Yes);
    plant.expect("2025-05-10T07:59:59Z", Yes);
    plant.expect("2025-05-10T08:00:00Z", No);
}

#[test]
fn a_blank_version_is_the_one_in_force_at_completion() {
    let plant = Folder::new()
        .version("1,2025-01-01,2025-01-10,full")
        .version("2,2025-01-01,2025-02-10,full")
        .requirement("read")
        .history(",read,2025-02-10,")
        .load();
    // A date alone is the change time, the very instant at which version 2 becomes effective.
    let answer = plant.expect("2025-02-10T06:00:00Z", Yes);
    assert_eq!(answer.trained_on.as_deref(), Some("2"));
}

#[test]
fn a14_with_no_version_in_force_the_answer_is_no() {
    let plant = Folder::new()
        .version("1,2025-01-01,2025-01-10,full,2025-02-10")
        .requirement("read")
        .history("1,read,2025-01-12,")
        .load();
    plant.expect("2025-01-10T05:59:59Z", No);
    plant.expect("2025-02-10T05:59:59Z", Yes);
    let answer = plant.expect("2025-02-10T06:00:00Z", No);
    assert_eq!(answer.version_in_force, None);
}

#[test]
fn an_exemption_answers_for_its_version_or_for_all() {
    let versions = || {
        let folder = Folder::new().version("1,2025-01-01,2025-01-10,full");
        folder.version("2,2025-01-01,2025-02-10,full").requirement("read")
    };
    let all = versions().exemption(",2025-01-20,2025-03-01").load();
    all.expect("2025-01-20T05:59:59Z", No);
    let answer = all.expect("2025-01-20T06:00:00Z", Yes);
    assert!(!answer.legacy && answer.trained_on.is_none());
    all.expect("2025-03-01T05:59:59Z", Yes);
    all.expect("2025-03-01T06:00:00Z", No);
    let first = versions().exemption("1,2025-01-20,").load();
    first.expect("2025-02-10T05:59:59Z", Yes);
    first.expect("2025-02-10T06:00:00Z", No);
}

#[test]
fn only_classes_held_at_the_time_require() {
    let plant = Folder::new()
        .version("1,2025-01-01,2025-01-10,full")
        .requirement("read")
        .history("1,read,2025-01-12,")
        .member("2025-01-20,2025-02-01")
        .load();
    plant.expect("2025-01-20T05:59:59Z", NotRequired);
    plant.expect("2025-01-20T06:00:00Z", Yes);
    plant.expect("2025-02-01T05:59:59Z", Yes);
    plant.expect("2025-02-01T06:00:00Z", NotRequired);
}

#[test]
fn the_inactive_are_never_qualified_and_leave_changes_nothing() {
    let folder = || {
        let folder = Folder::new().version("1,2025-01-01,2025-01-10,full");
        folder.requirement("read").history("1,read,2025-01-12,")
    };
    let plant = folder().active("2025-01-20,2025-02-01").load();
    plant.expect("2025-01-20T05:59:59Z", No);
    plant.expect("2025-01-20T06:00:00Z", Yes);
    plant.expect("2025-02-01T06:00:00Z", No);
    let plant = folder().leave("2025-01-20,2025-02-01").load();
    plant.expect("2025-01-21T00:00:00Z", Yes);
}

#[test]
fn currency_runs_from_the_last_passed_check() {
    let folder = |currency| {
        let folder = Folder::new().version("1,2025-01-01,2025-01-10,full");
        let folder = folder.requirement("read;check:C").currency(currency);
        let folder = folder.history("1,check,2025-01-12T08:00:00Z,").history("1,read,2025-01-20T08:00:00Z,");
        folder.load()
    };
    for currency in ["days:30", "runs:3/30", "hours:8/30"] {
        let plant = folder(currency);
        plant.expect("2025-02-11T08:00:00Z", Yes);
        let answer = plant.expect("2025-02-11T08:00:01Z", No);
        assert_eq!(answer.requirements[0].current, Some(false));
        assert!(answer.requirements[0].activities.iter().all(|activity| activity.held));
    }
}

#[test]
fn currency_without_a_check_runs_from_the_latest_evidence() {
    let plant = Folder::new()
        .version("1,2025-01-01,2025-01-10,full")
        .requirement("read;runs:1")
        .currency("days:30")
        .history("1,runs,2025-01-12T08:00:00Z,")
        .history("1,read,2025-01-20T08:00:00Z,")
        .load();
    plant.expect("2025-02-19T08:00:00Z", Yes);
    plant.expect("2025-02-19T08:00:01Z", No);
}

#[test]
fn of_several_requirements_the_worst_decides() {
    let folder = || {
        let folder = Folder::new().version("1,2025-01-01,2025-01-10,full");
        let folder = folder.version("2,2025-01-01,2025-02-10,quiz");
        folder.requirement("read").requirement("quiz:Q")
    };
    let done = || folder().history("1,read,2025-01-12,").history_of(2, "1,quiz,2025-01-12,90");
    done().load().expect("2025-01-13T00:00:00Z", Yes);
    done().load().expect("2025-02-11T00:00:00Z", No);
    let again = done().history_of(2, "2,quiz,2025-02-12,90").load();
    let answer = again.expect("2025-02-13T00:00:00Z", YesCarriedOver);
    let verdicts: Vec<Verdict> = answer.requirements.iter().map(|requirement| requirement.verdict).collect();
    assert_eq!(verdicts, [YesCarriedOver, Yes]);
}

#[test]
fn a_requirement_without_a_document_has_one_version_in_force_always() {
    let plant = Folder::new()
        .version("1,2025-01-01,2025-01-10,full")
        .requirement_without_document("briefing:B")
        .validity(12)
        .history(",briefing,2025-01-12T08:00:00Z,")
        .load();
    assert_eq!(plant.requirement("2025-01-12T07:59:59Z"), No);
    assert_eq!(plant.requirement("2025-01-12T08:00:00Z"), Yes);
    assert_eq!(plant.requirement("2026-01-12T08:00:00Z"), No);
    plant.expect("2025-01-13T00:00:00Z", NotRequired);
}

#[test]
fn a_version_withdrawn_before_its_day_still_demands_but_never_teaches() {
    let plant = Folder::new()
        .version("1,2025-01-01,2025-01-10,full")
        .version("2,2025-01-01,2025-02-10,read,2025-02-01")
        .version("3,2025-01-01,2025-03-10,none")
        .requirement("read")
        .history("1,read,2025-01-12,")
        .load();
    // Version 1 stays in force: nothing newer has become effective.
    plant.expect("2025-02-11T00:00:00Z", Yes);
    plant.expect("2025-03-11T00:00:00Z", No);
    assert_eq!(plant.open_choices("2025-03-11T00:00:00Z"), ["void_version_demands"]);
}
