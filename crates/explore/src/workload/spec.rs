//! What plans are made from: how many users, what they do, and how much goes wrong.

use std::sync::Arc;

use super::act::Act;
use super::faults::Faults;
use super::range::Range;
use partywall_core::ids::UserName;
use partywall_core::plan::{Plan, Via};
use partywall_core::protocol::Protocol;

/// What plans are made from; [`Workload::plan`] is their one constructor.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// What only the work against a server has that its scenario describes.
    pub server: Option<ServerWork>,
}

impl Workload {
    /// Work that nothing is said of but its name: a run of each user.
    pub fn plain(scenario: impl Into<String>, users: Range) -> Self {
        let none = Range { least: 0, most: 0 };
        Self {
            scenario: scenario.into(),
            users,
            runs_per_user: 1,
            via: Vec::new(),
            mix: false,
            acts: Act::ALL.to_vec(),
            share_browsers: None,
            heavy_runs: 0,
            bystander: false,
            vanish_percent: 0,
            agents: Vec::new(),
            start_delay: none,
            stub_delay: none,
            faults: none,
            server: None,
        }
    }

    /// What is known of the workload that a plan was made from; no plan is made from it.
    pub(crate) fn of_plan(plan: &Plan) -> Self {
        let users = u32::try_from(plan.users.len()).unwrap_or(u32::MAX);
        let agents = plan.runs().next().map(|(_, run)| run.agents.clone()).unwrap_or_default();
        Self { agents, ..Self::plain(&plan.scenario, Range { least: users, most: users }) }
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

    /// Users of one's own back end in the simulated world: three to six, who start one run each at
    /// once over event connections, and one who does nothing. The schedules keep them apart by what
    /// they draw: with a delay before the start besides, short runs would rarely meet.
    pub(crate) fn of_own_code(name: impl Into<String>) -> Self {
        Self {
            via: vec![Via::Socket],
            bystander: true,
            stub_delay: Range { least: 0, most: 2 },
            ..Self::plain(name, Range { least: 3, most: 6 })
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

/// What plans are made from besides the workload where a scenario describes the server.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Milliseconds for which users listen on after the last round, where they have an event
    /// connection.
    pub linger: u32,
    /// The ids that clients choose.
    pub ids: Ids,
    /// Whether some of the generated names are not ASCII.
    pub unicode_names: bool,
    /// Whether users are told apart by connection or thread, so that what they show may be the same.
    pub anonymous: bool,
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
