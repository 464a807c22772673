//! The simulated user of a server of somebody's own: follows the same plans as the other, speaks as
//! a [`Protocol`] says, and records the raw bytes of everything.

mod account;
mod allowance;
mod dry;
mod exchange;
mod faults;
mod given;
mod incoming;
mod meeting;
mod page;
mod runs;
mod setup;
mod steps;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, watch};

use super::latch::{Arrival, Latch};
use super::transport::{HttpClient, TargetUrl, Trust};
use super::{MOST_TOGETHER, Patience};
use crate::trial::canary::Mint;
use crate::trial::hidden::Secrets;
use crate::trial::history::{What, Whose};
use crate::trial::ids::{ConnectionId, TaskName, UserName};
use crate::trial::plan::{Plan, Step, UserPlan};
use crate::trial::protocol::Protocol;
use crate::trial::raw::Raw;
use crate::trial::reader::Reader;
use crate::trial::template::names;
use crate::upstream::Upstream;
use crate::world::backend::Socket;
use crate::world::{Timer, World};

pub use allowance::Allowance;
pub use dry::first_requests;
pub use exchange::Unrecorded;
use exchange::{Exchange, Heard};
use meeting::Meeting;
pub use page::read_page;
use runs::Runs;

/// What the users of a server of somebody's own are given besides their plan.
#[derive(Clone, Debug, Default)]
pub struct Servers {
    /// The base URLs; users are spread over them.
    pub urls: Vec<TargetUrl>,
    /// Where event connections are opened, where that is elsewhere.
    pub websocket: Option<TargetUrl>,
    /// Whose certificates are taken for the server's.
    pub trust: Trust,
    /// What stands for `{{ env.NAME }}`: secrets, told to nobody but the server.
    pub environment: BTreeMap<String, String>,
    /// What stands for `{{ user.secret }}`, by user: secrets too.
    pub user_secrets: BTreeMap<UserName, String>,
    /// The server's model and tools, where partywall plays them.
    pub upstream: Option<Arc<Upstream>>,
    /// What else the server may call a user to them: templates.
    pub accounts: Vec<String>,
    /// How much may be asked of the server.
    pub allowance: Allowance,
    /// What was received of answers and not recorded yet.
    pub unrecorded: Unrecorded,
    /// Whether the server is up; none where it is never restarted.
    pub up: Option<watch::Receiver<bool>>,
}

impl Servers {
    /// The server at one URL.
    pub fn at(url: TargetUrl) -> Arc<Self> {
        Arc::new(Self { urls: vec![url], ..Self::default() })
    }

    /// What must not be written down of driving that plan, and what of it its users have: the first
    /// observations of a history.
    pub(crate) fn hidden(&self, plan: &Plan) -> (Secrets, Vec<(UserName, What)>) {
        let mut secrets = Secrets::of_trial(plan);
        self.environment.values().for_each(|secret| secrets.share(secret));
        let mut told = Vec::new();
        for (user, secret) in &self.user_secrets {
            if plan.user(user).is_none() {
                secrets.add(secret);
            } else if let Some(what) = secrets.tell(user, secret, "user.secret", Whose::Own) {
                told.push((user.clone(), what));
            }
        }
        (secrets, told)
    }

    /// Checks that what users of that plan show as secrets can be hidden.
    ///
    /// # Errors
    ///
    /// The first that cannot, in words.
    pub fn check_secrets(&self, plan: &Plan) -> Result<(), String> {
        let secrets = Secrets::of_trial(plan);
        let shown = serde_json::to_string(&plan.protocol).unwrap_or_default();
        let asked: BTreeSet<&str> = names(&shown).into_iter().flatten().collect();
        let environment = self.environment.iter().map(|(name, value)| {
            (format!("env.{name}"), format!("what stands for `{{{{ env.{name} }}}}`"), value)
        });
        let of_users = self.user_secrets.iter().map(|(user, value)| {
            let place = format!("the secret of user `{}`", user.as_str().escape_debug());
            ("user.secret".to_owned(), place, value)
        });
        for (name, place, value) in environment.chain(of_users) {
            if let (true, Some(why)) = (asked.contains(name.as_str()), secrets.unfit(value)) {
                return Err(format!(
                    "{place} {why}; it could not be kept out of reports: give a longer one that \
                     stands nowhere else, or write it into the scenario if it is no secret"
                ));
            }
        }
        Ok(())
    }

    /// What must not be written down.
    pub fn secrets(&self) -> Vec<String> {
        self.environment.values().chain(self.user_secrets.values()).cloned().collect()
    }
}

