//! The server that is driven: where it is, or started by its command and ended with its children.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::wire::server_process::{ServerProcess, free_port};
use partywall_core::template::{fill, plain};
use partywall_drive::scenario::{PlayedUpstream, Reference, Server, Target};
use partywall_drive::transport::Servers;
use partywall_drive::transport::{TargetUrl, Trust};
use partywall_drive::upstream::Upstream;
use partywall_explore::store::budget::Stop;
use partywall_explore::store::error::{CampaignError, Kind};

/// In one round of so many, beginning with the third, a process is restarted: in each one, too many
/// runs would have an unknown end.
const RESTART_EVERY: u64 = 4;
const FIRST_RESTART: u64 = 2;
/// How long the reference back end may take to be ready.
const START_SECONDS: u32 = 20;

/// A server that is there; one that was started ends, with its children, when this is dropped.
#[derive(Debug)]
pub struct Launched {
    target: Server,
    log: PathBuf,
    stop: Stop,
    state: Mutex<State>,
    up: watch::Sender<bool>,
}

#[derive(Debug)]
struct State {
    /// None while it is restarted, or where it did not come back.
    processes: Vec<Option<ServerProcess>>,
    ports: Vec<u16>,
    servers: Arc<Servers>,
}

impl Launched {
    /// Reaches or starts the server, and its upstream where partywall plays it; the reference back end
    /// is this program. `given` holds what stands for `{{ env.NAME }}`; a started server's output is
    /// added to the log.
    ///
    /// # Errors
    ///
    /// The target is no server, a URL may not be driven, or the command does not come to be ready.
    pub fn start(
        target: &Target,
        this_program: &Path,
        given: &Servers,
        log: &Path,
        stop: &Stop,
    ) -> Result<Self, CampaignError> {
        let target = match target {
            Target::Server { target } => (**target).clone(),
            Target::Reference(reference) => served_by(this_program, *reference),
            Target::Code { name } => return Err(CampaignError::of_code(name)),
        };
        // What another server says to a user who is alone is nothing that this one says.
        let mut servers = Servers { said_alone: Arc::default(), ..given.clone() };
        if let Some(played) = &target.upstream {
            servers.upstream = Some(Arc::new(start_upstream(played)?));
            servers.accounts.clone_from(&played.accounts);
        }
        let parse = |url: &String| {
            TargetUrl::parse_allowing(url, &target.hosts).map_err(|error| {
                let remedy = "or allow its host by --allow-host or in `[limits]`";
                CampaignError::usage(format!("in `[target]`: {error}, {remedy}"))
            })
        };
        servers.websocket = target.websocket.as_ref().map(parse).transpose()?;
        let (up, is_up) = watch::channel(true);
        servers.up = target.restart_during_round.then_some(is_up);
        if target.command.is_empty() {
            servers.urls = target.urls.iter().map(parse).collect::<Result<_, _>>()?;
        }
        let secure = target.urls.iter().any(|url| url.starts_with("https:"));
        let mut all = servers.urls.iter().chain(&servers.websocket);
        if secure || target.ca.is_some() || all.any(TargetUrl::is_secure) {
            servers.trust = trust(target.ca.as_deref())?;
        }
        let state = State { processes: Vec::new(), ports: Vec::new(), servers: Arc::new(servers) };
        let (log, stop) = (log.to_owned(), stop.clone());
        let own = Self { target, log, stop, state: Mutex::new(state), up };
        own.afresh()?;
        Ok(own)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it is, and what its users are given.
    pub fn servers(&self) -> Arc<Servers> {
        Arc::clone(&self.state().servers)
    }

    /// The same for one more drive: started anew where each has processes of its own.
    ///
    /// # Errors
    ///
    /// It does not come to be ready.
    pub fn again(&self) -> Result<Arc<Servers>, CampaignError> {
        if self.is_fresh() { self.afresh() } else { Ok(self.servers()) }
    }

    /// Whether each round has processes of its own.
    pub fn is_fresh(&self) -> bool {
        self.target.fresh_process && self.has_command()
    }

    /// Whether it can be started anew: it is started by a command.
    pub fn has_command(&self) -> bool {
        !self.target.command.is_empty()
    }

    /// Whether a process is restarted while users are at work in that round, from 0.
    pub fn restarts_in(&self, round: u64) -> bool {
        let due = round % RESTART_EVERY == FIRST_RESTART;
        due && self.target.restart_during_round && self.has_command()
    }

    /// Ends what was started, and starts it anew.
    ///
    /// # Errors
    ///
    /// It does not come to be ready.
    pub fn afresh(&self) -> Result<Arc<Servers>, CampaignError> {
        let mut state = self.state();
        if self.has_command() {
            // The old ones go first: they may hold what the new ones need.
            state.processes.clear();
            state.ports.clear();
            let mut servers = (*state.servers).clone();
            servers.urls.clear();
            for instance in 0..usize::from(self.target.instances.max(1)) {
                let port = free_port()?;
                let process = self.start_one(&servers, instance, port)?;
                servers.urls.push(self.url_at(port)?);
                state.processes.push(Some(process));
                state.ports.push(port);
            }
            state.servers = Arc::new(servers);
        }
        Ok(Arc::clone(&state.servers))
    }

    /// Ends one process and starts it anew on its port, while users are at work; those who start a
    /// run meanwhile wait for it. Which one follows from the round. Once it has ended, its place is
    /// told, and of how many.
    ///
    /// # Errors
    ///
    /// It does not come to be ready again.
    pub fn restart_one(
        &self,
        round: u64,
        ended: impl FnOnce(usize, usize),
    ) -> Result<(), CampaignError> {
        let mut state = self.state();
        let count = state.processes.len();
        let Some(which) = (round / RESTART_EVERY).checked_rem(count as u64) else { return Ok(()) };
        let which = usize::try_from(which).unwrap_or(0);
        self.up.send_replace(false);
        state.processes[which] = None;
        ended(which, count);
        let process = self.start_one(&state.servers, which, state.ports[which]);
        self.up.send_replace(true);
        state.processes[which] = Some(process?);
        Ok(())
    }

    fn start_one(
        &self,
        servers: &Servers,
        instance: usize,
        port: u16,
    ) -> Result<ServerProcess, CampaignError> {
        let log = match instance {
            0 => self.log.clone(),
            more => self.log.with_extension(format!("{}.log", more + 1)),
        };
        ServerProcess::start(&self.target, servers, port, &log, &self.stop)
    }

    fn url_at(&self, port: u16) -> Result<TargetUrl, CampaignError> {
        let Some(url) = self.target.urls.first() else { return Ok(TargetUrl::loopback(port)) };
        let port = |name: &str| (name == "port").then(|| port.to_string());
        let in_target = |problem: &dyn std::fmt::Display| {
            CampaignError::usage(format!("in `[target]`: {problem}"))
        };
        let url = fill(url, &port, plain).map_err(|problem| in_target(&problem))?;
        TargetUrl::parse_allowing(&url, &self.target.hosts).map_err(|error| in_target(&error))
    }
}

/// How the program is started as that reference back end.
fn served_by(program: &Path, reference: Reference) -> Server {
    let defect = reference.defect.map(|defect| ["--defect".to_owned(), defect.to_string()]);
    let mut command = vec![program.display().to_string()];
    command.extend(["serve", "--port", "{{ port }}", "--until-stdin-closes"].map(String::from));
    command.extend(["--migrated".to_owned(), reference.migration.to_string()]);
    command.extend(defect.into_iter().flatten());
    let ready_seconds = START_SECONDS;
    Server { command, ready_seconds, ends_with_input: true, ..Server::default() }
}

fn trust(ca: Option<&str>) -> Result<Trust, CampaignError> {
    let Some(path) = ca else {
        return Trust::system().map_err(|problem| {
            CampaignError::usage(format!("{problem}; name an authority by `ca` in `[target]`"))
        });
    };
    let shown = path.escape_debug();
    let remedy = "`ca` in `[target]` names a file of certificates in PEM";
    let pem = std::fs::read(path)
        .map_err(|error| CampaignError::usage(format!("cannot read `{shown}`: {error}; {remedy}")));
    Trust::only(&pem?)
        .map_err(|problem| CampaignError::usage(format!("`{shown}`: {problem}; {remedy}")))
}

fn start_upstream(played: &PlayedUpstream) -> Result<Upstream, CampaignError> {
    let port = played.options.port;
    Upstream::start(played.options.clone()).map_err(|error| {
        let remedy = "give another `port` in `[upstream]`, or none for a free one";
        CampaignError::new(
            Kind::Usage,
            format!("the upstream cannot listen on port {port}: {error}; {remedy}"),
        )
    })
}
