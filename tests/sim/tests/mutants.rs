//! Each deliberately wrong variant is caught by a check: that proves the checks.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sim::{Mutant, Violation, run, scenario};

/// Most seeds tried for one mutant, after the named scenarios.
fn most_seeds() -> u64 {
    std::env::var("LINEPROOF_MUTANT_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(60)
}

/// The violations of one run. The simulator's stores assert what no store may be asked for, and a mutant may ask: such a run proves no check.
fn violations(run: impl FnOnce() -> Vec<Violation>) -> Vec<Violation> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_default()
}

/// What noticed it first, and where: a scenario's name, or a seed.
fn caught_by(mutant: Mutant) -> Option<String> {
    let in_scenarios = scenario::ALL.into_iter().find_map(|(name, scenario)| {
        let found = violations(|| scenario(Some(mutant)).violations);
        found.first().map(|first| format!("scenario {name:?}: {first:?}"))
    });
    let in_seeds = |seed| {
        let found = violations(|| run(seed, Some(mutant)).violations);
        found.first().map(|first| format!("seed {seed}: {first:?}"))
    };
    in_scenarios.or_else(|| (1..=most_seeds()).find_map(in_seeds))
}

/// One test for each mutant, named after the rule that is taken away.
macro_rules! each_is_caught {
    ($(#[test] fn $name:ident() = $mutant:ident;)*) => {
        $(
            #[test]
            fn $name() {
                let by = caught_by(Mutant::$mutant);
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
    #[test] fn a_recovery_shown_only_inside_the_refused_order_is_caught() = RecoveredInsideTheOrder;
    #[test] fn taking_in_spite_of_a_contradiction_is_caught() = TakesAnyway;
    #[test] fn a_contradiction_that_neither_stops_nor_opens_an_epoch_is_caught() = ContradictionIgnored;
    #[test] fn orders_compared_by_number_alone_are_caught() = ComparesNumbers;
    #[test] fn believing_unsigned_heads_is_caught() = BelievesUnsignedHeads;
    #[test] fn silence_about_others_unconfirmed_logs_is_caught() = NoBeyond;
    #[test] fn trusting_the_local_checkpoint_after_a_server_restore_is_caught() = ConfirmedForGood;
    #[test] fn a_foreign_entry_of_the_own_epoch_without_consequence_is_caught() = NoNewEpochForForeignEntries;
    #[test] fn an_epoch_that_is_the_last_plus_one_is_caught() = EpochPlusOne;
    #[test] fn going_on_in_an_incarnation_that_another_writes_in_is_caught() = NoNewIncarnation;
    #[test] fn dropping_on_a_unique_clash_is_caught() = DropsOnClash;
    #[test] fn identity_by_device_and_counter_alone_is_caught() = IdentityByCounter;
    #[test] fn holding_above_a_gap_is_caught() = AcceptsGaps;
    #[test] fn marking_as_sent_on_send_is_caught() = SentOnSend;
    #[test] fn a_cursor_durable_before_its_entries_is_caught() = CursorFirst;
    #[test] fn acknowledging_before_it_is_durable_is_caught() = AcknowledgesBeforeCommit;
    #[test] fn refusing_what_a_revoked_device_gives_is_caught() = RevokedMayNotGive;
    #[test] fn refusing_to_hold_behind_an_enrolment_without_effect_is_caught() = HoldsByVerdict;
    #[test] fn a_verdict_by_order_of_arrival_is_caught() = VerdictByArrival;
    #[test] fn an_alarm_for_each_clash_is_caught() = AlarmPerClash;
    #[test] fn never_issuing_an_enrolment_anew_is_caught() = NoReissue;
    #[test] fn keeping_no_enrolment_outside_its_chain_is_caught() = NoLooseEnrolment;
    #[test] fn refusing_to_hold_what_has_no_effect_is_caught() = HoldsOnlyWhatCounts;
    #[test] fn a_hybrid_clock_that_follows_the_wall_clock_back_is_caught() = OrdersByWallClock;
}