/// The users of a plan with a protocol, each as a task name and what to run under it. All of them
/// must run for any of them to end.
pub fn clients(
    world: &World,
    servers: &Arc<Servers>,
    protocol: &Arc<Protocol>,
    plan: &Arc<Plan>,
) -> Vec<(TaskName, BoxFuture<'static, ()>)> {
    let meeting = Arc::new(Meeting::new(plan, servers, protocol));
    let client = |place: usize| {
        let client = Client::new(world, servers, protocol, plan, place, &meeting);
        let future: BoxFuture<'static, ()> = Box::pin(client.live());
        (TaskName::new(&plan.users[place].name), future)
    };
    (0..plan.users.len()).map(client).collect()
}

struct OpenSocket {
    name: ConnectionId,
    carrier: Carrier,
}

/// What events come on.
enum Carrier {
    Websocket(Box<dyn Socket>),
    Streamed(Exchange),
}

/// Thousands of users take turns, so what each message touches stands first and close together.
#[repr(C)]
struct Client {
    world: World,
    name: UserName,
    reader: Arc<Reader>,
    protocol: Arc<Protocol>,
    meeting: Arc<Meeting>,
    /// The event connection that is sent on, and its tab.
    socket: Option<OpenSocket>,
    runs: Runs,
    greeted: bool,
    tab: u8,
    /// How many exchanges have not told that they are over: nothing else puts into the inbox. Those
    /// that were let go of may stay here.
    unheard: u32,
    /// Those that stand beside it.
    parked: Vec<(u8, OpenSocket)>,
    exchanges: Vec<Exchange>,
    /// What its exchanges hear. In boxes, since the channel keeps room for 32 at once.
    inbox: mpsc::UnboundedReceiver<Box<Heard>>,
    timer: Timer,
    plan: Arc<Plan>,
    place: usize,
    servers: Arc<Servers>,
    url: TargetUrl,
    mint: Mint,
    /// Made at the first request: most users of an event connection never make one.
    http: OnceLock<HttpClient>,
    patience: Patience,
    at_barrier: Arrival,
    finished: Arrival,
    at_end: Arrival,
    /// Whether what comes is read.
    reads: watch::Sender<bool>,
    post: mpsc::UnboundedSender<Box<Heard>>,
    cookies: BTreeMap<String, String>,
    captures: BTreeMap<String, String>,
    /// The credentials that were told of.
    accounts: BTreeSet<UserName>,
    sockets_opened: u32,
    calls_made: u32,
}

impl Client {
    fn new(
        world: &World,
        servers: &Arc<Servers>,
        protocol: &Arc<Protocol>,
        plan: &Arc<Plan>,
        place: usize,
        meeting: &Arc<Meeting>,
    ) -> Self {
        let waits = plan.users[place].steps.contains(&Step::Barrier);
        // Who does not wait is not counted in the barrier's width.
        let at_barrier = Arrival::at(&if waits { meeting.barrier.clone() } else { Latch::new(0) });
        let (post, inbox) = mpsc::unbounded_channel();
        let run = std::time::Duration::from_millis(protocol.patience.into());
        let at = place.checked_rem(servers.urls.len()).unwrap_or(0);
        Self {
            world: world.clone(),
            url: servers.urls.get(at).cloned().unwrap_or_else(|| TargetUrl::loopback(0)),
            servers: Arc::clone(servers),
            reader: Arc::clone(&meeting.reader),
            protocol: Arc::clone(protocol),
            mint: Mint::new(plan.campaign),
            name: plan.users[place].name.clone(),
            plan: Arc::clone(plan),
            place,
            http: OnceLock::new(),
            patience: Patience { run, ..Patience::default() },
            timer: Timer::default(),
            at_barrier,
            finished: Arrival::at(&meeting.finish),
            at_end: Arrival::at(&meeting.done[place]),
            meeting: Arc::clone(meeting),
            socket: None,
            tab: 0,
            parked: Vec::new(),
            reads: watch::Sender::new(true),
            exchanges: Vec::new(),
            inbox,
            post,
            cookies: BTreeMap::new(),
            captures: BTreeMap::new(),
            accounts: BTreeSet::new(),
            runs: Runs::default(),
            greeted: false,
            unheard: 0,
            sockets_opened: 0,
            calls_made: 0,
        }
    }

    fn http(&self) -> &HttpClient {
        let make = || HttpClient::new(&self.servers.trust);
        self.http.get_or_init(|| match self.who().browser {
            Some(browser) => self.meeting.desks.client(browser, make),
            None => make(),
        })
    }

    fn who(&self) -> &UserPlan {
        &self.plan.users[self.place]
    }

    fn hide_cookies(&self, headers: &Raw) {
        given::hide_cookies(&self.world, &self.name, headers);
    }

    fn observe(&self, on: Option<&ConnectionId>, what: What) {
        self.world.observe(&self.name, on, what);
    }

    fn next_call(&mut self) -> ConnectionId {
        self.calls_made += 1;
        ConnectionId::new(format!("{}/http{}", self.name, self.calls_made))
    }
}
