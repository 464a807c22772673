//! The states of a migration that a scenario lists, driven on the wire.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use super::evidence::{Told, Watched, Witness};
use super::follows::Known;
use super::leak_rows::{describe_leak, sorted};
use super::sites::{Sites, undetermined};
use crate::wire::drive_rounds::drive_rounds;
use crate::wire::launched::Launched;
use crate::wire::round_keys::RoundKeys;
use crate::wire::rounds::{Driven, Rounds};
use partywall_core::audit::AuditRecord;
use partywall_core::migration::{
    Exercise, LeakRow, LegacySite, MigrationRecord, ScenarioTrials, StateRow, StateVerdict,
};
use partywall_core::verdict::Verdict;
use partywall_drive::scenario::{MigrationEvidence, MigrationState, Target, Workload};
use partywall_drive::transport::Servers;
use partywall_explore::store::budget::{Progress, Stop};
use partywall_explore::store::error::{CampaignError, Kind};
use partywall_explore::store::run_folder::RunFolder;

/// What stands in the way where a server's own prints would be held back: Python's, mostly.
const UNBUFFERED: &str = "PYTHONUNBUFFERED";

/// What to drive.
#[derive(Clone, Debug)]
pub struct ListedStates<'s> {
    /// The work; the same in all states.
    pub work: &'s Workload,
    /// The states.
    pub states: &'s [MigrationState],
    /// What tells of itself what happened in them.
    pub evidence: &'s MigrationEvidence,
    /// What stands for places in templates.
    pub given: &'s Servers,
    /// The call sites that an audit found.
    pub audit: Option<&'s AuditRecord>,
    /// Where plans come from; the same for all states.
    pub seed: u64,
    /// Rounds in each state.
    pub rounds: u64,
    /// The nonce of the first state, against servers that may remember; each other one has the next.
    /// Drawn where it is none.
    pub nonce: Option<u32>,
    /// This program, which is the reference back end on the wire.
    pub program: &'s Path,
    /// Where everything is written.
    pub folder: &'s RunFolder,
    /// When to stop early.
    pub stop: &'s Stop,
}

/// A state as it was driven, or why it was not.
type Outcome = Result<(Driven, Told), String>;

impl ListedStates<'_> {
    /// Drives all states, one after the other.
    ///
    /// # Errors
    ///
    /// The run folder cannot be written, a command cannot be started, or the evidence asks for what
    /// is not known of a call site.
    pub fn run(&self, progress: &dyn Progress) -> Result<MigrationRecord, CampaignError> {
        let sites = Sites::new(self.states, self.audit)?;
        let watched = Watched::new(self.evidence, &sites.places())?;
        let keys = RoundKeys::of_states(self.seed, self.nonce, self.states.len());
        let mut outcomes = Vec::new();
        for (state, keys) in self.states.iter().zip(&keys) {
            outcomes.push(self.state(state, keys, &watched, progress)?);
        }
        let told = |outcome: &Outcome| outcome.as_ref().is_ok_and(|(_, told)| told.has_worked());
        let works = outcomes.iter().any(told);
        let mut rows: Vec<StateRow> = self
            .states
            .iter()
            .zip(&outcomes)
            .map(|(state, outcome)| row(&sites, state, outcome, works))
            .collect();
        // A state comes before all that have more.
        rows.sort_by_key(|row| row.migrated.len());
        let names = sites.listed();
        let known = Known::new(&names, &rows);
        let seen = |site: usize| {
            let of = |(state, outcome): (&MigrationState, &Outcome)| {
                let told = outcome.as_ref().ok().map(|(_, told)| told.exercise(site, works))?;
                Some((told, state.name.clone()))
            };
            self.states.iter().zip(&outcomes).filter_map(of).collect()
        };
        let site_rows = sites.rows(&known, &watched, &seen);
        let scenario = self.work.scenario.clone();
        Ok(MigrationRecord {
            scenarios: vec![ScenarioTrials { scenario, trials: self.rounds }],
            undetermined: undetermined(&known, &site_rows, &rows, self.evidence, works),
            site_rows,
            ..known.conclude()
        })
    }

    fn state(
        &self,
        state: &MigrationState,
        keys: &RoundKeys,
        watched: &Watched,
        progress: &dyn Progress,
    ) -> Result<Outcome, CampaignError> {
        if self.stop.reason().is_some() {
            return Ok(Err("it was not come to any more".into()));
        }
        match self.drive(state, keys, watched, progress) {
            Ok(driven) => Ok(Ok(driven)),
            // The others can be driven all the same.
            Err(error) if error.kind() == Kind::Target => Ok(Err(error.to_string())),
            Err(error) => Err(error),
        }
    }

    fn drive(
        &self,
        state: &MigrationState,
        keys: &RoundKeys,
        watched: &Watched,
        progress: &dyn Progress,
    ) -> Result<(Driven, Told), CampaignError> {
        let mut target = state.target.clone();
        let is_started = target.is_started();
        if let Target::Server { target } = &mut target
            && watched.reads_output()
            && target.env.iter().all(|(name, _)| name != UNBUFFERED)
        {
            // What is printed before the server is ready must not come later.
            target.env.push((UNBUFFERED.into(), "1".into()));
        }
        let log = self.folder.file(&format!("state-{}-server.log", state.name));
        let witness = RefCell::new(Witness::new(watched, &log, is_started));
        witness.borrow_mut().will_start();
        let launched = Launched::start(&target, self.program, self.given, &log, self.stop)?;
        let servers = launched.servers();
        witness.borrow_mut().is_ready(&servers)?;
        let afresh = || {
            witness.borrow_mut().was_used(&launched.servers())?;
            witness.borrow_mut().will_start();
            let servers = launched.afresh()?;
            witness.borrow_mut().is_ready(&servers)?;
            Ok(servers)
        };
        let mut rounds = Rounds::new(
            self.work,
            servers,
            state.target.clone(),
            self.seed,
            self.rounds,
            self.folder,
            self.stop,
        );
        rounds.side = &state.name;
        rounds.keys = keys.of_state(&state.target, self.seed);
        // Whether a leak shows again is what the next state asks.
        rounds.replays = 0;
        rounds.launched = Some(&launched);
        rounds.afresh = if launched.is_fresh() { Some(&afresh) } else { None };
        let driven = drive_rounds(&rounds, progress)?;
        drop(rounds);
        witness.borrow_mut().was_used(&launched.servers())?;
        drop(launched);
        Ok((driven, witness.into_inner().told()))
    }
}

