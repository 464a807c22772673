//! After a migration further rounds are driven where nothing but phases that did not meet is missing.

use partywall::trial::record::Level;
use partywall::trial::verdict::Verdict;

use crate::drive::{drive, drive_after, steered};
use crate::servers::{Leak, Server, steered_chat};

const ROUNDS: u64 = 2;

fn work() -> String {
    steered("", "users = 6\nruns_per_user = 2\nparallel = 2\nrounds = 2\nstart_delay = [0, 0]")
}

/// What before came to if it leaked and asks nothing of after but that share of the phases.
fn asks_for_phases(server: &Server, share: f64) -> Level {
    let mut before = drive(&server.url(), &work()).level;
    assert_eq!(before.trials, ROUNDS);
    before.verdict = Verdict::Leaked;
    (before.trials_overlapping, before.overlapping_pairs) = (0, 0);
    before.phase_coverage.share = share;
    before
}

#[test]
fn rounds_go_on_until_as_many_phases_have_met_or_to_four_times_as_many() {
    let (server, _) = steered_chat::start(Leak::None);
    let mut before = asks_for_phases(&server, 0.0);
    for (share, driven) in [(0.0, ROUNDS), (2.0, 4 * ROUNDS)] {
        before.phase_coverage.share = share;
        let came = drive_after(&server.url(), &work(), &before);
        came.is_clean();
        assert_eq!([came.level.trials, came.level.trials_planned], [driven; 2], "{share}");
        // Each is another plan.
        let mut plans: Vec<_> = came.histories.iter().map(|history| &history.plan).collect();
        plans.dedup_by(|one, other| one.users == other.users);
        assert_eq!(plans.len() as u64, driven);
    }
}

#[test]
fn no_further_round_is_driven_where_it_would_not_help() {
    let (server, _) = steered_chat::start(Leak::None);
    let phases = asks_for_phases(&server, 2.0);
    let changed = |change: fn(&mut Level)| {
        let mut level = phases.clone();
        change(&mut level);
        level
    };
    // Runs that a lock keeps apart meet no more often in further rounds.
    let overlap = changed(|level| level.overlapping_pairs = u64::MAX);
    let clean = changed(|level| level.verdict = Verdict::Clean);
    for before in [overlap, clean] {
        assert_eq!(drive_after(&server.url(), &work(), &before).level.trials, ROUNDS);
    }
    // What still leaks need not be driven longer.
    let (server, _) = steered_chat::start(Leak::LastOfUser);
    let came = drive_after(&server.url(), &work(), &phases);
    assert_eq!((came.level.trials, came.level.verdict), (ROUNDS, Verdict::Leaked));
}
