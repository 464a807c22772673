//! Drives a wire plan again, to measure how often a finding reproduces and to shrink it: for a
//! bounded time, and never beyond what the scenario allows.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::wire::drive::{STOP_INTERVAL, drive_plan, drive_watched, user_runtime};
use crate::wire::launched::Launched;
use crate::wire::round_keys::RoundKeys;
use partywall_core::canary::Scanner;
use partywall_core::dialect::Dialect;
use partywall_core::finding::{Finding, Fingerprint};
use partywall_core::history::History;
use partywall_core::ids::UserName;
use partywall_core::plan::Plan;
use partywall_core::record::Rate;
use partywall_drive::transport::Servers;
use partywall_explore::exploration::judged_trial::{judge_findings, shows};
use partywall_explore::exploration::replay::{Replayed, replayed};
use partywall_explore::store::budget::Stop;
use partywall_explore::store::error::CampaignError;
use partywall_explore::store::repro::Repro;
use partywall_oracles::{Case, judge};
use partywall_world::recorder::Recorder;

/// The least time that a drive is given, and what it is given beyond twice the time that the
/// finding took when it was first made.
const LEAST_TIME: Duration = Duration::from_millis(1_500);

/// How long a drive need go on for a finding that was first made that many milliseconds into it.
pub(crate) fn time_for(history: &History, finding: &Finding) -> Duration {
    let seen = |n: u64| usize::try_from(n).ok().and_then(|n| history.observations.get(n));
    let last = finding.evidence.iter().filter_map(|evidence| seen(evidence.n)).map(|seen| seen.at);
    time_after(Duration::from_millis(last.max().unwrap_or_default()))
}

/// The same for one that took that long to show.
pub(crate) fn time_after(took: Duration) -> Duration {
    LEAST_TIME + took * 2
}

/// What one more drive of a plan showed.
pub(crate) struct Attempt {
    pub(crate) findings: Vec<Finding>,
    pub(crate) history: History,
    pub(crate) took: Duration,
}

/// Whom a finding names: the two whom it is about, and who did what proves it.
pub(crate) fn named(history: &History, finding: &Finding) -> Vec<UserName> {
    let seen = |n: u64| usize::try_from(n).ok().and_then(|n| history.observations.get(n));
    let others = finding.evidence.iter().filter_map(|evidence| seen(evidence.n)?.by.clone());
    let mut named = vec![finding.victim.clone(), finding.observer.clone()];
    named.extend(others);
    let mut known = std::collections::BTreeSet::new();
    named.retain(|name| known.insert(name.clone()));
    named
}

/// Drives plans again against one server.
pub(crate) struct Reproducer<'r> {
    pub(crate) servers: RefCell<Arc<Servers>>,
    /// The server, which is started anew for each drive where each has a process of its own.
    pub(crate) launched: Option<&'r Launched>,
    pub(crate) keys: &'r RoundKeys,
    pub(crate) runtime: &'r tokio::runtime::Runtime,
    /// How often plans were driven.
    pub(crate) drives: Cell<u64>,
}

impl Reproducer<'_> {
    /// Drives the plan once more. The drive ends after that time, or as soon as all wanted findings
    /// have shown. Gives nothing if the request limit is spent or it is time to stop.
    pub(crate) fn once(
        &self,
        plan: &Plan,
        wanted: &[&Fingerprint],
        limit: Duration,
        stop: &Stop,
    ) -> Result<Option<Attempt>, CampaignError> {
        if stop.reason().is_some() || self.servers.borrow().allowance.is_spent() {
            return Ok(None);
        }
        if let Some(launched) = self.launched.filter(|own| own.is_fresh()) {
            match launched.afresh() {
                Ok(servers) => *self.servers.borrow_mut() = servers,
                // Who asks for the end does not wait for a server to be ready.
                Err(_) if stop.reason().is_some() => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        self.drives.set(self.drives.get() + 1);
        let begun = Instant::now();
        let servers = Arc::clone(&self.servers.borrow());
        let plan = self.keys.plant(plan.clone());
        let enough = Stop::default().within(limit);
        let mut look = Look::new(&plan);
        let mut watch = |recorder: &Recorder| {
            if stop.reason().is_some() || look.shows_all(recorder, wanted) {
                enough.interrupt();
            }
        };
        let recorder = Recorder::in_memory();
        let driven = drive_watched(&servers, plan, recorder, &enough, STOP_INTERVAL, &mut watch);
        let (history, _) = self.runtime.block_on(driven);
        let findings = judge_findings(&history);
        // What was cut short by something else than its own limit says nothing by its silence.
        let cut = stop.reason().is_some() || servers.allowance.is_spent();
        let counts = !findings.is_empty() || !cut;
        Ok(counts.then_some(Attempt { findings, history, took: begun.elapsed() }))
    }

    /// In how many of at most that many drives each of the fingerprints shows.
    pub(crate) fn rates(
        &self,
        plan: &Plan,
        wanted: &[&Fingerprint],
        times: u64,
        limit: Duration,
        stop: &Stop,
    ) -> Result<Vec<Rate>, CampaignError> {
        let mut rates = vec![Rate { hit: 0, of: 0 }; wanted.len()];
        for _ in 0..times {
            let Some(Attempt { findings, .. }) = self.once(plan, wanted, limit, stop)? else {
                break;
            };
            for (rate, wanted) in rates.iter_mut().zip(wanted) {
                rate.of += 1;
                rate.hit += u64::from(shows(&findings, wanted));
            }
        }
        Ok(rates)
    }
}

/// Drives a repro of the wire once.
///
/// # Errors
///
/// The system refuses a runtime.
pub fn replay_on_wire(
    repro: &Repro,
    servers: &Arc<Servers>,
    keys: &RoundKeys,
    stop: &Stop,
) -> Result<(Replayed, History), CampaignError> {
    let runtime = user_runtime()?;
    let plan = keys.plant(repro.plan.clone());
    let driven = drive_plan(servers, plan, Recorder::in_memory(), stop);
    let (history, _) = runtime.block_on(driven);
    Ok((replayed(&judge_findings(&history), &history, &repro.fingerprint), history))
}

/// Judges a drive while it goes on.
struct Look {
    so_far: History,
    dialect: Dialect,
    scanner: Scanner,
}

impl Look {
    fn new(plan: &Plan) -> Self {
        Self {
            dialect: Dialect::of(plan),
            scanner: Scanner::new(plan.campaign),
            so_far: History { plan: plan.clone(), observations: Vec::new(), ending: None },
        }
    }

    fn shows_all(&mut self, recorder: &Recorder, wanted: &[&Fingerprint]) -> bool {
        let known = self.so_far.observations.len();
        let observations = &mut self.so_far.observations;
        recorder.look(known, |observation| observations.push(observation.clone()));
        if wanted.is_empty() || self.so_far.observations.len() == known {
            return false;
        }
        let case = Case::with_scanner(&self.so_far, &self.dialect, &self.scanner);
        let findings = judge(&case).findings;
        wanted.iter().all(|wanted| shows(&findings, wanted))
    }
}
