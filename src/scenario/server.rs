//! A scenario of a server of somebody's own, as checked.

use std::sync::Arc;

use toml::Spanned;

use super::checked::{Range, ScenarioError, Sizes, Workload, line_of};
use super::faults::Faults;
use super::file::SCENARIO_VERSION;
use super::server_check::Words;
use super::server_file::{ServerFile, TargetTable};
use super::server_names;
use super::server_states::{MigrationEvidence, ServerState};
use super::target::Target;
use crate::trial::ids::UserName;
use crate::trial::protocol::{AnswerKind, Protocol, Start};

/// A checked scenario of a server of somebody's own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerScenario {
    /// A short name.
    pub name: String,
    /// One line for reports.
    pub title: String,
    /// The server.
    pub target: Target,
    /// Sign-off: the server before the migration, where the file says how.
    pub before: Option<Target>,
    /// Sign-off: the server after the migration, where the file says how.
    pub after: Option<Target>,
    /// The states of a migration, where the file lists any.
    pub states: Vec<ServerState>,
    /// What tells of itself what happened in them.
    pub evidence: MigrationEvidence,
    /// The work; delays in milliseconds.
    pub work: Workload,
    /// How many rounds.
    pub rounds: u64,
    /// Hosts besides this machine that may be driven.
    pub hosts: Vec<String>,
    /// Seconds for everything.
    pub seconds: Option<u64>,
    /// Requests and messages in all.
    pub requests: Option<u64>,
    /// The most that one round takes of them.
    pub round_requests: u64,
    /// Runs that are started in a second, by all users together.
    pub runs_per_second: Option<u32>,
}

/// The ids that clients choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ids {
    /// The same for all users.
    #[default]
    Equal,
    /// No two users have one in common.
    Unique,
    /// Joined with the user's name they are those of another user.
    Colliding,
}

/// What plans of such a server are made from besides the workload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerWork {
    /// How users speak.
    pub protocol: Arc<Protocol>,
    /// The users' names; generated where there are none.
    pub names: Vec<UserName>,
    /// Whether the second round lets users work one after the other.
    pub sequential: bool,
    /// Runs of a user that go on at the same time.
    pub parallel: u16,
    /// What goes otherwise than it should.
    pub faults: Faults,
    /// The ids that clients choose.
    pub ids: Ids,
    /// Whether some of the generated names are not ASCII.
    pub unicode_names: bool,
}

impl ServerScenario {
    /// Reads and checks a scenario of a server of somebody's own.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its line.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let file: ServerFile = toml::from_str(text).map_err(|error| ScenarioError {
            line: error.span().map(|span| line_of(text, &span)),
            problem: error.message().to_owned(),
        })?;
        check(&Words { text }, file)
    }

    /// The scenario with those users instead of generated ones.
    ///
    /// # Errors
    ///
    /// They are fewer than two, or one is named twice.
    pub fn with_names(mut self, names: Vec<UserName>) -> Result<Self, String> {
        let most = u32::try_from(names.len()).unwrap_or(u32::MAX);
        let Some(server) = self.work.server.take() else { return Ok(self) };
        self.work.server = Some(server.with_names(names)?);
        let users = self.work.users.most + u32::from(self.work.bystander);
        self.work = self.work.with_users(users.min(most));
        Ok(self)
    }

    /// Whether the text is of such a scenario: it has a table `[target]`.
    pub fn is_one(text: &str) -> bool {
        toml::from_str::<toml::Table>(text).is_ok_and(|table| table.contains_key("target"))
    }

    /// The names of the environment variables that its templates ask for.
    pub fn environment(&self) -> Vec<String> {
        let protocol = self.work.server.as_ref().map(|work| &work.protocol);
        let mut all = serde_json::to_string(&protocol).unwrap_or_default();
        let states = self.states.iter().map(|state| Some(&state.target));
        let sides = [Some(&self.target), self.before.as_ref(), self.after.as_ref()];
        for target in sides.into_iter().chain(states) {
            all.push_str(&serde_json::to_string(&target).unwrap_or_default());
        }
        environment_in(&all)
    }
}

