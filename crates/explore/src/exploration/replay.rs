//! Replays a repro: *same*, *gone*, or *diverged*.

use std::fmt;

use crate::exploration::alone::{Alone, findings_by};
use crate::exploration::explore_trial::{Trial, explore_trial, replay_trial};
use crate::exploration::judged_trial::shows;
use crate::exploration::parameters::inside_runtime;
use crate::exploration::subject::Subject;
use crate::store::budget::Stop;
use crate::store::error::CampaignError;
use crate::store::repro::Repro;
use partywall_core::canary::Scanner;
use partywall_core::dialect::Dialect;
use partywall_core::finding::{Finding, Fingerprint, OracleId};
use partywall_core::history::{Ending, History, What};
use partywall_core::replay_result::ReplayResult;
use partywall_core::schedule::Schedule;
use partywall_oracles::{Case, judge};
use partywall_world::strategy::{Choice, Mode, Random, Replay, Strategy, SwitchPoint};

/// What one replay came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replayed {
    /// The same finding was made.
    Same,
    /// The schedule was followed to its end and the finding was not made.
    Gone,
    /// The schedule could not be followed: the deviation of that number, from 0.
    Diverged(usize),
    /// The trial ended otherwise: it hung, panicked or was stopped.
    Unfinished,
}

impl Replayed {
    /// As reports have it.
    pub fn result(self) -> ReplayResult {
        match self {
            Self::Same => ReplayResult::Same,
            Self::Gone => ReplayResult::Gone,
            Self::Diverged(_) => ReplayResult::Diverged,
            Self::Unfinished => ReplayResult::Unfinished,
        }
    }

    /// The deviation from which it could not be followed.
    pub fn diverged_at(self) -> Option<usize> {
        match self {
            Self::Diverged(at) => Some(at),
            Self::Same | Self::Gone | Self::Unfinished => None,
        }
    }
}

impl fmt::Display for Replayed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => out.write_str("same"),
            Self::Gone => out.write_str("gone"),
            Self::Diverged(at) => write!(out, "diverged at deviation {at}"),
            Self::Unfinished => out.write_str("unfinished"),
        }
    }
}

/// Replays an explored repro strictly against that back end.
///
/// # Errors
///
/// The repro has no schedule, or the simulated world cannot run here.
pub fn replay_explored(
    repro: &Repro,
    subject: &dyn Subject,
    stop: &Stop,
) -> Result<(Replayed, History), CampaignError> {
    let schedule = repro.schedule()?;
    let stopped = || stop.reason().is_some();
    let trial = replay_trial(&repro.plan, subject, &schedule, Mode::Strict, &stopped);
    let Trial { history, .. } = trial.map_err(inside_runtime)?;
    let findings = findings_by(repro.oracle, &history, subject, &stopped);
    let findings = findings.map_err(inside_runtime)?;
    Ok((replayed(&findings, &history, &repro.fingerprint), history))
}

/// What a replay came to, from its history and what was found in it.
pub fn replayed(findings: &[Finding], history: &History, fingerprint: &Fingerprint) -> Replayed {
    // What was found stands, however the trial ended.
    if shows(findings, fingerprint) {
        return Replayed::Same;
    }
    let of_back_end = |what: &What| {
        matches!(what, What::Connected { .. } | What::Answer { .. } | What::Backend { .. })
    };
    let reached = history.observations.iter().any(|seen| of_back_end(&seen.what));
    match &history.ending {
        Some(Ending::Diverged { deviation }) => Replayed::Diverged(*deviation),
        Some(Ending::Finished) if reached => Replayed::Gone,
        _ => Replayed::Unfinished,
    }
}

/// Explores schedules around a repro's: the deviations that still fit are followed in part, and the
/// rest is a random walk. Gives how many of them made any finding.
///
/// # Errors
///
/// The repro has no schedule, or the simulated world cannot run here.
pub fn explore_around(
    repro: &Repro,
    subject: &dyn Subject,
    schedules: u64,
    stop: &Stop,
) -> Result<Around, CampaignError> {
    let schedule = repro.schedule()?;
    let scanner = Scanner::new(repro.plan.campaign);
    let dialect = Dialect::of(&repro.plan);
    let mut around = Around::default();
    let mut alone = Alone::new(&repro.plan, subject, &|| false);
    for seed in 0..schedules {
        if stop.reason().is_some() {
            break;
        }
        let mut strategy = Near::new(&schedule, seed);
        let trial = explore_trial(&repro.plan, subject, &mut strategy, &|| false);
        let history = trial.map_err(inside_runtime)?.history;
        let judged = judge(&Case::with_scanner(&history, &dialect, &scanner));
        let mut found = !judged.findings.is_empty();
        if repro.oracle == OracleId::NonInterference && !found {
            found = !alone.findings(&history).map_err(inside_runtime)?.is_empty();
        }
        around.schedules += 1;
        around.with_findings += u64::from(found);
    }
    Ok(around)
}

/// What exploring around a repro came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// Schedules that were tried.
    pub schedules: u64,
    /// Those in which anything was found.
    pub with_findings: u64,
}

/// Follows a schedule leniently, and at one switch point in four goes its own way.
struct Near {
    replay: Replay,
    walk: Random,
    rng: fastrand::Rng,
}

impl Near {
    fn new(schedule: &Schedule, seed: u64) -> Self {
        Self {
            replay: Replay::new(schedule, Mode::Lenient),
            walk: Random::new(seed),
            rng: fastrand::Rng::with_seed(!seed),
        }
    }
}

impl Strategy for Near {
    fn choose(&mut self, at: &SwitchPoint<'_>) -> Choice {
        let followed = self.replay.choose(at);
        if self.rng.u8(0..4) == 0 { self.walk.choose(at) } else { followed }
    }
}
