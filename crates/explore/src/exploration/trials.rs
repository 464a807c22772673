//! Many trials in the simulated world: each its own plan and its own schedule.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

use crate::exploration::collector::Collector;
use crate::exploration::exhaustive::exhaust;
use crate::exploration::parameters::{Done, inside_runtime, walk_seed};
pub use crate::exploration::parameters::{Exploration, Explored};
use crate::exploration::search::{Search, Searcher};
use crate::exploration::sweep::sweep;
use crate::store::budget::Progress;
use crate::store::error::CampaignError;
use partywall_core::canary::{CampaignKey, Scanner};
use partywall_core::history::to_line;
use partywall_core::measure::Partition;

/// Runs the exploration and writes everything that it finds.
///
/// # Errors
///
/// The run folder cannot be written, or the simulated world cannot run here.
pub fn explore(
    exploration: &Exploration<'_>,
    progress: &dyn Progress,
) -> Result<Explored, CampaignError> {
    match &exploration.search {
        Search::Exhaustive { delays } => {
            return Ok(exhaust(exploration, *delays, progress)?.explored);
        }
        Search::Sweep { kinds, plans } => return sweep(exploration, kinds, *plans, progress),
        search => debug_assert!(search.is_sampling()),
    }
    let Exploration { workload, trials, side, .. } = exploration;
    let own = exploration.slice().share_of(*trials);
    progress.begin(side, "explore", &workload.scenario, own);
    let searcher = Searcher::new(&exploration.search);
    let mut tally = searcher.tally(workload, own);
    tally.partition = exploration.slice();
    let mut collector = Collector::new(exploration, tally)?;
    exploration.each_trial(&searcher, |done| collector.take(done, progress))?;
    let method = searcher.method(&collector.odds);
    collector.finish(method, own, progress)
}

impl Exploration<'_> {
    /// Runs the trials on the workers, and hands them to `take` in the order of their numbers
    /// until it says that it has enough.
    fn each_trial(
        &self,
        searcher: &Searcher<'_>,
        mut take: impl FnMut(Done) -> Result<bool, CampaignError>,
    ) -> Result<(), CampaignError> {
        let next = AtomicU64::new(0);
        let enough = AtomicBool::new(false);
        let (sender, results) = mpsc::sync_channel(64);
        std::thread::scope(|scope| {
            for worker in 0..searcher.workers(self.workers) {
                let (sender, next, enough) = (sender.clone(), &next, &enough);
                scope.spawn(move || self.work(searcher, worker, next, enough, &sender));
            }
            drop(sender);
            let taken = take_in_order(self.slice(), results, &mut take);
            // Whatever the reason, the workers need not go on.
            enough.store(true, Ordering::Relaxed);
            taken
        })
    }

    fn work(
        &self,
        searcher: &Searcher<'_>,
        worker: usize,
        next: &AtomicU64,
        enough: &AtomicBool,
        results: &mpsc::SyncSender<Result<Done, CampaignError>>,
    ) {
        let scanner = Scanner::new(CampaignKey::from_seed(self.seed));
        let in_hand = format!("{}/in-hand-{worker}.json", self.home());
        let mut in_hand = match self.folder.in_hand(&in_hand) {
            Ok(in_hand) => in_hand,
            Err(error) => {
                let _ = results.send(Err(error));
                return;
            }
        };
        loop {
            let number = self.slice().trial(next.fetch_add(1, Ordering::Relaxed));
            if number >= self.trials
                || enough.load(Ordering::Relaxed)
                || self.stop.reason().is_some()
            {
                return;
            }
            let plan = self.workload.plan(self.seed, number);
            let done = in_hand.take(&to_line(&plan)).and_then(|()| {
                let seed = walk_seed(self.seed, number);
                let stop = || self.stop.reason().is_some();
                let trial = searcher.trial(number, seed, &plan, self.subject, &stop);
                let trial = trial.map_err(inside_runtime)?;
                let judged = self.judged(number, &trial, &scanner)?;
                Ok(Done { number, judged, trial })
            });
            // Nobody listens any more: there was enough.
            if results.send(done).is_err() {
                return;
            }
        }
    }
}

fn take_in_order(
    slice: Partition,
    results: mpsc::Receiver<Result<Done, CampaignError>>,
    take: &mut dyn FnMut(Done) -> Result<bool, CampaignError>,
) -> Result<(), CampaignError> {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    for done in results {
        let done = done?;
        waiting.insert(done.number, done);
        while let Some(done) = waiting.remove(&slice.trial(next)) {
            next += 1;
            if !take(done)? {
                return Ok(());
            }
        }
    }
    Ok(())
}
