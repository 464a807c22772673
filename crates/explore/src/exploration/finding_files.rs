//! What an exploration writes of its trials and findings.

use crate::exploration::diagnosis::Explainer;
use crate::exploration::explore_trial::Trial;
use crate::exploration::judged_trial::judge_findings;
use crate::exploration::parameters::{Done, Exploration, inside_runtime};
use crate::shrink::shrink;
use crate::store::error::CampaignError;
use crate::store::repro::{Repro, replay_line};
use crate::store::run_folder::{Lines, unix_now};
use partywall_core::finding::{Finding, Fingerprint, OracleId};
use partywall_core::history::{Ending, Header, to_line};
use partywall_core::record::{FindingRecord, LevelName};

#[derive(serde::Serialize)]
struct TrialLine<'t> {
    trial: u64,
    steps: u64,
    delays: usize,
    overlapping_pairs: u64,
    findings: Vec<&'t Fingerprint>,
}

impl Exploration<'_> {
    pub(crate) fn log(&self, log: &Lines, done: &Done) -> Result<(), CampaignError> {
        log.append(&to_line(&TrialLine {
            trial: done.number,
            steps: done.trial.steps,
            delays: done.trial.schedule.delays(),
            overlapping_pairs: done.judged.overlap.pairs,
            findings: done.judged.findings.iter().map(|finding| &finding.fingerprint).collect(),
        }))
    }

    /// Writes a new finding at once, as it was found; it is made smaller later.
    pub(crate) fn keep(
        &self,
        record: &mut FindingRecord,
        done: &Done,
        place: usize,
    ) -> Result<(Repro, Finding), CampaignError> {
        let finding = done.judged.findings[place].clone();
        let repro = self.repro(&finding, &done.trial);
        self.write(record, &repro, &finding, &done.trial)?;
        Ok((repro, finding))
    }

    /// Keeps the history so far of the first trial that ended in each way other than finishing.
    pub(crate) fn keep_unfinished(
        &self,
        seen: &mut Vec<std::mem::Discriminant<Ending>>,
        done: &Done,
    ) -> Result<(), CampaignError> {
        let history = &done.trial.history;
        let Some(ending) = &history.ending else { return Ok(()) };
        let way = std::mem::discriminant(ending);
        if *ending == Ending::Finished || seen.contains(&way) {
            return Ok(());
        }
        seen.push(way);
        let name = format!("histories/{}-unfinished-trial{}.jsonl", self.home(), done.number);
        self.folder.write(&name, &history.to_file(&Header::new(unix_now())))?;
        Ok(())
    }

    fn repro(&self, finding: &Finding, trial: &Trial) -> Repro {
        let story = Explainer::new(&trial.history, &[]).story(finding);
        let plan = trial.history.plan.clone();
        Repro::new(
            LevelName::Explore,
            self.subject.target(),
            finding,
            story,
            plan,
            Some(&trial.schedule),
        )
    }

    fn write(
        &self,
        record: &mut FindingRecord,
        repro: &Repro,
        finding: &Finding,
        trial: &Trial,
    ) -> Result<(), CampaignError> {
        let name = format!("{}-{}", self.home(), repro.fingerprint);
        let history = trial.history.to_file(&Header::new(unix_now()));
        let file = format!("histories/{name}.jsonl");
        self.folder.write(&file, &history)?;
        record.history = Some(file);
        let relative = format!("repros/{name}.json");
        let path = self.folder.write(&relative, &repro.to_file())?;
        let mut findings = judge_findings(&trial.history);
        // What is only found beside its users alone is not found again here.
        if finding.oracle == OracleId::NonInterference {
            findings.push(finding.clone());
        }
        Explainer::new(&trial.history, &findings).explain(record, &repro.story);
        record.repro_size = Some(repro.size());
        record.reproduce_with = Some(replay_line(&path));
        record.repro = Some(relative);
        Ok(())
    }

    pub(crate) fn smallest(
        &self,
        record: &mut FindingRecord,
        repro: Repro,
        finding: &Finding,
    ) -> Result<Repro, CampaignError> {
        let schedule = repro.schedule()?;
        let stop = || self.stop.reason().is_some();
        let sought = (finding.oracle, &finding.fingerprint);
        let shrunk =
            shrink(&repro.plan, &schedule, self.subject, sought, &stop).map_err(inside_runtime)?;
        let Some(shrunk) = shrunk else { return Ok(repro) };
        let small = self.repro(&shrunk.finding, &shrunk.trial);
        // What the report tells is what the repro shows.
        record.victim.clone_from(&shrunk.finding.victim);
        record.victim_run = shrunk.finding.victim_run;
        record.observer.clone_from(&shrunk.finding.observer);
        record.summary = shrunk.finding.summary();
        record.evidence.clone_from(&shrunk.finding.evidence);
        self.write(record, &small, &shrunk.finding, &shrunk.trial)?;
        Ok(small)
    }
}
