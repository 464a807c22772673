//! O5 over one's own code: what nobody else's text gives away is seen by comparing with users alone.

use std::sync::atomic::{AtomicU32, Ordering};

use partywall::campaign::regressions as saved;
use partywall::trial::finding::{FindingKind, OracleId};
use partywall::trial::verdict::Verdict;

use super::*;

/// A service whose every request says whether another one is under way; the one that shares nothing
/// says that it is none of the others' business.
fn talkative(tells: bool) -> impl Backend {
    let busy = Arc::new(AtomicU32::new(0));
    handler(move |chat: Chat| {
        let busy = Arc::clone(&busy);
        async move {
            busy.fetch_add(1, Ordering::Relaxed);
            for _ in 0..2 {
                let others = tells && busy.load(Ordering::Relaxed) > 1;
                chat.say(if others { "one moment, please" } else { "working on it" });
                chat.world().turn().await;
            }
            busy.fetch_sub(1, Ordering::Relaxed);
            format!("you asked: {}", chat.prompt())
        }
    })
}

#[test]
fn a_word_that_depends_on_others_is_found_where_it_is_asked_for() {
    let unasked = explore(config("unasked"), || talkative(true)).expect("explored");
    assert_eq!(unasked.verdict(), Verdict::Clean);
    let asked = explore(config("asked").compare_alone(), || talkative(true)).expect("explored");
    let findings: Vec<_> = asked.findings().collect();
    assert_eq!(findings.len(), 1);
    let found = findings[0];
    assert_eq!((found.oracle, found.kind), (OracleId::NonInterference, FindingKind::Interference));
    let repro = &asked.repros()[0];
    assert_eq!(repro.plan.users.len(), 2, "it needs one other: {}", repro.size());
    assert!(asked.story().is_some_and(|story| story.summary.is_some()), "its replay shows it");
    let row = asked.level().oracles.iter().find(|row| row.oracle == OracleId::NonInterference);
    assert!(row.is_some_and(|row| row.judged_trials > 0 && row.judged_items > 0));
}

#[test]
fn a_saved_repro_of_it_is_replayed_beside_its_users_alone() {
    let folder = regressions("alone");
    let config = Config::named("alone").compare_alone();
    let found = explore(config.clone().regressions(None), || talkative(true)).expect("explored");
    saved::save(&folder, &found.repros()[0]).expect("saved");
    let config = config.trials(1).regressions(Some(folder));
    for (tells, replay) in [(true, ReplayResult::Same), (false, ReplayResult::Gone)] {
        let again = explore(config.clone(), || talkative(tells)).expect("explored");
        let rows: Vec<_> = again.saved_repros().iter().map(|row| row.replay).collect();
        // The other form has the same switch points.
        assert_eq!(rows, [replay]);
    }
}

#[test]
fn what_does_not_depend_on_others_is_clean_beside_its_users_alone() {
    for config in [config("quiet"), config("busy").runs_per_user(2).faults(0..=2)] {
        let clean = explore(config.compare_alone(), || talkative(false)).expect("explored");
        assert_eq!(clean.findings().count(), 0);
        let row = clean.level().oracles.iter().find(|row| row.oracle == OracleId::NonInterference);
        assert!(row.is_some_and(|row| row.judged_trials > 10), "{row:?}");
    }
}