/// The row of a state.
fn row(sites: &Sites, state: &MigrationState, outcome: &Outcome, works: bool) -> StateRow {
    let is_legacy = |site: &String| state.legacy.contains(site);
    let names = sites.listed();
    let migrated = names.iter().filter(|site| !is_legacy(site)).cloned().collect();
    let mut row = StateRow { name: Some(state.name.clone()), ..StateRow::of(migrated) };
    let legacy = names.iter().enumerate().filter(|(_, site)| is_legacy(site));
    let exercise = |place: usize| match outcome {
        Ok((_, told)) => told.exercise(place, works),
        Err(_) => Exercise::Unknown,
    };
    row.legacy = legacy
        .map(|(place, site)| LegacySite { site: site.clone(), exercised: exercise(place) })
        .collect();
    let (driven, told) = match outcome {
        Ok(driven) => driven,
        Err(why) => {
            row.doubts.push(why.clone());
            return row;
        }
    };
    let level = &driven.level;
    row.trials = level.trials;
    row.overlapping = level.trials_overlapping;
    (row.runs_started, row.runs_completed) = (level.runs_started, level.runs_completed);
    row.leaking = driven.leaking;
    row.first_leak_at_trial = level.first_leak_at_trial;
    row.leaks = leaks(driven);
    row.contaminated = told.contaminated();
    row.doubts.extend(told.trouble.clone());
    settle(&mut row, driven);
    row
}

/// The verdict, with what stands against a clean one.
fn settle(row: &mut StateRow, driven: &Driven) {
    let level = &driven.level;
    let idle: Vec<&str> = row
        .legacy
        .iter()
        .filter(|own| own.exercised == Exercise::NotExercised)
        .map(|own| own.site.as_str())
        .collect();
    row.verdict = match level.verdict {
        Verdict::Leaked => StateVerdict::Leaked,
        Verdict::Inconclusive => {
            row.doubts.extend(level.reasons.iter().map(|reason| reason.text.clone()));
            StateVerdict::Inconclusive
        }
        Verdict::Clean if row.contaminated == Some(true) => StateVerdict::Latent,
        // What never ran cannot have leaked: that nothing crossed says nothing of it.
        Verdict::Clean if !idle.is_empty() => {
            let idle = idle.join(", ");
            row.doubts.push(format!("nothing crossed, but this was not exercised: {idle}"));
            StateVerdict::Inconclusive
        }
        Verdict::Clean => StateVerdict::Clean,
    };
    if row.verdict != StateVerdict::Leaked {
        row.leak_probability_upper_bound.clone_from(&level.leak_probability_upper_bound);
    }
}

/// What leaked, by what it is and not by whose it is, with a repro of each.
fn leaks(driven: &Driven) -> Vec<LeakRow> {
    let mut rows: BTreeMap<String, LeakRow> = BTreeMap::new();
    for found in &driven.level.findings {
        let (operation, seen) = (&found.victim_operation, &found.observer_operation);
        let what = describe_leak(found.oracle, found.kind, operation, seen);
        let row = rows.entry(what.clone()).or_insert_with(|| LeakRow {
            what,
            trials: 0,
            reproduce_with: found.reproduce_with.clone(),
        });
        row.trials = row.trials.max(found.seen_in_trials);
    }
    sorted(rows.into_values())
}