/// The names of the environment variables that templates in that text ask for.
pub fn environment_in(text: &str) -> Vec<String> {
    let mut names: Vec<String> = text
        .split("{{")
        .skip(1)
        .filter_map(|place| {
            let name = place.trim_start().strip_prefix("env.")?;
            let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
            Some(name[..end].to_owned())
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

fn check(words: &Words<'_>, file: ServerFile) -> Result<ServerScenario, ScenarioError> {
    words.demand(*file.version.get_ref() == SCENARIO_VERSION, &file.version, || {
        format!("this partywall reads scenario version {SCENARIO_VERSION}")
    })?;
    let name = file.name.get_ref().clone();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    words.demand(!name.is_empty() && name.chars().all(plain), &file.name, || {
        "`name` is made of letters, digits, `-` and `_`".into()
    })?;
    let protocol = Arc::new(words.protocol(&file)?);
    let mut target = words.target(file.target.get_ref(), None, &file.limits.hosts)?;
    target.upstream = words.upstream(&file)?;
    target.users = server_names::users_from(words, &file)?;
    let side = |side: &Option<TargetTable>| {
        let side = side.as_ref();
        side.map(|own| words.target(own, Some(&target), &file.limits.hosts)).transpose()
    };
    let (before, after) = (side(&file.before)?, side(&file.after)?);
    let states = words.states(&file.state, &target, &file.limits.hosts)?;
    let evidence = words.evidence(&file.migration)?;
    let lone = target.urls.is_empty() && target.command.is_empty();
    let others = (before.is_some() && after.is_some()) || !states.is_empty();
    words.demand(!lone || others, &file.target, || {
        "`[target]` needs `url`, `urls` or `command`".into()
    })?;
    words.upstream_is_told(&file, [Some(&target), before.as_ref(), after.as_ref()])?;
    let rounds = file.workload.rounds.as_ref().map_or(8, |rounds| *rounds.get_ref()).max(1);
    let (work, rounds, round_requests) = work(words, &file, &name, protocol, rounds)?;
    Ok(ServerScenario {
        name,
        title: file.title,
        target: target.into(),
        before: before.map(Target::from),
        after: after.map(Target::from),
        states,
        evidence,
        work,
        rounds,
        hosts: file.limits.hosts,
        seconds: file.limits.seconds,
        requests: file.limits.requests.map(Spanned::into_inner),
        round_requests,
        runs_per_second: file.limits.runs_per_second.map(Spanned::into_inner),
    })
}

/// The work, and the rounds that the limits leave of it.
fn work(
    words: &Words<'_>,
    file: &ServerFile,
    name: &str,
    protocol: Arc<Protocol>,
    rounds: u64,
) -> Result<(Workload, u64, u64), ScenarioError> {
    let load = &file.workload;
    let faults = words.faults(file, &protocol)?;
    let percent = |written: &Option<Spanned<u8>>| match written {
        None => Ok(0),
        Some(written) => {
            words.demand(*written.get_ref() <= 100, written, || "from 0 to 100".into())?;
            Ok(*written.get_ref())
        }
    };
    let mut users = match &load.users {
        None => 50,
        Some(written) => {
            words.demand((2..=Sizes::USERS).contains(written.get_ref()), written, || {
                format!("`users` is from 2 to {}", Sizes::USERS)
            })?;
            *written.get_ref()
        }
    };
    let names = server_names::listed(words, &file.identity)?;
    if !names.is_empty() {
        users = users.min(u32::try_from(names.len()).unwrap_or(users));
    }
    let runs = match &load.runs_per_user {
        None => 2,
        Some(written) => {
            words.demand((1..=Sizes::RUNS).contains(written.get_ref()), written, || {
                format!("`runs_per_user` is from 1 to {}", Sizes::RUNS)
            })?;
            *written.get_ref()
        }
    };
    let start_delay = match &load.start_delay {
        None => Range { least: 0, most: 20 },
        Some(written) => {
            let [least, most] = *written.get_ref();
            words.demand(least <= most && most <= Sizes::DELAY, written, || {
                format!("`start_delay` is [fewest, most], from 0 to {}", Sizes::DELAY)
            })?;
            Range { least, most }
        }
    };
    let bystander = load.bystander.unwrap_or(protocol.events.is_some()) && users > 2;
    let active = users - u32::from(bystander);
    if let Some(rate) = &file.limits.runs_per_second {
        words.demand(*rate.get_ref() > 0, rate, || "`runs_per_second` is at least 1".into())?;
    }
    let mut rounds = rounds;
    let set_up = protocol.setup.len() as u64 + 1;
    let disconnect = percent(&load.disconnect_percent)?;
    let approves = protocol.controls.approve.is_some();
    let more = faults.requests(runs.into(), set_up - 1, disconnect, approves);
    let round = u64::from(active) * (u64::from(runs) + more) + u64::from(users) * set_up;
    if let Some(most) = &file.limits.requests {
        words.demand(*most.get_ref() >= round, most, || {
            format!("one round alone takes {round} requests; give fewer users or runs")
        })?;
        rounds = rounds.min(most.get_ref() / round);
    }
    let via = protocol.via();
    let on_socket = !matches!(
        protocol.start,
        Start::Http { answer: AnswerKind::Whole | AnswerKind::Stream, .. }
    );
    let vanish_percent = percent(&load.disconnect_percent)?;
    if let (Some(written), false) = (&load.disconnect_percent, on_socket) {
        return Err(words.error(
            written,
            "there is no event connection to lose; give `cancel_percent` instead".into(),
        ));
    }
    let nothing = Range { least: 0, most: 0 };
    let parallel = load.parallel.as_ref().map_or(1, |parallel| *parallel.get_ref()).clamp(1, runs);
    let unicode_names = server_names::unicode(file, &protocol);
    let server = ServerWork {
        protocol,
        names,
        sequential: load.sequential.unwrap_or(true),
        parallel,
        faults,
        ids: server_names::ids(words, file)?,
        unicode_names,
    };
    let work = Workload {
        scenario: name.to_owned(),
        users: Range { least: active, most: active },
        runs_per_user: runs,
        via: vec![via],
        mix: false,
        acts: Vec::new(),
        share_browsers: None,
        heavy_runs: 0,
        bystander,
        vanish_percent,
        agents: Vec::new(),
        start_delay,
        stub_delay: nothing,
        faults: nothing,
        server: Some(server),
    };
    Ok((work, rounds, round))
}
