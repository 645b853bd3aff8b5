//! Each deliberately wrong variant is caught by a check: that proves the checks.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sim::Violation::*;
use sim::{Mutant, Violation, run, scenario};

/// Most seeds tried for one mutant, after the named scenarios.
fn most_seeds() -> u64 {
    std::env::var("LINEPROOF_MUTANT_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(60)
}

/// The violations of one run. The simulator's stores assert what no store may be asked for, and a mutant may ask: such a run proves no check.
fn violations(run: impl FnOnce() -> Vec<Violation>) -> Vec<Violation> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_default()
}

/// Where the check that is there for it notices it first: in a scenario, or by a seed.
fn caught_by(mutant: Mutant, check: impl Fn(&Violation) -> bool) -> Option<String> {
    let noticed = |found: Vec<Violation>| found.into_iter().find(|violation| check(violation));
    let in_scenarios = scenario::ALL.into_iter().find_map(|(name, scenario)| {
        let found = noticed(violations(|| scenario(Some(mutant)).violations));
        found.map(|violation| format!("scenario {name:?}: {violation:?}"))
    });
    let in_seeds = |seed| {
        let found = noticed(violations(|| run(seed, Some(mutant)).violations));
        found.map(|violation| format!("seed {seed}: {violation:?}"))
    };
    in_scenarios.or_else(|| (1..=most_seeds()).find_map(in_seeds))
}

/// One test for each mutant, named after the rule that is taken away, with the check that has to notice it: another would be chance.
macro_rules! each_is_caught {
    ($(#[test] fn $name:ident() = $mutant:ident by ($check:pat);)*) => {
        $(
            #[test]
            fn $name() {
                let by = caught_by(Mutant::$mutant, |violation| matches!(violation, $check));
                println!("{{\"name\":\"mutants\",\"mutant\":\"{}\",\"caught_by\":{by:?}}}", stringify!($mutant));
                assert!(by.is_some(), "not caught by the scenarios and {} seeds", most_seeds());
            }
        )*

        #[test]
        fn no_mutant_is_without_its_test() {
            assert_eq!(Mutant::ALL, [$(Mutant::$mutant),*]);
        }
    };
}

each_is_caught! {
    #[test] fn a_recovery_shown_only_inside_the_refused_order_is_caught() = RecoveredInsideTheOrder by (NotEqual { .. });
    #[test] fn taking_in_spite_of_a_contradiction_is_caught() = TakesAnyway by (TookFromContradiction { .. });
    #[test] fn a_contradiction_that_neither_stops_nor_opens_an_epoch_is_caught() = ContradictionIgnored by (NotEqual { .. });
    #[test] fn orders_compared_by_number_alone_are_caught() = ComparesNumbers by (NotEqual { .. });
    #[test] fn believing_unsigned_heads_is_caught() = BelievesUnsignedHeads by (StoppedOnALie);
    #[test] fn silence_about_others_unconfirmed_logs_is_caught() = NoBeyond by (ServerLacks { .. });
    #[test] fn trusting_the_local_checkpoint_after_a_server_restore_is_caught() = ConfirmedForGood by (ServerLacks { .. });
    #[test] fn a_foreign_entry_of_the_own_epoch_without_consequence_is_caught() = NoNewEpochForForeignEntries by (NewEntryWithoutEffect { .. });
    #[test] fn an_epoch_that_is_the_last_plus_one_is_caught() = EpochPlusOne by (ProperRestoreForked);
    #[test] fn going_on_in_an_incarnation_that_another_writes_in_is_caught() = NoNewIncarnation by (NewEntryWithoutEffect { .. });
    #[test] fn dropping_on_a_unique_clash_is_caught() = DropsOnClash by (ServerLacks { .. });
    #[test] fn identity_by_device_and_counter_alone_is_caught() = IdentityByCounter by (AcknowledgedNotDurable(_));
    #[test] fn holding_above_a_gap_is_caught() = AcceptsGaps by (ServerLacks { .. });
    #[test] fn marking_as_sent_on_send_is_caught() = SentOnSend by (ServerLacks { .. });
    #[test] fn a_cursor_durable_before_its_entries_is_caught() = CursorFirst by (ReceiptForNothing { .. });
    #[test] fn a_cursor_taken_past_what_could_not_be_held_is_caught() = CursorPastGaps by (ReceiptForNothing { .. });
    #[test] fn acknowledging_before_it_is_durable_is_caught() = AcknowledgesBeforeCommit by (AcknowledgedNotDurable(_));
    #[test] fn refusing_what_a_revoked_device_gives_is_caught() = RevokedMayNotGive by (ServerLacks { .. });
    #[test] fn refusing_to_hold_behind_an_enrolment_without_effect_is_caught() = HoldsByVerdict by (ServerLacks { .. });
    #[test] fn holding_in_streams_that_nobody_gave_the_device_is_caught() = HoldsAnyStream by (HoldsForgery(_));
    #[test] fn a_verdict_by_order_of_arrival_is_caught() = VerdictByArrival by (VerdictsDiffer(_));
    #[test] fn a_ruling_that_changes_nothing_is_caught() = IgnoresRulings by (RuledInVain(_));
    #[test] fn an_alarm_for_each_clash_is_caught() = AlarmPerClash by (AlarmsAreNotForks);
    #[test] fn never_issuing_an_enrolment_anew_is_caught() = NoReissue by (ServerLacks { .. });
    #[test] fn keeping_no_enrolment_outside_its_chain_is_caught() = NoLooseEnrolment by (ServerLacks { .. });
    #[test] fn refusing_to_hold_what_has_no_effect_is_caught() = HoldsOnlyWhatCounts by (ServerLacks { .. });
    #[test] fn a_hybrid_clock_that_follows_the_wall_clock_back_is_caught() = OrdersByWallClock by (HybridClockFell(_));
}
