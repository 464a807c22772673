//! A scenario as checked: nothing unset, nothing out of range.

use std::fmt;
use std::ops::Range as Span;

use toml::Spanned;

use super::file::{SCENARIO_VERSION, ScenarioFile, WorkloadTable};
use super::mix::Act;
use super::server::ServerWork;
use crate::trial::plan::{Plan, Via};

/// A checked scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scenario {
    /// A short name.
    pub name: String,
    /// One line for reports.
    pub title: String,
    /// The work in the simulated world; delays in switch points.
    pub explore: Workload,
    /// Trials of a sign-off in the simulated world.
    pub explore_trials: u64,
    /// The work on the wire; delays in milliseconds.
    pub wire: Workload,
    /// Rounds of a sign-off on the wire.
    pub wire_rounds: u64,
}

/// What plans are made from; [`Workload::plan`] is their one constructor.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Workload {
    /// The scenario's name.
    pub scenario: String,
    /// Users that start runs.
    pub users: Range,
    /// Runs that each of them starts.
    pub runs_per_user: u16,
    /// How runs are started; drawn for each run.
    pub via: Vec<Via>,
    /// Whether the work is the mix of everything that some mechanism needs.
    pub mix: bool,
    /// What the mix is made of: never nothing.
    pub acts: Vec<Act>,
    /// Whether the users of the mix sit two at a browser; drawn for each trial where it is not said.
    pub share_browsers: Option<bool>,
    /// Runs that the first user starts all at once; 0 where they are as the others.
    pub heavy_runs: u16,
    /// Whether one more user is connected and does nothing.
    pub bystander: bool,
    /// How many of a hundred socket runs lose their connection in mid-run.
    pub vanish_percent: u8,
    /// The sub-agents of each run.
    pub agents: Vec<String>,
    /// Turns before a user starts.
    pub start_delay: Range,
    /// Turns that a stub call takes.
    pub stub_delay: Range,
    /// How much goes wrong in a trial: requests cut, time limits passed, connections broken.
    pub faults: Range,
    /// What only the work against a server of somebody's own has.
    pub server: Option<ServerWork>,
}

impl Workload {
    /// What is known of the workload that a plan was made from; no plan is made from it.
    pub(crate) fn of_plan(plan: &Plan) -> Self {
        let users = u32::try_from(plan.users.len()).unwrap_or(u32::MAX);
        let users = Range { least: users, most: users };
        let agents = plan.runs().next().map(|(_, run)| run.agents.clone()).unwrap_or_default();
        let none = Range { least: 0, most: 0 };
        Self {
            scenario: plan.scenario.clone(),
            users,
            runs_per_user: 1,
            via: Vec::new(),
            mix: false,
            acts: Act::ALL.to_vec(),
            share_browsers: None,
            heavy_runs: 0,
            bystander: false,
            vanish_percent: 0,
            agents,
            start_delay: none,
            stub_delay: none,
            faults: none,
            server: None,
        }
    }

    /// The same work with that many users (the bystander included, if there is one).
    pub fn with_users(mut self, users: u32) -> Self {
        // Where the users are given, there are no others.
        let listed = self.server.as_ref().map_or(0, |work| work.names.len());
        let users = if listed == 0 { users } else { users.min(listed as u32) };
        let active = users.saturating_sub(u32::from(self.bystander)).max(1);
        self.users = Range { least: active, most: active };
        self
    }

    /// Users of one's own back end in the simulated world: two to four, who start one run each at
    /// about the same time over event connections, and one who does nothing.
    pub fn of_own_code(name: impl Into<String>) -> Self {
        Self {
            scenario: name.into(),
            users: Range { least: 2, most: 4 },
            runs_per_user: 1,
            via: vec![Via::Socket],
            mix: false,
            acts: Act::ALL.to_vec(),
            share_browsers: None,
            heavy_runs: 0,
            bystander: true,
            vanish_percent: 0,
            agents: Vec::new(),
            start_delay: Range { least: 0, most: 4 },
            stub_delay: Range { least: 0, most: 2 },
            faults: Range { least: 0, most: 0 },
            server: None,
        }
    }

    /// The smallest work of its kind, for a search that tries everything: two users, one run each
    /// over the socket, one sub-agent, no delays, nobody else.
    pub fn smallest(mut self) -> Self {
        let none = Range { least: 0, most: 0 };
        self.users = Range { least: 2, most: 2 };
        self.runs_per_user = 1;
        self.via = vec![Via::Socket];
        self.mix = false;
        self.heavy_runs = 0;
        self.bystander = false;
        self.vanish_percent = 0;
        self.agents.truncate(1);
        self.start_delay = none;
        self.stub_delay = none;
        self.faults = none;
        self
    }

