//! Saved repros: a folder that is meant to be committed, and is replayed before anything else.

use std::fs;
use std::path::{Path, PathBuf};

use crate::exploration::alone::Alone;
use crate::exploration::explore_trial::{Trial, replay_trial};
use crate::exploration::judged_trial::judge_trial_beside;
use crate::exploration::level::{Claimed, LevelTally};
use crate::exploration::parameters::inside_runtime;
use crate::exploration::replay::{Replayed, replayed};
use crate::exploration::subject::Subject;
use crate::store::budget::{Progress, Stop};
use crate::store::error::{CampaignError, read_text, write_whole};
use crate::store::repro::{Repro, replay_line};
use crate::workload::Workload;
use partywall_core::canary::Scanner;
use partywall_core::control::{Drive, Tally};
use partywall_core::finding::OracleId;
use partywall_core::record::{Level, LevelName, SavedRepro, SearchMethod};
use partywall_core::replay_result::ReplayResult;
use partywall_core::target::Target;
use partywall_core::verdict::Verdict;
use partywall_oracles::Solos;
use partywall_world::strategy::Mode;

/// The folder, within the one that the program is called in.
pub const FOLDER: &str = "partywall-regressions";

/// Writes the repro there, under a name that stays the same when it is found again.
///
/// # Errors
///
/// It cannot be written.
pub fn save(folder: &Path, repro: &Repro) -> Result<PathBuf, CampaignError> {
    fs::create_dir_all(folder)
        .map_err(|error| CampaignError::storage("make the folder", folder, &error))?;
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' };
    let scenario: String = repro.plan.scenario.chars().map(plain).collect();
    let level = repro.level.as_str();
    let path = folder.join(format!("{level}-{scenario}-{}.json", repro.fingerprint));
    write_whole(&path, &repro.to_file())?;
    Ok(path)
}

/// Reads all of them, sorted by name; none where there is no such folder.
///
/// # Errors
///
/// The folder or a file of it cannot be read, or a file is no repro of this version.
pub fn load(folder: &Path) -> Result<Vec<(PathBuf, Repro)>, CampaignError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(CampaignError::storage("read", folder, &error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| CampaignError::storage("read", folder, &error))?;
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    let read = |path: PathBuf| {
        let repro = Repro::from_file(&read_text(&path)?).map_err(|error| {
            let shown = path.display().to_string();
            CampaignError::usage(format!(
                "`{}`: {error}; find it anew with --save-regressions, or remove the file",
                shown.escape_debug()
            ))
        })?;
        Ok((path, repro))
    };
    paths.into_iter().map(read).collect()
}

/// What replaying them came to.
#[derive(Clone, Debug, Default)]
pub struct ReplayedFirst {
    /// A row for each, also for those that are of something else.
    pub rows: Vec<SavedRepro>,
    /// What was found again, where anything was.
    pub level: Option<Level>,
}

/// Replays those that are of explored trials strictly against the back end. One that is of another
/// kind of back end, or of the wire, is listed as not tried.
///
/// # Errors
///
/// The simulated world cannot run here.
pub fn replay_first(
    saved: &[(PathBuf, Repro)],
    subject: &dyn Subject,
    stop: &Stop,
    progress: &dyn Progress,
) -> Result<ReplayedFirst, CampaignError> {
    if saved.is_empty() {
        return Ok(ReplayedFirst::default());
    }
    progress.begin("", "replay", "saved repros", saved.len() as u64);
    let target = subject.target();
    let mut first = ReplayedFirst::default();
    let mut tally: Option<LevelTally> = None;
    for (place, (path, repro)) in saved.iter().enumerate() {
        let fits = repro.level == LevelName::Explore && alike(&repro.target, &target);
        let came_to = if fits && stop.reason().is_none() {
            let (came_to, again) = replay_saved(repro, path, subject, stop)?;
            if let Some((judged, record)) = again {
                let tally = tally.get_or_insert_with(|| {
                    let work = workload_of(repro);
                    LevelTally::systematic(SearchMethod::SavedRepros, &work, 0)
                });
                tally.add_again(&judged, record);
            }
            Some(came_to)
        } else {
            None
        };
        first.rows.push(SavedRepro {
            file: path.display().to_string(),
            fingerprint: repro.fingerprint.clone(),
            summary: repro.summary.clone(),
            replay: came_to.map_or(ReplayResult::NotTried, Replayed::result),
            diverged_at: came_to.and_then(Replayed::diverged_at),
        });
        let found = tally.as_ref().map_or(0, |tally| tally.findings.len() as u64);
        progress.advance(place as u64 + 1, place as u64 + 1, found);
    }
    progress.end();
    first.level = tally.map(|mut tally| {
        let claim = "strict replays of repros that were saved".into();
        let planned = tally.trials;
        let claims = vec![claim];
        tally.state_method(Claimed { method: SearchMethod::SavedRepros, claims }, planned);
        let level = tally.finish(Tally::default(), Drive::Absent, None);
        debug_assert_eq!(level.verdict, Verdict::Leaked);
        level
    });
    Ok(first)
}

type Again = (crate::exploration::judged_trial::JudgedTrial, crate::exploration::level::Known);

fn replay_saved(
    repro: &Repro,
    path: &Path,
    subject: &dyn Subject,
    stop: &Stop,
) -> Result<(Replayed, Option<Again>), CampaignError> {
    let schedule = repro.schedule()?;
    let stopped = || stop.reason().is_some();
    let trial = replay_trial(&repro.plan, subject, &schedule, Mode::Strict, &stopped);
    let Trial { history, .. } = trial.map_err(inside_runtime)?;
    let agents = workload_of(repro).agents;
    let scanner = Scanner::new(repro.plan.campaign);
    let judge = |solos: Option<&Solos>| judge_trial_beside(&history, &agents, &scanner, solos);
    let judged = if repro.oracle == OracleId::NonInterference {
        let mut alone = Alone::new(&repro.plan, subject, &stopped);
        let judged = alone.judge(|solos| judge(Some(solos)), |judged| &judged.findings);
        judged.map_err(inside_runtime)?
    } else {
        judge(None)
    };
    let came_to = replayed(&judged.findings, &history, &repro.fingerprint);
    let known = crate::exploration::level::Known {
        repro: path.display().to_string(),
        size: repro.size(),
        replay: replay_line(path),
        story: repro.story.clone(),
    };
    Ok((came_to, (came_to == Replayed::Same).then_some((judged, known))))
}

/// Whether a repro of one can be replayed against the other: the reference back end in any form, or
/// code of the same name.
fn alike(one: &Target, other: &Target) -> bool {
    match (one, other) {
        (Target::Code { name }, Target::Code { name: other }) => name == other,
        _ => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

fn workload_of(repro: &Repro) -> Workload {
    Workload::of_plan(&repro.plan)
}
