//! Exploring one's own code: what it came to.

use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use super::config::Config;
use super::make_backend::{Code, MakeBackend};
use super::story;
use crate::exploration::interleaving::interleave;
use crate::exploration::regressions::{self, replay_first};
use crate::exploration::{self as explorations, Exploration, Explored};
use crate::store::RunFolder;
use crate::store::budget::{Silent, Stop};
use crate::store::error::CampaignError;
use crate::store::repro::Repro;
use partywall_core::finding::OracleId;
use partywall_core::plan::Via;
use partywall_core::record::{FindingRecord, Level, SavedRepro};
use partywall_core::replay_result::ReplayResult;
use partywall_core::timeline::Interleaving;
use partywall_core::verdict::{Reason, Verdict};

/// The result of [`explore`].
#[derive(Clone, Debug)]
pub struct Isolation {
    verdict: Verdict,
    level: Level,
    again: Option<Level>,
    repros: Vec<Repro>,
    saved: Vec<SavedRepro>,
    story: Option<Interleaving>,
}

impl Isolation {
    /// The verdict: clean, leaked or inconclusive.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Why the verdict is what it is.
    pub fn reasons(&self) -> &[Reason] {
        &self.level.reasons
    }

    /// The findings; those of saved repros come first.
    pub fn findings(&self) -> impl Iterator<Item = &FindingRecord> {
        let again = self.again.iter().flat_map(|level| &level.findings);
        again.chain(&self.level.findings)
    }

    /// What was tried: trials, overlap, coverage, controls and the bound.
    pub fn level(&self) -> &Level {
        &self.level
    }

    /// The smallest plan and schedule of each new finding.
    pub fn repros(&self) -> &[Repro] {
        &self.repros
    }

    /// The result of each saved repro.
    pub fn saved_repros(&self) -> &[SavedRepro] {
        &self.saved
    }

    /// The smallest trial of the first finding, step by step.
    pub fn story(&self) -> Option<&Interleaving> {
        self.story.as_ref()
    }
}

/// Explores a back end: simulated users send requests at the same time, and each trial interleaves
/// them in another way.
///
/// `make` is called once for each trial, so trials share nothing: what the users of a trial share is
/// made inside it. It returns a [`handler`](crate::handler) or any other [`Backend`], which must return
/// something of the prompt and wait at least once to be judged.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// # use partywall_explore as partywall;
/// use partywall::{Config, explore, handler};
///
/// // One slot for everybody: each request writes its prompt there, waits, and reads it back.
/// let back_end = || {
///     let slot = Arc::new(Mutex::new(String::new()));
///     handler(move |chat| {
///         let slot = Arc::clone(&slot);
///         async move {
///             *slot.lock().unwrap() = chat.prompt().to_owned();
///             chat.say("working on it");
///             chat.world().turn().await; // any await will do
///             let prompt = slot.lock().unwrap().clone(); // whose is it by now?
///             format!("you asked: {prompt}")
///         }
///     })
/// };
/// let explored = explore(Config::default().trials(100).regressions(None), back_end)?;
/// let finding = explored.findings().next().expect("the slot leaks");
/// assert_ne!(finding.victim, finding.observer);
/// # Ok::<(), partywall::store::error::CampaignError>(())
/// ```
///
/// # Errors
///
/// It is called inside a tokio runtime, a saved repro cannot be read, or the system's temporary folder
/// cannot be written to.
///
/// [`Backend`]: partywall_world::backend::Backend
pub fn explore<How, M: MakeBackend<How>>(
    config: Config,
    make: M,
) -> Result<Isolation, CampaignError> {
    let subject = Code::new(&config.name, &make);
    let stop = Stop::at(config.time_limit.and_then(|limit| Instant::now().checked_add(limit)));
    let scratch = Scratch::new()?;
    let saved = match &config.regressions {
        Some(folder) => regressions::load(folder)?,
        None => Vec::new(),
    };
    let first = replay_first(&saved, &subject, &stop, &Silent)?;
    let (workload, trials) = (&config.workload, config.trials);
    let mut exploration =
        Exploration::new(workload, &subject, config.seed, trials, &scratch.folder, &stop);
    exploration.search = config.search.clone();
    let mut may_be_blind = config.may_be_blind.clone();
    if workload.via.iter().all(|via| *via == Via::Http) {
        // Answers have no numbers by which one that comes again could be known.
        may_be_blind.push(OracleId::Duplicates);
    }
    exploration.may_be_blind = &may_be_blind;
    exploration.enough = Some(1);
    exploration.alone = config.alone;
    let Explored { level, repros, .. } = explorations::explore(&exploration, &Silent)?;
    let shown = repros.first().or_else(|| {
        let same = first.rows.iter().position(|row| row.replay == ReplayResult::Same)?;
        saved.get(same).map(|(_, repro)| repro)
    });
    let story = shown.map(|repro| interleave(repro, &subject, &stop)).transpose()?;
    let again = first.level;
    let verdict = Verdict::all_of(again.iter().chain([&level]).map(|level| level.verdict));
    Ok(Isolation { verdict, level, again, repros, saved: first.rows, story })
}

/// Where an exploration writes while it runs; gone afterwards.
struct Scratch {
    folder: RunFolder,
    root: PathBuf,
}

impl Scratch {
    fn new() -> Result<Self, CampaignError> {
        let root = std::env::temp_dir().join(format!("partywall-{}", std::process::id()));
        let folder = RunFolder::create(&root, "own-code", SystemTime::now())?;
        Ok(Self { root: folder.path().to_owned(), folder })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left to the system, which clears its temporary files.
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

/// Explores a back end as [`explore`] does, and fails the test unless the verdict is clean.
///
/// To be judged, the code under test must return something of the prompt, and must wait at least once:
/// see [`handler`](crate::handler).
///
/// # Panics
///
/// - After a leak, with the smallest interleaving that shows it and the command that reproduces it. The
///   repro is saved in `partywall-regressions/` and replayed first from then on.
/// - If the verdict is inconclusive, with the reasons.
#[track_caller]
pub fn assert_isolated<How, M: MakeBackend<How>>(config: Config, make: M) {
    let (name, folder) = (config.name.clone(), config.regressions.clone());
    let isolation = match explore(config, make) {
        Ok(isolation) => isolation,
        Err(error) => panic!("partywall could not explore: {error}"),
    };
    if isolation.verdict == Verdict::Clean {
        return;
    }
    let mut saved = Vec::new();
    for repro in &isolation.repros {
        saved.extend(folder.as_ref().map(|folder| regressions::save(folder, repro)));
    }
    panic!("{}", story::tell(&isolation, &name, &saved));
}
