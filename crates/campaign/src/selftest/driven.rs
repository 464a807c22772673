//! The self-test on the wire: barrier rounds of many users until a mechanism is found.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::wire::drive::{drive_plan, user_runtime};
use crate::wire::launched::Launched;
use crate::wire::round_keys::RoundKeys;
use partywall_core::canary::CampaignKey;
use partywall_core::finding::OracleId;
use partywall_core::target::Reference;
use partywall_drive::scenario::Workload;
use partywall_drive::transport::Servers;
use partywall_explore::exploration::judged_trial::judge_findings;
use partywall_explore::store::budget::Stop;
use partywall_explore::store::error::CampaignError;
use partywall_explore::store::run_folder::RunFolder;
use partywall_world::recorder::Recorder;

/// What driving one back end came to.
#[derive(Clone, Debug, Default)]
pub struct Drive {
    /// In which round something was found, from 1; none where nothing was.
    pub found_at: Option<u64>,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Rounds driven.
    pub rounds: u64,
    /// By which oracles.
    pub oracles: BTreeSet<OracleId>,
    /// What was found, in sentences.
    pub summaries: BTreeSet<String>,
}

/// What to drive.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// The most rounds.
    pub rounds: u64,
    /// The most time.
    pub limit: Duration,
}

/// Starts the back end as a process of its own and drives it until something is found.
///
/// # Errors
///
/// The server does not start, or the folder cannot be written.
pub fn drive(
    work: &Workload,
    reference: Reference,
    seed: u64,
    budget: Budget,
    program: &Path,
    folder: &RunFolder,
    stop: &Stop,
) -> Result<Drive, CampaignError> {
    let name = reference.defect.map_or_else(|| "none".to_owned(), |defect| defect.to_string());
    let log = folder.file(&format!("serve-{name}.log"));
    let process = Launched::start(&reference.into(), program, &Servers::default(), &log, stop)?;
    let runtime = user_runtime()?;
    let keys = RoundKeys::of(CampaignKey::from_seed(seed));
    let began = Instant::now();
    let mut drive = Drive::default();
    let stop = stop.within(budget.limit);
    while drive.rounds < budget.rounds && stop.reason().is_none() {
        let servers = process.servers();
        let plan = keys.plant(work.plan(seed, drive.rounds));
        let driven = drive_plan(&servers, plan, Recorder::in_memory(), &stop);
        let (history, _) = runtime.block_on(driven);
        drive.rounds += 1;
        let findings = judge_findings(&history);
        if !findings.is_empty() {
            drive.found_at = Some(drive.rounds);
            drive.oracles = findings.iter().map(|finding| finding.oracle).collect();
            drive.summaries = findings.iter().map(|finding| finding.summary()).take(4).collect();
            break;
        }
    }
    drive.seconds = began.elapsed().as_secs_f64();
    Ok(drive)
}
