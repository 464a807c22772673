//! A replayed trial, step by step: who went on when, and where the schedule deviated.

use std::collections::BTreeMap;

use crate::exploration::alone::findings_by;
use crate::exploration::explore_trial::replay_trial;
use crate::exploration::level::record_of;
use crate::exploration::parameters::inside_runtime;
use crate::exploration::subject::Subject;
use crate::exploration::timeline::timeline;
use crate::store::budget::Stop;
use crate::store::error::CampaignError;
use crate::store::repro::Repro;
use partywall_core::ids::TaskName;
use partywall_core::schedule::Schedule;
use partywall_core::timeline::{Interleaving, TimeUnit, Turning};
use partywall_world::strategy::Mode;

/// Replays an explored repro strictly and tells its steps.
///
/// # Errors
///
/// The repro has no schedule, or the simulated world cannot run here.
pub fn interleave(
    repro: &Repro,
    subject: &dyn Subject,
    stop: &Stop,
) -> Result<Interleaving, CampaignError> {
    let schedule = repro.schedule()?;
    let stopped = || stop.reason().is_some();
    let trial = replay_trial(&repro.plan, subject, &schedule, Mode::Strict, &stopped);
    let trial = trial.map_err(inside_runtime)?;
    let findings = findings_by(repro.oracle, &trial.history, subject, &stopped);
    let findings = findings.map_err(inside_runtime)?;
    let shown = findings.iter().find(|finding| finding.fingerprint == repro.fingerprint);
    let mut record = shown.map(|finding| record_of(finding, None, 1));
    let mut focus: Vec<_> = record.iter_mut().collect();
    let timeline = timeline(&trial.history, "", TimeUnit::Step, &mut focus);
    let evidence = record.as_ref().map_or_else(Vec::new, |record| {
        record.evidence.iter().map(|evidence| evidence.n).collect()
    });
    Ok(Interleaving {
        turnings: turnings(&schedule, &trial.trace),
        timeline,
        steps: trial.trace,
        evidence,
        summary: record.map(|record| record.summary),
    })
}

/// At which steps the schedule deviated.
fn turnings(schedule: &Schedule, trace: &[TaskName]) -> Vec<Turning> {
    let mut own_steps: BTreeMap<&TaskName, u64> = BTreeMap::new();
    let mut ended_at: BTreeMap<(&TaskName, u64), u64> = BTreeMap::new();
    for (step, task) in (1..).zip(trace) {
        let own = own_steps.entry(task).or_default();
        *own += 1;
        ended_at.insert((task, *own), step);
    }
    let turning = |deviation: &partywall_core::schedule::Deviation| {
        let at = match deviation.after.as_str() {
            "" => Some(0),
            _ => ended_at.get(&(&deviation.after, deviation.step)).copied(),
        };
        Some(Turning {
            after: at?,
            instead_of: deviation.after.clone(),
            task: deviation.run.clone(),
        })
    };
    schedule.deviations.iter().filter_map(turning).collect()
}