    /// The same work for two users who start two runs each and whom nothing befalls but what a sweep
    /// plans for them.
    pub fn for_sweep(mut self) -> Self {
        self.users = Range { least: 2, most: 2 };
        self.runs_per_user = 2;
        self.heavy_runs = 0;
        self.vanish_percent = 0;
        self.faults = Range { least: 0, most: 0 };
        self
    }

    /// The same work with that many runs of each user.
    pub fn with_runs(mut self, runs: u16) -> Self {
        self.runs_per_user = runs.max(1);
        self
    }
}

/// From the fewest to the most, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The fewest.
    pub least: u32,
    /// The most; not below the fewest.
    pub most: u32,
}

/// The largest of what a scenario may ask for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Sizes;

impl Sizes {
    /// Users of one trial.
    pub const USERS: u32 = 5_000;
    /// Runs of one user.
    pub const RUNS: u16 = 1_000;
    /// Turns of one delay.
    pub const DELAY: u32 = 10_000;
    /// Faults of one trial.
    pub const FAULTS: u32 = 16;
}

/// What is wrong with a scenario file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// The line, from 1; none where the file as a whole is meant.
    pub line: Option<usize>,
    /// What is wrong, and what to write instead.
    pub problem: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(out, "line {line}: {}", self.problem),
            None => out.write_str(&self.problem),
        }
    }
}

impl std::error::Error for ScenarioError {}

impl Scenario {
    /// Reads and checks a scenario file.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its line.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let file: ScenarioFile = toml::from_str(text).map_err(|error| ScenarioError {
            line: error.span().map(|span| line_of(text, &span)),
            problem: error.message().to_owned(),
        })?;
        Checker { text }.check(file)
    }
}

struct Checker<'t> {
    text: &'t str,
}

