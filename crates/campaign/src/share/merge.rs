//! The parts of a shared campaign, put together: the same report as that of one run over the same
//! plans. What does not fit together is refused, since a gap would read like evidence.

use std::path::{Path, PathBuf};

use crate::share::merge_signoff::merge_sign_off;
use crate::share::part::{FILE, Part};
use crate::signoff::conclusion::SignedOff;
use partywall_core::control::{Drive, Tally};
use partywall_core::finding::Fingerprint;
use partywall_core::record::{FindingRecord, Level, LevelName, SCHEMA_VERSION};
use partywall_explore::exploration::level::LevelTally;
use partywall_explore::exploration::level_sums::LevelSums;
use partywall_explore::exploration::timeline::draw;
use partywall_explore::store::error::{CampaignError, read_text, shown};
use partywall_explore::store::repro::replay_line;
use partywall_explore::store::run_folder::RunFolder;

/// A campaign put together.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The subcommand that drove the parts.
    pub command: &'static str,
    /// The seed of all parts.
    pub seed: u64,
    /// What they come to.
    pub whole: Whole,
}

/// What the parts of a campaign come to.
#[derive(Clone, Debug)]
pub enum Whole {
    /// Those of a plain run: its level, and what was driven.
    Plain(Box<Level>, String),
    /// Those of a sign-off.
    SignOff(Box<SignedOff>),
}

/// A part and the run folder that it was read from.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) part: Part,
    pub(crate) folder: PathBuf,
}

/// The parts in these run folders, read and checked: they fit together, and none is missing.
#[derive(Debug)]
pub struct Parts(Vec<Own>);

/// A level put together from its parts.
#[derive(Debug)]
pub(crate) struct MergedLevel {
    pub(crate) side: String,
    pub(crate) backend: String,
    pub(crate) level: Level,
    /// In step with the level's findings: the place of the part that found it first.
    pub(crate) origins: Vec<usize>,
}

impl Parts {
    /// Reads the parts.
    ///
    /// # Errors
    ///
    /// A folder holds no part, two of them are the same slice, one is missing or was cut short, or
    /// they are of different campaigns.
    pub fn read(folders: &[PathBuf]) -> Result<Self, CampaignError> {
        let mut parts =
            folders.iter().map(|folder| read_part(folder)).collect::<Result<Vec<_>, _>>()?;
        parts.sort_by_key(|own| own.part.partition.slice);
        check(&parts)?;
        Ok(Self(parts))
    }

    /// Puts them together, in a run folder of their own with all repros and histories.
    ///
    /// # Errors
    ///
    /// A file cannot be read or written, or the parts of a sign-off contradict each other.
    pub fn merge(self, folder: &RunFolder) -> Result<Merged, CampaignError> {
        let Some(first) = self.0.first() else { return Err(no_parts()) };
        let (seed, levels) = (first.part.seed, first.part.levels.len());
        let levels = (0..levels).map(|place| merge_level(&self.0, place, folder));
        let mut levels = levels.collect::<Result<Vec<_>, _>>()?;
        if first.part.sign_off.is_some() {
            let signed_off = merge_sign_off(&self.0, levels)?;
            let whole = Whole::SignOff(Box::new(signed_off));
            return Ok(Merged { command: "signoff", seed, whole });
        }
        let Some(MergedLevel { level, backend, .. }) = levels.pop() else { return Err(no_parts()) };
        let command = if level.level == LevelName::Wire { "run" } else { "explore" };
        Ok(Merged { command, seed, whole: Whole::Plain(Box::new(level), backend) })
    }
}

