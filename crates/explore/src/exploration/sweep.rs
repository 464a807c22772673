//! Sweeps: something goes wrong at every point at which it can, one after the other, and others
//! work on.

use crate::exploration::collector::Collector;
use crate::exploration::explore_trial::explore_trial;
use crate::exploration::level::{Claimed, LevelTally};
use crate::exploration::parameters::{Done, Exploration, Explored, inside_runtime, walk_seed};
use crate::store::budget::Progress;
use crate::store::error::CampaignError;
use partywall_core::canary::Scanner;
use partywall_core::plan::{Fault, FaultKind, Plan};
use partywall_core::record::SearchMethod;
use partywall_core::schedule::Schedule;
use partywall_world::strategy::{Mode, Random, Replay, Strategy};

/// Seeded walks for each fault point, beside the default policy.
const WALKS: u64 = 2;

/// Drives that many plans of the exploration again and again, each time with one fault of those
/// kinds at the next of the points at which production may drop something.
///
/// # Errors
///
/// The run folder cannot be written, or the simulated world cannot run here.
pub(crate) fn sweep(
    exploration: &Exploration<'_>,
    kinds: &[FaultKind],
    plans: u64,
    progress: &dyn Progress,
) -> Result<Explored, CampaignError> {
    let Exploration { workload, seed, side, .. } = exploration;
    progress.begin(side, "sweep", &workload.scenario, 0);
    let mut collector =
        Collector::new(exploration, LevelTally::systematic(SearchMethod::FaultSweep, workload, 0))?;
    let mut swept = Swept { points: Vec::new(), plans: 0, complete: true };
    for number in 0..plans {
        let plan = workload.plan(*seed, number);
        swept.plans += 1;
        if !swept.sweep_plan(exploration, plan, kinds, &mut collector, progress)? {
            swept.complete = false;
            break;
        }
    }
    let planned = collector.tally.trials;
    collector.finish(swept.method(), planned, progress)
}

/// How many fault points were struck, by kind.
#[derive(Debug)]
struct Swept {
    points: Vec<(FaultKind, u64)>,
    plans: u64,
    complete: bool,
}

impl Swept {
    /// Whether to go on.
    fn sweep_plan(
        &mut self,
        exploration: &Exploration<'_>,
        mut plan: Plan,
        kinds: &[FaultKind],
        collector: &mut Collector<'_>,
        progress: &dyn Progress,
    ) -> Result<bool, CampaignError> {
        plan.faults.clear();
        let scanner = Scanner::new(plan.campaign);
        let stop = || exploration.stop.reason().is_some();
        let mut drive = |plan: &Plan, strategy: &mut dyn Strategy| {
            let trial = explore_trial(plan, exploration.subject, strategy, &stop);
            let trial = trial.map_err(inside_runtime)?;
            let fault_points = trial.fault_points.clone();
            let number = collector.tally.trials;
            let judged = exploration.judged(number, &trial, &scanner)?;
            collector.take(Done { number, judged, trial }, progress).map(|go| (go, fault_points))
        };
        let (mut go_on, fault_points) = drive(&plan, &mut default_policy())?;
        for ((user, kind), points) in fault_points {
            if !kinds.contains(&kind) {
                continue;
            }
            for at in 1..=points {
                plan.faults = vec![Fault { kind, user: user.clone(), at }];
                let seed = walk_seed(exploration.seed, at.into());
                for walk in 0..=WALKS {
                    if !go_on {
                        return Ok(false);
                    }
                    go_on = match walk {
                        0 => drive(&plan, &mut default_policy())?.0,
                        walk => drive(&plan, &mut Random::new(seed ^ walk))?.0,
                    };
                }
                self.count(kind);
            }
        }
        Ok(go_on)
    }

    fn count(&mut self, kind: FaultKind) {
        match self.points.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, points)) => *points += 1,
            None => self.points.push((kind, 1)),
        }
    }

    fn method(&self) -> Claimed {
        let kinds = FaultKind::ALL.into_iter().map(|kind| {
            let points = self.points.iter().find(|(known, _)| *known == kind);
            format!("{} {}s", points.map_or(0, |(_, points)| *points), kind.as_str())
        });
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        let which = if self.complete { "every fault point" } else { "fault points, not all," };
        let claims = vec![
            format!("{which} of {} plans was struck, one at a time", self.plans),
            kinds,
            format!("each under the default policy and {WALKS} random walks"),
        ];
        Claimed { method: SearchMethod::FaultSweep, claims }
    }
}

fn default_policy() -> Replay {
    Replay::new(&Schedule::default(), Mode::Lenient)
}