impl Checker<'_> {
    fn check(&self, file: ScenarioFile) -> Result<Scenario, ScenarioError> {
        self.demand(*file.version.get_ref() == SCENARIO_VERSION, &file.version, || {
            format!("this partywall reads scenario version {SCENARIO_VERSION}")
        })?;
        let name = file.name.get_ref();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        self.demand(!name.is_empty() && name.chars().all(plain), &file.name, || {
            "`name` is made of letters, digits, `-` and `_`".into()
        })?;
        let work = &file.workload;
        self.demand(
            (1..=Sizes::RUNS).contains(work.runs_per_user.get_ref()),
            &work.runs_per_user,
            || format!("`runs_per_user` is from 1 to {}", Sizes::RUNS),
        )?;
        let vanish_percent = work.vanish_percent.as_ref().map_or(0, |percent| *percent.get_ref());
        if let Some(percent) = &work.vanish_percent {
            self.demand(vanish_percent <= 100, percent, || {
                "`vanish_percent` is from 0 to 100".into()
            })?;
        }
        let common = Workload {
            scenario: name.clone(),
            users: Range { least: 1, most: 1 },
            runs_per_user: *work.runs_per_user.get_ref(),
            via: self.via(&work.via)?,
            mix: work.mix || work.acts.is_some(),
            acts: self.acts(work)?,
            share_browsers: work.share_browsers.as_ref().map(|share| *share.get_ref()),
            heavy_runs: self.heavy_runs(work)?,
            bystander: work.bystander,
            vanish_percent,
            agents: Vec::new(),
            start_delay: Range { least: 0, most: 0 },
            stub_delay: Range { least: 0, most: 0 },
            faults: Range { least: 0, most: 0 },
            server: None,
        };
        let explore = Workload {
            users: self.range(&file.explore.users, "users", 1, Sizes::USERS)?,
            agents: self.agents(&file.explore.agents)?,
            start_delay: self.range(&file.explore.start_delay, "start_delay", 0, Sizes::DELAY)?,
            stub_delay: self.range(&file.explore.stub_delay, "stub_delay", 0, Sizes::DELAY)?,
            faults: match &file.explore.faults {
                Some(faults) => self.range(faults, "faults", 0, Sizes::FAULTS)?,
                None => common.faults,
            },
            ..common.clone()
        };
        let mut wire = Workload {
            users: self.range(&file.wire.users, "users", 2, Sizes::USERS)?,
            agents: self.agents(&file.wire.agents)?,
            start_delay: self.range(&file.wire.start_delay, "start_delay", 0, Sizes::DELAY)?,
            stub_delay: self.range(&file.wire.stub_delay, "stub_delay", 0, Sizes::DELAY)?,
            ..common
        };
        if wire.bystander {
            wire.users = Range { least: wire.users.least - 1, most: wire.users.most - 1 };
        }
        self.demand(*file.explore.trials.get_ref() > 0, &file.explore.trials, || {
            "`trials` is at least 1".into()
        })?;
        self.demand(*file.wire.rounds.get_ref() > 0, &file.wire.rounds, || {
            "`rounds` is at least 1".into()
        })?;
        Ok(Scenario {
            name: name.clone(),
            title: file.title,
            explore,
            explore_trials: file.explore.trials.into_inner(),
            wire,
            wire_rounds: file.wire.rounds.into_inner(),
        })
    }

    fn via(&self, written: &Spanned<Vec<Spanned<String>>>) -> Result<Vec<Via>, ScenarioError> {
        self.demand(!written.get_ref().is_empty(), written, || {
            "`via` lists at least one of `socket`, `http`".into()
        })?;
        let read = |via: &Spanned<String>| match via.get_ref().as_str() {
            "socket" => Ok(Via::Socket),
            "http" => Ok(Via::Http),
            other => Err(self.error(
                via,
                format!(
                    "`{}` is no way to start a run; write `socket` or `http`",
                    other.escape_debug()
                ),
            )),
        };
        written.get_ref().iter().map(read).collect()
    }

    fn acts(&self, work: &WorkloadTable) -> Result<Vec<Act>, ScenarioError> {
        let chosen = work.acts.as_ref();
        let Some(written) = chosen else {
            if let (Some(share), false) = (&work.share_browsers, work.mix) {
                return Err(self.error(share, "`share_browsers` needs `mix` or `acts`".into()));
            }
            return Ok(Act::ALL.to_vec());
        };
        let all = || Act::ALL.map(|act| format!("`{}`", act.as_str())).join(", ");
        self.demand(!written.get_ref().is_empty(), written, || {
            format!("`acts` lists at least one of {}", all())
        })?;
        let read = |name: &Spanned<String>| {
            Act::ALL.into_iter().find(|act| act.as_str() == name.get_ref()).ok_or_else(|| {
                let written = name.get_ref().escape_debug();
                self.error(name, format!("there is no act `{written}`; there are {}", all()))
            })
        };
        written.get_ref().iter().map(read).collect()
    }

    fn heavy_runs(&self, work: &WorkloadTable) -> Result<u16, ScenarioError> {
        let Some(written) = &work.heavy_runs else { return Ok(0) };
        self.demand(!work.mix && work.acts.is_none(), written, || {
            "`heavy_runs` goes without `mix` and `acts`".into()
        })?;
        self.demand((1..=Sizes::RUNS).contains(written.get_ref()), written, || {
            format!("`heavy_runs` is from 1 to {}", Sizes::RUNS)
        })?;
        Ok(*written.get_ref())
    }

    fn agents(&self, written: &Spanned<Vec<String>>) -> Result<Vec<String>, ScenarioError> {
        self.demand(!written.get_ref().is_empty(), written, || {
            "`agents` lists at least one sub-agent".into()
        })?;
        Ok(written.get_ref().clone())
    }

    fn range(
        &self,
        written: &Spanned<[u32; 2]>,
        name: &str,
        floor: u32,
        ceiling: u32,
    ) -> Result<Range, ScenarioError> {
        let [least, most] = *written.get_ref();
        self.demand(floor <= least && least <= most && most <= ceiling, written, || {
            format!("`{name}` is [fewest, most], from {floor} to {ceiling}")
        })?;
        Ok(Range { least, most })
    }

    fn demand<T>(
        &self,
        holds: bool,
        at: &Spanned<T>,
        problem: impl FnOnce() -> String,
    ) -> Result<(), ScenarioError> {
        if holds { Ok(()) } else { Err(self.error(at, problem())) }
    }

    fn error<T>(&self, at: &Spanned<T>, problem: String) -> ScenarioError {
        ScenarioError { line: Some(line_of(self.text, &at.span())), problem }
    }
}

pub(super) fn line_of(text: &str, span: &Span<usize>) -> usize {
    text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1
}
