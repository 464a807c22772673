//! Reads a scenario file and checks it.

use std::sync::Arc;

use toml::de::DeTable;

use super::checked::{Limits, Scenario};
use super::error::{ScenarioError, line_of};
use super::file::{SCENARIO_VERSION, ScenarioFile, TargetTable};
use super::load_file::Count;
use super::names;
use super::reference_check::ONLY_REFERENCE;
use super::shape;
use super::words::{Checked, Words};
use super::written::Written;
use super::{Range, ServerWork, Sizes, Workload};
use partywall_core::dialect::Matching;
use partywall_core::protocol::{AnswerKind, Protocol, Start};
use partywall_core::target::{Server, Target};

/// Milliseconds that users listen on after the last round, where the scenario does not say, and the
/// most that it may say.
const LINGER: u32 = 2_000;
const MOST_LINGER: u32 = 60_000;
/// How many of a hundred runs lose their event connection where the scenario does not say.
const USUAL_LOST: u8 = 5;

impl Scenario {
    /// Reads and checks a scenario file whose target is given elsewhere: the file needs none.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its line.
    pub fn parse_for_target(text: &str) -> Result<Self, ScenarioError> {
        let is_there = Words { text }.line_of_key("", |key| key == "target").is_some();
        // After all else, so that lines keep their numbers.
        let whole = format!("{text}\n[target]\nurl = \"http://127.0.0.1\"\n");
        Self::parse(if is_there { text } else { &whole })
    }

    /// Reads and checks a scenario file.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its line.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let words = Words { text };
        words.has_a_target()?;
        let wrong = |error: toml::de::Error| ScenarioError {
            line: error.span().map(|span| line_of(text, &span)),
            problem: error.message().to_owned(),
        };
        shape::check(text, DeTable::parse(text).map_err(wrong)?.get_ref())?;
        let file: ScenarioFile = toml::from_str(text).map_err(wrong)?;
        words.demand(*file.version == SCENARIO_VERSION, &file.version, || {
            format!("this partywall reads scenario version {SCENARIO_VERSION}")
        })?;
        words.name(&file.name, "`name` is made of letters, digits, `-` and `_`")?;
        match words.builtin(&file.target)? {
            true => words.reference(file),
            false => words.server(file),
        }
    }
}

