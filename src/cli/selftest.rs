//! `partywall selftest`: every mechanism switched on in turn, and none.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::builder::BoolishValueParser;

use super::common::{Begun, CameTo, ReportArgs};
use super::ending::Ended;
use super::progress::Shown;
use super::scenario;
use crate::campaign::budget::Progress;
use crate::campaign::error::{CampaignError, Kind};
use crate::campaign::selftest::detection::{
    alarms, alarms_on_wire, missed, missed_on_wire, quiet_row, row,
};
use crate::campaign::selftest::driven::{Budget, Drive, drive};
use crate::campaign::selftest::explored::{Quiet, Search, search, stay_quiet};
use crate::campaign::selftest::matrix::{Wire, expected};
use crate::campaign::selftest::table::render;
use crate::campaign::selftest::{MIX, own_work};
use crate::reference::defects::Defect;
use crate::scenario::{Workload, built_in, built_in_names, source_of};
use crate::swarm::transport::ReferenceSubject;
use crate::trial::detection::{DetectionRecord, QuietRow};
use crate::trial::mechanism::Mechanism;
use crate::trial::record::LevelName;
use crate::trial::target::Reference;
use crate::trial::verdict::{Outcome, Reason, ReasonCode};

/// The arguments of `selftest`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The work that they are looked for with: a scenario of the reference back end
    #[arg(value_name = "SCENARIO", default_value = MIX)]
    scenario: String,
    /// Seeds with which each mechanism is looked for
    #[arg(long, env = "PARTYWALL_SEEDS", value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// The most trials with each seed
    #[arg(long, env = "PARTYWALL_TRIALS", value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u64).range(1..))]
    trials: u64,
    /// Overlapping trials of each work without a defect
    #[arg(long, env = "PARTYWALL_QUIET_TRIALS", value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..))]
    quiet_trials: u64,
    /// Only these mechanisms [default: all]
    #[arg(long, env = "PARTYWALL_ONLY", value_name = "CODE,…", value_delimiter = ',')]
    only: Vec<Mechanism>,
    /// For how many of a hundred requests each defect is switched on
    #[arg(long, env = "PARTYWALL_SHARE", value_name = "PERCENT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100))]
    share: u32,
    /// Look for each under the work that provokes it most, instead of the mix
    #[arg(long, env = "PARTYWALL_OWN_WORK", value_parser = BoolishValueParser::new())]
    own_work: bool,
    /// Also drive each that is found there over real connections, for a minute at most
    #[arg(long, env = "PARTYWALL_WIRE", value_parser = BoolishValueParser::new())]
    wire: bool,
    /// 5,000 overlapping trials of each work without a defect, and the wire
    #[arg(long, env = "PARTYWALL_THOROUGH", value_parser = BoolishValueParser::new())]
    thorough: bool,
    /// Where the table of the simulated world goes as well, in Markdown
    #[arg(long, env = "PARTYWALL_WRITE", value_name = "FILE")]
    write: Option<PathBuf>,
    #[command(flatten)]
    report: ReportArgs,
}

pub(super) fn exec(args: &Args) -> Result<Ended, CampaignError> {
    let scenario = scenario::read(&args.scenario)?;
    let work = scenario.to_explore().map_err(CampaignError::in_scenario)?.clone();
    let mut begun = args.report.begin("selftest", 1, None)?;
    begun.sources = scenario::sources([(args.scenario.as_str(), &scenario)]);
    let told = Shown::new();
    let run = SelfTest { args, begun: &begun, told: &told, work: &work, wire: &scenario.wire };
    let searches = run.searches()?;
    let quiet = if args.only.is_empty() { run.quiet()? } else { Vec::new() };
    if let Some(path) = &args.write {
        std::fs::write(path, render(&searches, &quiet)).map_err(|error| {
            CampaignError::usage(format!("cannot write {}: {error}", path.display()))
        })?;
    }
    let mut against = missed(&searches, by_oracle(args));
    against.extend(alarms(&quiet));
    let mut quiet: Vec<QuietRow> = quiet.iter().map(|(work, own)| quiet_row(work, own)).collect();
    let drives = if args.wire || args.thorough { run.wire()? } else { Vec::new() };
    against.extend(drives.iter().filter_map(|(one, drive)| missed_on_wire(*one, drive)));
    if !drives.is_empty() {
        let drive = run.quiet_wire()?;
        against.extend(alarms_on_wire(&drive));
        quiet.push(QuietRow {
            work: format!("{}, wire", scenario.name),
            trials: drive.rounds,
            overlapping: None,
            findings: drive.summaries.len() as u64,
        });
    }
    let drive_of = |mechanism: Mechanism| {
        drives.iter().find(|(own, _)| *own == mechanism).map(|(_, drive)| drive)
    };
    let rows = searches.iter().map(|(one, search)| row(*one, search, drive_of(*one))).collect();
    let work = if args.own_work { "the part of the mix that each needs" } else { &scenario.name };
    let mut record = begun.record(came_to(against, begun.stop.reason(), searches.len()));
    record.backend = Some("reference back end, one defect after the other".into());
    record.source = source_of(&args.scenario, LevelName::Explore);
    record.detection = Some(DetectionRecord {
        work: work.into(),
        share: args.share,
        seeds: args.seeds,
        trials: args.trials,
        rows,
        quiet,
    });
    begun.finish(record, &args.report)
}