/// Puts the level at that place of all parts together.
fn merge_level(
    parts: &[Own],
    place: usize,
    folder: &RunFolder,
) -> Result<MergedLevel, CampaignError> {
    let of_parts = || parts.iter().map(|own| &own.part.levels[place]);
    let judge = of_parts().filter_map(|sums| sums.judged.clone()).min_by_key(|(n, _)| *n);
    let judge = judge.map_or_else(Tally::default, |(_, tally)| tally);
    let mut origins: Vec<(Fingerprint, u64, usize)> = Vec::new();
    let mut whole: Option<LevelTally> = None;
    for (at, sums) in of_parts().enumerate() {
        let first = |found: &FindingRecord| (found.fingerprint.clone(), found.first_trial, at);
        origins.extend(sums.tally.findings.iter().map(first));
        match &mut whole {
            Some(whole) => whole.merge(sums.tally.clone()),
            None => whole = Some(sums.tally.clone()),
        }
    }
    let (Some(whole), Some(sums)) = (whole, of_parts().next()) else { return Err(no_parts()) };
    let mut level = whole.finish(judge, Drive::Absent, None);
    origins.sort_by_key(|(_, trial, _)| *trial);
    let mut firsts = Vec::with_capacity(level.findings.len());
    for finding in &mut level.findings {
        let origin = origins.iter().find(|(own, ..)| *own == finding.fingerprint);
        let at = origin.map_or(0, |(.., at)| *at);
        carry_over(finding, &parts[at].folder, folder)?;
        firsts.push(at);
    }
    draw(folder, &mut level);
    let (side, backend) = (sums.side.clone(), sums.backend.clone());
    Ok(MergedLevel { side, backend, level, origins: firsts })
}

fn no_parts() -> CampaignError {
    CampaignError::usage("there is nothing to merge: name the run folders of all parts")
}

fn read_part(folder: &Path) -> Result<Own, CampaignError> {
    let path = folder.join(FILE);
    if !path.is_file() {
        return Err(CampaignError::usage(format!(
            "{} is no part of a campaign: it has no {FILE}; name run folders of `--partition`",
            shown(folder)
        )));
    }
    let text = read_text(&path)?;
    let part: Part = serde_json::from_str(&text).map_err(|error| {
        CampaignError::usage(format!(
            "{}, line {}: not what partywall wrote: {error}; drive that part again",
            shown(&path),
            error.line()
        ))
    })?;
    Ok(Own { part, folder: folder.to_path_buf() })
}

fn check(parts: &[Own]) -> Result<(), CampaignError> {
    let Some(first) = parts.first() else { return Err(no_parts()) };
    for own in parts {
        let Own { part, folder } = own;
        if part.schema_version != SCHEMA_VERSION || part.partywall != first.part.partywall {
            return Err(unlike(first, own, "another version of partywall wrote it"));
        }
        if part.partition.of != first.part.partition.of {
            return Err(unlike(first, own, "the campaign is cut into another number of slices"));
        }
        if !(1..=part.partition.of).contains(&part.partition.slice) {
            return Err(unlike(first, own, "there is no such slice"));
        }
        let campaign = |part: &Part| {
            let level = |sums: &LevelSums| {
                let of = (sums.side.clone(), sums.backend.clone(), sums.campaign_trials);
                (of, sums.tally.work())
            };
            let backends = part.sign_off.as_ref().map(|beside| beside.backends.clone());
            (part.seed, backends, part.levels.iter().map(level).collect::<Vec<_>>())
        };
        if campaign(part) != campaign(&first.part) {
            return Err(unlike(first, own, "seed, trials, scenario, users or target differ"));
        }
        for sums in &part.levels {
            let (done, asked) = (sums.tally.trials, part.partition.share_of(sums.campaign_trials));
            if done != asked {
                return Err(CampaignError::usage(format!(
                    "{}: a gap: {} drove {done} of its {asked} trials of {}; drive it again to \
                     its end",
                    shown(folder),
                    part.partition,
                    sums.tally.scenario.escape_debug()
                )));
            }
        }
    }
    for pair in parts.windows(2) {
        if pair[0].part.partition == pair[1].part.partition {
            return Err(CampaignError::usage(format!(
                "{} is there twice, in {} and {}; name each part once",
                pair[0].part.partition,
                shown(&pair[0].folder),
                shown(&pair[1].folder)
            )));
        }
    }
    let of = first.part.partition.of;
    let has = |slice: &u64| parts.iter().any(|own| own.part.partition.slice == *slice);
    match (1..=of).find(|slice| !has(slice)) {
        Some(missing) => Err(CampaignError::usage(format!(
            "a gap: slice:{missing}/{of} is missing; name the run folders of all {of} parts"
        ))),
        None => Ok(()),
    }
}