impl Words<'_> {
    /// A file without a target is of an older version, or not whole.
    fn has_a_target(&self) -> Checked<()> {
        let there = |key: &'static str| self.line_of_key("", |own| own == key);
        let first = self.line_of_key("", |key| !["version", "name", "title"].contains(&key));
        let (Some((line, _)), None) = (first, there("target")) else { return Ok(()) };
        let problem = match there("explore").or(there("wire")) {
            None => {
                "say what is driven: add a table `[target]` with `url` or `command` before this line"
            }
            Some(_) => {
                "say what is driven: add the lines `[target]` and `builtin = \"reference\"` before \
                 this one; then count the bystander in `users` of `[explore]` as well, and write \
                 `disconnect_percent` for `vanish_percent`"
            }
        };
        Err(ScenarioError { line: Some(line), problem: problem.into() })
    }

    pub(super) fn name(&self, name: &Written<String>, problem: &str) -> Checked<()> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        self.demand(!name.is_empty() && name.chars().all(plain), name, || problem.into())
    }

    /// How many users, without the bystander.
    pub(super) fn users(&self, written: &Written<Count>, bystander: bool) -> Checked<Range> {
        let [least, most] = match **written {
            Count::One(users) => [users; 2],
            Count::Between(users) => users,
        };
        self.demand(2 <= least && least <= most && most <= Sizes::USERS, written, || {
            format!("`users` is from 2 to {}", Sizes::USERS)
        })?;
        let idle = u32::from(bystander);
        Ok(Range { least: least - idle, most: most - idle })
    }

    pub(super) fn runs_per_user(&self, file: &ScenarioFile) -> Checked<u16> {
        self.number(&file.workload.runs_per_user, "runs_per_user", [1, Sizes::RUNS], 2)
    }

    pub(super) fn delay(&self, written: &Written<[u32; 2]>, name: &str) -> Checked<Range> {
        self.range(written, &format!("`{name}` is [fewest, most]"), Sizes::DELAY)
    }

    /// A scenario of a server that the file describes.
    fn server(&self, file: ScenarioFile) -> Checked<Scenario> {
        let why = "for `builtin = \"reference\"` in `[target]`; your own server is driven on the \
                   wire, as `[start]` says: remove it";
        self.refuse("", |key| key == "explore", why)?;
        for table in ["workload", "wire"] {
            self.refuse(table, |key| ONLY_REFERENCE.contains(&key), why)?;
        }
        let protocol = Arc::new(self.protocol(&file)?);
        let mut target = self.target(&file.target, None, &file.limits.hosts)?;
        target.upstream = self.upstream(&file)?;
        target.users = names::users_from(self, &file)?;
        let side = |side: &Option<TargetTable>| {
            let side = side.as_ref();
            side.map(|own| self.target(own, Some(&target), &file.limits.hosts)).transpose()
        };
        let (before, after) = (side(&file.before)?, side(&file.after)?);
        let states = self.states(&file.state, |table| {
            let own: Server = self.target(&table.target(), Some(&target), &file.limits.hosts)?;
            let is_somewhere = !own.command.is_empty() || !own.urls.is_empty();
            self.demand(is_somewhere, &table.name, || {
                "a state needs `url`, `urls` or `command`".into()
            })?;
            Ok(own.into())
        })?;
        let evidence = self.evidence(&file.migration)?;
        let lone = target.urls.is_empty() && target.command.is_empty();
        let others = (before.is_some() && after.is_some()) || !states.is_empty();
        self.demand(!lone || others, &file.target, || {
            "`[target]` needs `url`, `urls` or `command`".into()
        })?;
        self.upstream_is_told(&file, [Some(&target), before.as_ref(), after.as_ref()])?;
        let (wire, wire_rounds, round_requests) = self.work(&file, protocol)?;
        Ok(Scenario {
            name: file.name.to_string(),
            title: file.title,
            target: target.into(),
            before: before.map(Target::from),
            after: after.map(Target::from),
            states,
            evidence,
            explore: None,
            explore_trials: 0,
            wire,
            wire_rounds,
            limits: Limits {
                seconds: file.limits.seconds,
                requests: file.limits.requests.as_deref().copied(),
                round_requests,
                runs_per_second: file.limits.runs_per_second.as_deref().copied(),
            },
        })
    }

    /// The work, the rounds that the limits leave of it, and the requests of one of them.
    fn work(&self, file: &ScenarioFile, protocol: Arc<Protocol>) -> Checked<(Workload, u64, u64)> {
        let load = &file.workload;
        let faults = self.faults(file, &protocol)?;
        let names = names::listed(self, &file.identity)?;
        let listed = if names.is_empty() { Sizes::USERS } else { names.len() as u32 };
        let mut users = match file.wire.users.as_ref().or(load.users.as_ref()) {
            None => Range { least: 50, most: 50 },
            Some(written) => self.users(written, false)?,
        };
        match file.wire.users.as_ref().or(load.users.as_ref()) {
            None => users = Range { least: users.least.min(listed), most: users.most.min(listed) },
            Some(written) => self.demand(users.most <= listed, written, || {
                format!("`users` in `[identity]` lists {listed}; use at most as many")
            })?,
        }
        let runs = self.runs_per_user(file)?;
        let start_delay = match file.wire.start_delay.as_ref().or(load.start_delay.as_ref()) {
            None => Range { least: 0, most: 20 },
            Some(written) => self.delay(written, "start_delay")?,
        };
        let bystander = load.bystander.unwrap_or(protocol.events.is_some()) && users.least > 2;
        let idle = u32::from(bystander);
        let active = Range { least: users.least - idle, most: users.most - idle };
        if let Some(rate) = &file.limits.runs_per_second {
            self.demand(**rate > 0, rate, || "`runs_per_second` is at least 1".into())?;
        }
        let rounds = file.wire.rounds.as_ref().or(load.rounds.as_ref());
        if let Some(written) = rounds {
            self.demand(**written > 0, written, || "use 1 or more".into())?;
        }
        let mut rounds = rounds.map_or(8, |rounds| **rounds);
        let set_up = protocol.setup.len() as u64 + 1;
        let on_socket = !matches!(
            protocol.start,
            Start::Http { answer: AnswerKind::Whole | AnswerKind::Stream, .. }
        );
        // Where ids bind events to runs, what one connection loses is told from what another gets.
        let bound = matches!(protocol.dialect.matching, Matching::Run | Matching::Request);
        let vanish_percent = match &load.disconnect_percent {
            None if on_socket && bound && file.limits.requests.is_none() => USUAL_LOST,
            written => self.percent(written)?,
        };
        let approves = protocol.controls.approve.is_some();
        let more = faults.requests(runs.into(), set_up - 1, vanish_percent, approves);
        let round =
            u64::from(active.most) * (u64::from(runs) + more) + u64::from(users.most) * set_up;
        if let Some(most) = &file.limits.requests {
            self.demand(**most >= round, most, || {
                format!("one round alone takes {round} requests; give fewer users or runs")
            })?;
            rounds = rounds.min(**most / round);
        }
        if let (Some(written), false) = (&load.disconnect_percent, on_socket) {
            let problem = "there is no event connection to lose; give `cancel_percent` instead";
            return Err(self.error(written, problem.into()));
        }
        let parallel = self.number(&load.parallel, "parallel", [1, runs], 1)?;
        let work = Workload {
            runs_per_user: runs,
            via: vec![protocol.via()],
            acts: Vec::new(),
            bystander,
            vanish_percent,
            start_delay,
            server: Some(ServerWork {
                names,
                sequential: load.sequential.unwrap_or(true),
                parallel,
                faults,
                linger: self.number(&load.linger, "linger", [0, MOST_LINGER], LINGER)?,
                ids: names::ids(file),
                unicode_names: names::unicode(file, &protocol),
                anonymous: file.identity.none,
                protocol,
            }),
            ..Workload::plain(&*file.name, active)
        };
        Ok((work, rounds, round))
    }
}
