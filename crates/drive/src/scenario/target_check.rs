//! Checks of the tables that say where a server is, how it is started, and what it asks.

use std::time::Duration;

use super::file::{ScenarioFile, TargetTable, UpstreamTable};
use super::words::{Checked, Filled, Words};
use crate::upstream::Options;
use partywall_core::target::{PlayedUpstream, Server};
use partywall_core::template;

/// The most processes of one command.
const MOST_INSTANCES: u16 = 32;
/// The longest delay of a reply, in milliseconds.
const LONGEST_DELAY: u32 = 60_000;
/// The most pieces of a reply.
const MOST_CHUNKS: u16 = 1_000;
/// What stands for the upstream in a template.
const UPSTREAM: &str = "upstream.url";

impl Words<'_> {
    pub(super) fn target(
        &self,
        table: &TargetTable,
        otherwise: Option<&Server>,
        hosts: &[String],
    ) -> Checked<Server> {
        let mut target = otherwise.cloned().unwrap_or(Server {
            ready_seconds: 20,
            instances: 1,
            hosts: hosts.to_vec(),
            ..Server::default()
        });
        if let (Some(url), Some(urls)) = (&table.url, &table.urls) {
            let problem = "give `url` or `urls`, not both".to_owned();
            let is_later = url.span().start > urls.span().start;
            return Err(if is_later {
                self.error(url, problem)
            } else {
                self.error(urls, problem)
            });
        }
        if let Some(urls) = &table.urls {
            self.demand(!urls.is_empty(), urls, || "`urls` names at least one".into())?;
            (target.urls, target.command) = (urls.to_vec(), Vec::new());
        }
        if let Some(url) = &table.url {
            // With a place for the port it says how a started server is spoken to.
            let of_started = url.contains("{{");
            template::names(url).map_err(|problem| self.error(url, problem))?;
            let clash = !of_started && table.command.is_some();
            self.demand(!clash, url, || {
                "give `url` or `command`; with both, the URL has `{{ port }}` in it".into()
            })?;
            target.urls = vec![url.to_string()];
            if !of_started {
                target.command.clear();
            }
        }
        self.command(table, &mut target)?;
        if let Some(env) = &table.env {
            target.env.retain(|(name, _)| !env.contains_key(name));
            target.env.extend(self.pairs(env, Filled::Starting)?);
        }
        if let Some(websocket) = &table.websocket {
            let is_one = ["ws://", "wss://"].iter().any(|scheme| websocket.starts_with(scheme));
            self.demand(is_one, websocket, || {
                "`websocket` is of the form ws://HOST[:PORT][/PATH] or wss://…".into()
            })?;
            target.websocket = Some(websocket.to_string());
        }
        target.ca = table.ca.clone().or(target.ca);
        target.cwd = table.cwd.clone().or(target.cwd);
        target.ready = table.ready.clone().or(target.ready);
        target.ready_seconds = table.ready_seconds.unwrap_or(target.ready_seconds);
        target.fresh_process = table.fresh_process.unwrap_or(target.fresh_process);
        Ok(target)
    }

    fn command(&self, table: &TargetTable, target: &mut Server) -> Checked<()> {
        if let Some(command) = &table.command {
            self.demand(!command.is_empty(), command, || {
                "`command` names a program and its arguments".into()
            })?;
            for part in command.iter() {
                self.has_values(command, part, Filled::Starting)?;
            }
            let has_port =
                |text: &str| template::names(text).is_ok_and(|all| all.contains(&"port"));
            let ported = command.iter().any(|part| has_port(part))
                || table.env.iter().flatten().any(|(_, value)| has_port(value))
                || target.env.iter().any(|(_, value)| has_port(value));
            self.demand(ported, command, || {
                "the server must be told its port: put `{{ port }}` into `command` or `env`".into()
            })?;
            target.command.clone_from(command);
            target.urls.retain(|url| url.contains("{{"));
        }
        let started = !target.command.is_empty();
        let by_command = "is for servers that are started: give `command`";
        let most = [1, MOST_INSTANCES];
        target.instances = self.number(&table.instances, "instances", most, target.instances)?;
        if let Some(instances) = &table.instances {
            self.demand(started, instances, || format!("`instances` {by_command}"))?;
        }
        if let Some(restart) = &table.restart_during_round {
            self.demand(started || !**restart, restart, || {
                format!("`restart_during_round` {by_command}")
            })?;
            target.restart_during_round = **restart;
        }
        Ok(())
    }

    /// The server's model and tools, where partywall plays them.
    pub(super) fn upstream(&self, file: &ScenarioFile) -> Checked<Option<PlayedUpstream>> {
        let Some(table) = &file.upstream else { return Ok(None) };
        let accounts = table
            .accounts
            .iter()
            .map(|own| self.template(own, Filled::AnyTime))
            .collect::<Checked<_>>()?;
        let judged = table.judged.unwrap_or(true);
        Ok(Some(PlayedUpstream { options: self.options(table)?, judged, accounts }))
    }

    fn options(&self, table: &UpstreamTable) -> Checked<Options> {
        let millis = |millis: u32| Duration::from_millis(millis.into());
        let mut options = Options { delay: (millis(0), millis(20)), ..Options::default() };
        options.port = table.port;
        options.seed = table.seed.unwrap_or(options.seed);
        if let Some(delay) = &table.delay {
            let what = "`delay` is [fewest, most] milliseconds";
            let delay = self.range(delay, what, LONGEST_DELAY)?;
            options.delay = (millis(delay.least), millis(delay.most));
        }
        options.gap = table.gap.map_or(options.gap, |gap| millis(gap.into()));
        let chunks = options.chunks;
        options.chunks = self.number(&table.chunks, "chunks", [1, MOST_CHUNKS], chunks)?;
        if let Some(order) = &table.order {
            let read = order.parse();
            options.order = read.map_err(|error: crate::upstream::OrderError| {
                self.error(order, error.to_string())
            })?;
        }
        options.hold = table.hold.map_or(options.hold, |hold| millis(hold.into()));
        let fails = options.fail_percent;
        options.fail_percent = self.number(&table.fail_percent, "fail_percent", [0, 100], fails)?;
        Ok(options)
    }

    /// The server must learn where its upstream is, and must not ask for one that there is not.
    pub(super) fn upstream_is_told(
        &self,
        file: &ScenarioFile,
        targets: [Option<&Server>; 3],
    ) -> Checked<()> {
        let of_targets = targets.into_iter().flatten().any(|target| {
            let env = target.env.iter().map(|(_, value)| value);
            target.command.iter().chain(env).any(|text| text.contains(UPSTREAM))
        });
        match &file.upstream {
            Some(table) => {
                // Users may tell the server themselves.
                let mut lines =
                    self.text.lines().filter(|line| !line.trim_start().starts_with('#'));
                let by_users = lines.any(|line| line.contains(UPSTREAM));
                let told = of_targets || by_users || table.port != 0;
                self.demand(told, table, || {
                    "the server does not learn where its upstream is: put `{{ upstream.url }}` \
                     into `command` or `env` of `[target]`, or give a `port`"
                        .into()
                })
            }
            None => match self.text.find(UPSTREAM).filter(|_| of_targets) {
                Some(at) => Err(super::ScenarioError {
                    line: Some(self.text[..at].matches('\n').count() + 1),
                    problem: "there is no upstream: add a table `[upstream]`".into(),
                }),
                None => Ok(()),
            },
        }
    }
}
