//! Takes the trials of one exploration in, in the order of their numbers, whatever chose them.

use std::sync::{Mutex, PoisonError};

use crate::exploration::alone::Alone;
use crate::exploration::level::{Claimed, LevelTally};
use crate::exploration::level_sums::LevelSums;
use crate::exploration::parameters::{Done, Exploration, Explored, inside_runtime};
use crate::exploration::search::Odds;
use crate::exploration::timeline::draw;
use crate::store::budget::Progress;
use crate::store::error::CampaignError;
use crate::store::repro::Repro;
use crate::store::run_folder::Lines;
use partywall_core::control::{Drive, Tally};
use partywall_core::dialect::Dialect;
use partywall_core::finding::Finding;
use partywall_core::history::{Ending, History};
use partywall_core::record::FindingRecord;
use partywall_oracles::all;
use partywall_oracles::control::judge_control_beside;

/// What the trials so far came to.
#[derive(Debug)]
pub(crate) struct Collector<'e> {
    exploration: &'e Exploration<'e>,
    log: Lines,
    pub(crate) tally: LevelTally,
    pub(crate) odds: Odds,
    /// In step with the tally's findings.
    found: Vec<(Repro, Finding)>,
    unfinished: Vec<std::mem::Discriminant<Ending>>,
    /// The first that overlapped, and its number.
    overlapping: Option<(u64, History)>,
}

impl<'e> Collector<'e> {
    pub(crate) fn new(
        exploration: &'e Exploration<'e>,
        mut tally: LevelTally,
    ) -> Result<Self, CampaignError> {
        tally.may_be_blind(exploration.may_be_blind);
        let log = exploration.folder.lines(&format!("{}/trials.jsonl", exploration.home()))?;
        Ok(Self {
            exploration,
            log,
            tally,
            odds: Odds::default(),
            found: Vec::new(),
            unfinished: Vec::new(),
            overlapping: None,
        })
    }

    /// Takes the next trial in; whether to go on.
    pub(crate) fn take(
        &mut self,
        done: Done,
        progress: &dyn Progress,
    ) -> Result<bool, CampaignError> {
        let exploration = self.exploration;
        exploration.keep_unfinished(&mut self.unfinished, &done)?;
        let stopped = done.trial.history.ending == Some(Ending::Stopped);
        if stopped && done.judged.findings.is_empty() {
            // Cut in the middle: neither tried nor clean.
            return Ok(false);
        }
        self.odds.add(&done.trial);
        exploration.log(&self.log, &done)?;
        for (record, place) in self.tally.add(&done.judged) {
            self.found.push(exploration.keep(&mut self.tally.findings[record], &done, place)?);
        }
        let findings = self.tally.findings.len() as u64;
        progress.advance(self.tally.trials, self.tally.trials_overlapping, findings);
        if done.judged.overlap.pairs > 0 && self.overlapping.is_none() {
            self.overlapping = Some((done.number, done.trial.history));
        }
        let enough = exploration.enough.is_some_and(|enough| findings >= enough);
        Ok(!enough && exploration.stop.reason().is_none())
    }

    /// Makes the repros small, plants the judge's controls, and closes the level.
    pub(crate) fn finish(
        mut self,
        method: Claimed,
        planned: u64,
        progress: &dyn Progress,
    ) -> Result<Explored, CampaignError> {
        let exploration = self.exploration;
        let stopped = exploration.stop.reason();
        progress.say(&format!("shrinking {} findings", self.found.len()));
        let found = self.tally.findings.iter_mut().zip(self.found).collect();
        let repros = shrink_all(exploration, found)?;
        let judged = self
            .overlapping
            .as_ref()
            .map(|(number, history)| exploration.control(history).map(|tally| (*number, tally)));
        let judged = judged.transpose()?;
        progress.end();
        self.tally.state_method(method, planned);
        let sums = exploration.partition.map(|_| LevelSums {
            side: exploration.side.into(),
            backend: exploration.subject.target().to_string(),
            campaign_trials: exploration.trials,
            judged: judged.clone(),
            tally: self.tally.clone(),
        });
        let judge = judged.map_or_else(Tally::default, |(_, tally)| tally);
        let mut level = self.tally.finish(judge, Drive::Absent, stopped);
        draw(exploration.folder, &mut level);
        Ok(Explored { level, repros, sums })
    }
}

impl Exploration<'_> {
    /// Plants the judge's controls in a history.
    fn control(&self, history: &History) -> Result<Tally, CampaignError> {
        let stop = || self.stop.reason().is_some();
        let mut alone = Alone::new(&history.plan, self.subject, &stop);
        let solos = self.alone.then(|| alone.solos()).transpose().map_err(inside_runtime)?;
        let dialect = Dialect::reference();
        Ok(judge_control_beside(&all(), history, &dialect, solos, self.seed))
    }
}

/// Makes the repros small, on as many threads as trials run on; in the order of the findings.
fn shrink_all(
    exploration: &Exploration<'_>,
    found: Vec<(&mut FindingRecord, (Repro, Finding))>,
) -> Result<Vec<Repro>, CampaignError> {
    let mut small: Vec<Option<Result<Repro, CampaignError>>> = Vec::new();
    small.resize_with(found.len(), || None);
    let left = Mutex::new(found.into_iter().zip(&mut small));
    std::thread::scope(|scope| {
        for _ in 0..exploration.workers.max(1) {
            scope.spawn(|| {
                loop {
                    let next = left.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(((record, (repro, finding)), place)) = next else { return };
                    *place = Some(exploration.smallest(record, repro, &finding));
                }
            });
        }
    });
    drop(left);
    small.into_iter().flatten().collect()
}
