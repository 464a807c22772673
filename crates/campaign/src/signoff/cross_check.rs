//! The repros of before on after: none of them may show again.

use std::sync::Arc;

use crate::wire::drive::{drive_plan, user_runtime};
use crate::wire::round_keys::RoundKeys;
use crate::wire::rounds::WIRE_REPLAYS;
use partywall_core::dialect::Dialect;
use partywall_core::plan::Plan;
use partywall_core::record::{CrossCheck, LevelName};
use partywall_core::replay_result::ReplayResult;
use partywall_drive::transport::Servers;
use partywall_explore::exploration::judged_trial::mostly_ended;
use partywall_explore::exploration::replay::{Replayed, explore_around, replay_explored, replayed};
use partywall_explore::exploration::subject::Subject;
use partywall_explore::store::budget::Stop;
use partywall_explore::store::error::CampaignError;
use partywall_explore::store::repro::Repro;
use partywall_oracles::left::Left;
use partywall_oracles::{Case, judge};
use partywall_world::recorder::Recorder;

/// Schedules around each explored repro that are tried on after.
const SCHEDULES_AROUND: u64 = 1_000;

/// What became of before's repros on after.
#[derive(Debug, Default)]
pub(crate) struct CrossChecks {
    pub(crate) rows: Vec<CrossCheck>,
    /// What before left in a store that after reads.
    pub(crate) left: Option<Left>,
}

impl CrossChecks {
    pub(crate) fn add(&mut self, more: Self) {
        self.rows.extend(more.rows);
        self.left = self.left.take().or(more.left);
    }
}

/// Replays an explored repro of before on after, and explores around it.
pub(crate) fn check_explored(
    repro: &Repro,
    after: &dyn Subject,
    stop: &Stop,
) -> Result<CrossCheck, CampaignError> {
    let (replayed, _) = replay_explored(repro, after, stop)?;
    let around = explore_around(repro, after, SCHEDULES_AROUND, stop)?;
    let name = format!("{}-{}", repro.plan.scenario, repro.fingerprint);
    Ok(CrossCheck {
        level: LevelName::Explore,
        fingerprint: repro.fingerprint.clone(),
        repro: format!("repros/before-explore-{name}.json"),
        replay: result_of(replayed),
        schedules_around: around.schedules,
        findings_around: around.with_findings,
    })
}

/// Drives one leaking plan of before on after; none of its repros may show again.
pub(crate) fn check_on_wire(
    plan: &Plan,
    repros: &[&Repro],
    servers: &Arc<Servers>,
    keys: &RoundKeys,
    stop: &Stop,
) -> Result<CrossChecks, CampaignError> {
    let runtime = user_runtime()?;
    let mut worst = vec![Replayed::Gone; repros.len()];
    let (mut with_findings, mut left) = (0, None);
    for _ in 0..WIRE_REPLAYS {
        let driven = drive_plan(servers, keys.plant(plan.clone()), Recorder::in_memory(), stop);
        let (history, _) = runtime.block_on(driven);
        let judged = judge(&Case::new(&history, &Dialect::of(&history.plan)));
        let findings = judged.findings;
        left = left.or(judged.left);
        with_findings += u64::from(!findings.is_empty());
        let ended = mostly_ended(&history);
        for (worst, repro) in worst.iter_mut().zip(repros) {
            let came_to = match replayed(&findings, &history, &repro.fingerprint) {
                // What may not be sent any more, or is not answered, cannot show anything.
                Replayed::Gone if servers.allowance.is_spent() || !ended => Replayed::Unfinished,
                came_to => came_to,
            };
            if *worst != Replayed::Same && came_to != Replayed::Gone {
                *worst = came_to;
            }
        }
    }
    let check = |(repro, worst): (&&Repro, Replayed)| CrossCheck {
        level: LevelName::Wire,
        fingerprint: repro.fingerprint.clone(),
        repro: format!("repros/before-wire-{}-{}.json", plan.scenario, repro.fingerprint),
        replay: result_of(worst),
        schedules_around: 0,
        findings_around: with_findings,
    };
    Ok(CrossChecks { rows: repros.iter().zip(worst).map(check).collect(), left })
}

fn result_of(replayed: Replayed) -> ReplayResult {
    match replayed {
        Replayed::Same => ReplayResult::Same,
        Replayed::Gone => ReplayResult::Gone,
        Replayed::Diverged(_) | Replayed::Unfinished => ReplayResult::Diverged,
    }
}