fn unlike(first: &Own, own: &Own, why: &str) -> CampaignError {
    CampaignError::usage(format!(
        "{} and {} are of different campaigns: {why}; merge parts of one",
        shown(&first.folder),
        shown(&own.folder)
    ))
}

/// Copies the finding's files, and names where they are now.
fn carry_over(
    finding: &mut FindingRecord,
    from: &Path,
    folder: &RunFolder,
) -> Result<(), CampaignError> {
    for file in [&finding.repro, &finding.history].into_iter().flatten() {
        // What was read may be anything: nothing outside of the folders is touched.
        let plain = Path::new(file)
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        if !plain {
            return Err(CampaignError::usage(format!(
                "{}: `{}` is no file of a run folder",
                shown(from),
                file.escape_debug()
            )));
        }
        let source = from.join(file);
        if source.is_file() {
            folder.write(file, &read_text(&source)?)?;
        }
    }
    if let Some(repro) = &finding.repro {
        let options = finding.reproduce_with.as_deref().and_then(|line| line.split_once(" --"));
        let options = options.map(|(_, options)| format!(" --{options}")).unwrap_or_default();
        finding.reproduce_with = Some(replay_line(&folder.file(repro)) + &options);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use partywall_core::canary::{CampaignKey, Scanner};
    use partywall_core::measure::Partition;
    use partywall_core::record::SearchMethod;
    use partywall_core::target::Reference;
    use partywall_drive::scenario::built_in;
    use partywall_drive::transport::ReferenceSubject;
    use partywall_explore::exploration::explore_trial::explore_trial;
    use partywall_explore::exploration::judged_trial::judge_trial;
    use partywall_explore::exploration::parameters::walk_seed;
    use partywall_world::strategy::Random;

    const TRIALS: u64 = 9;

    /// The sums of those of nine legacy trials that are in the slice, as they are read back.
    fn tally(slice: Partition) -> LevelTally {
        let work = built_in("reference-golden-path")
            .expect("built in")
            .explore
            .expect("it is explored")
            .with_users(3);
        let own = slice.share_of(TRIALS);
        let mut tally = LevelTally::new(LevelName::Explore, &work, SearchMethod::RandomWalk, own);
        tally.partition = slice;
        let scanner = Scanner::new(CampaignKey::from_seed(1));
        for number in (0..own).map(|place| slice.trial(place)) {
            let plan = work.plan(1, number);
            let mut walk = Random::new(walk_seed(1, number));
            let trial =
                explore_trial(&plan, &ReferenceSubject(Reference::LEGACY), &mut walk, &|| false);
            let trial = trial.expect("outside of a runtime");
            tally.add(&judge_trial(&trial.history, &work.agents, &scanner));
        }
        let text = serde_json::to_string(&tally).expect("it is written");
        serde_json::from_str(&text).expect("it is read")
    }

    #[test]
    fn sums_of_parts_close_to_the_level_of_the_whole() {
        let close = |tally: LevelTally| tally.finish(Tally::default(), Drive::Absent, None);
        let whole = close(tally(Partition::WHOLE));
        assert!(whole.findings.len() > 2, "{} findings", whole.findings.len());
        assert!(!whole.leak_matrix.is_empty() && whole.latency.is_some());
        for order in [[1, 2, 3], [3, 1, 2]] {
            let mut parts = order.map(|slice| tally(Partition { slice, of: 3 })).into_iter();
            let mut merged = parts.next().expect("the first");
            parts.for_each(|part| merged.merge(part));
            assert_eq!(close(merged), whole);
        }
    }
}