fn came_to(against: Vec<Reason>, stopped: Option<ReasonCode>, searched: usize) -> CameTo {
    let mut reasons = against;
    if let Some(code) = stopped {
        let text = format!("interrupted after {searched} of the mechanisms");
        reasons.insert(0, Reason::new(code, text));
    }
    if !reasons.is_empty() {
        return CameTo { outcome: Outcome::Inconclusive, reasons };
    }
    let text = "every mechanism was found as expected, and nothing without one";
    CameTo { outcome: Outcome::Clean, reasons: vec![Reason::new(ReasonCode::Shown, text)] }
}

/// Whether each oracle is looked for that is expected to find the mechanism. A share of the requests
/// or another work may not show it to all of them, and with few seeds one may not have had its turn.
fn by_oracle(args: &Args) -> bool {
    args.share == 100 && !args.own_work && args.seeds >= 20 && args.scenario == MIX
}

fn broken(error: impl std::fmt::Display) -> CampaignError {
    CampaignError::new(Kind::Internal, error.to_string())
}

/// One self-test under way.
struct SelfTest<'s> {
    args: &'s Args,
    begun: &'s Begun,
    told: &'s Shown,
    work: &'s Workload,
    wire: &'s Workload,
}

impl SelfTest<'_> {
    fn chosen(&self) -> Vec<Mechanism> {
        if self.args.only.is_empty() { Mechanism::ALL.to_vec() } else { self.args.only.clone() }
    }

    fn subject(&self, mechanism: Mechanism) -> Reference {
        Reference::with_defect(Defect::rare(mechanism, self.args.share))
    }

    fn is_stopped(&self) -> bool {
        self.begun.stop.reason().is_some()
    }

    /// Looks for each mechanism, two at a time.
    fn searches(&self) -> Result<Vec<(Mechanism, Search)>, CampaignError> {
        let mechanisms = self.chosen();
        let done = AtomicU64::new(0);
        self.told.begin("", "explore", "mechanisms", mechanisms.len() as u64);
        let part = |part: &[Mechanism]| -> Result<Vec<_>, CampaignError> {
            let one = |&mechanism: &Mechanism| {
                let mut work = self.work.clone();
                if self.args.own_work {
                    work = own_work(work, mechanism);
                }
                let (seeds, trials) = (self.args.seeds, self.args.trials);
                let wanted = if by_oracle(self.args) { expected(mechanism).explore } else { &[] };
                let found = search(
                    &work,
                    &ReferenceSubject(self.subject(mechanism)),
                    seeds,
                    trials,
                    wanted,
                );
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                self.told.advance(done, done, 0);
                Ok((mechanism, found.map_err(broken)?))
            };
            part.iter().take_while(|_| !self.is_stopped()).map(one).collect()
        };
        let all = std::thread::scope(|scope| {
            let (first, second) = mechanisms.split_at(mechanisms.len().div_ceil(2));
            let other = scope.spawn(|| part(second));
            let mut all = part(first)?;
            all.extend(other.join().map_err(|_| broken("a worker of the self-test panicked"))??);
            Ok(all)
        });
        self.told.end();
        all
    }

    /// Drives what must be clean.
    fn quiet(&self) -> Result<Vec<(String, Quiet)>, CampaignError> {
        let overlapping = if self.args.thorough { 5_000 } else { self.args.quiet_trials };
        let names: Vec<&str> = built_in_names().chain([MIX]).collect();
        self.told.begin("", "explore", "works without a defect", names.len() as u64);
        let mut all = Vec::new();
        for name in names.iter().take_while(|_| !self.is_stopped()) {
            let scenario = built_in(name).map_err(broken)?;
            let work = scenario.to_explore().map_err(broken)?;
            let quiet = stay_quiet(work, &ReferenceSubject(Reference::PER_REQUEST), 1, overlapping);
            all.push(((*name).to_owned(), quiet.map_err(broken)?));
            let done = all.len() as u64;
            self.told.advance(done, done, 0);
        }
        self.told.end();
        Ok(all)
    }

    /// Drives each mechanism over real connections; those that are seldom found there only where
    /// there is time for it.
    fn wire(&self) -> Result<Vec<(Mechanism, Drive)>, CampaignError> {
        let budget = Budget { rounds: 60, limit: Duration::from_secs(60) };
        let is_quick =
            |mechanism: &Mechanism| self.args.thorough || expected(*mechanism).wire == Wire::Found;
        let mechanisms: Vec<Mechanism> = self.chosen().into_iter().filter(is_quick).collect();
        self.told.begin("", "wire", "mechanisms", mechanisms.len() as u64);
        let mut drives = Vec::new();
        for mechanism in mechanisms.into_iter().take_while(|_| !self.is_stopped()) {
            drives.push((mechanism, self.drive(self.subject(mechanism), budget)?));
            let done = drives.len() as u64;
            self.told.advance(done, done, 0);
        }
        self.told.end();
        Ok(drives)
    }

    fn quiet_wire(&self) -> Result<Drive, CampaignError> {
        let budget = Budget { rounds: 8, limit: Duration::from_secs(60) };
        self.drive(Reference::PER_REQUEST, budget)
    }

    fn drive(&self, subject: Reference, budget: Budget) -> Result<Drive, CampaignError> {
        drive(
            self.wire,
            subject,
            1,
            budget,
            &scenario::this_program()?,
            &self.begun.folder,
            &self.begun.stop,
        )
    }
}
