//! After a migration further rounds are driven where chance alone kept phases from meeting.

use partywall::trial::record::Level;
use partywall::trial::verdict::Verdict;

use super::drive::{Came, drive, drive_after, steered};
use crate::servers::{Leak, Server, steered_chat};

const ROUNDS: u64 = 2;
/// Jobs of all rounds that are asked for.
const JOBS: u64 = 6 * 2 * ROUNDS;
/// More jobs than there are.
const NEVER: u64 = 1_000_000;

/// Each run says `begin`, `step`s and `final`, and `flash` too from that job on.
fn work(flash_from: u64) -> String {
    let users = "users = 6\nruns_per_user = 2\nparallel = 2\nrounds = 2\nstart_delay = [0, 40]";
    let text = steered(&format!(", flash_from = {flash_from}"), users);
    let text = text.replace(r#"types = ["step"]"#, r#"types = ["begin", "flash", "step"]"#);
    text + "[severity]\nown_data = \"leak\"\n"
}

/// What before came to if it leaked and its runs met in that share of the phases.
fn asks_for_phases(server: &Server, share: f64) -> Level {
    let mut before = drive(&server.url(), &work(NEVER)).level;
    assert_eq!(before.trials, ROUNDS);
    assert_eq!(before.phase_coverage.phases, ["begin", "flash", "step", "final"]);
    before.verdict = Verdict::Leaked;
    before.phase_coverage.share = share;
    // Else the phases in which runs stay would be counted anew.
    before.phase_coverage.mean_milliseconds.clear();
    before
}

/// Drives after, once its jobs count from 1.
fn after(leak: Leak, flash_from: u64, before: &Level) -> Came {
    let (server, _) = steered_chat::start(leak);
    drive_after(&server.url(), &work(flash_from), before)
}

#[test]
fn rounds_go_on_until_as_many_phases_have_met_or_to_eight_times_as_many() {
    let (server, _) = steered_chat::start(Leak::None);
    let none = asks_for_phases(&server, 0.0);
    let came = after(Leak::None, NEVER, &none);
    assert_eq!([came.level.trials, came.level.trials_further()], [ROUNDS, 0]);
    // More than can be.
    let came = after(Leak::None, NEVER, &asks_for_phases(&server, 2.0));
    came.is_clean();
    assert_eq!([came.level.trials, came.level.trials_planned], [8 * ROUNDS, ROUNDS]);
    // Each is another plan.
    let mut plans: Vec<_> = came.histories.iter().map(|history| &history.plan).collect();
    plans.dedup_by(|one, other| one.users == other.users);
    assert_eq!(plans.len() as u64, 8 * ROUNDS);
    // All that can be, and that only in further rounds.
    let came = after(Leak::None, JOBS + 1, &asks_for_phases(&server, 1.25));
    came.is_clean();
    assert!((1.0 - came.level.phase_coverage.share).abs() < 1e-9);
    assert!((ROUNDS + 1..8 * ROUNDS).contains(&came.level.trials), "{}", came.level.trials);
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
    let meetings = changed(|level| level.phase_coverage.counts[2].fill(1_000_000));
    let clean = changed(|level| level.verdict = Verdict::Clean);
    for before in [overlap, meetings, clean] {
        assert_eq!(after(Leak::None, NEVER, &before).level.trials, ROUNDS);
    }
    // What still leaks need not be driven longer.
    let came = after(Leak::LastOfUser, NEVER, &phases);
    assert_eq!((came.level.trials, came.level.verdict), (ROUNDS, Verdict::Leaked));
}
