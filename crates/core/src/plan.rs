//! A plan: everything that every simulated user does in one trial, with no randomness left.
//!
//! Plans are made by `Workload::plan` of the crate `explore`; here is only what they say. A delay is
//! counted in *turns*: one switch point in the simulated world, one millisecond on the wire.

mod versions;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use super::run_controls::ControlAction;
pub use super::via::Via;

use super::canary::{CampaignKey, Field, Mint, Owner, PHANTOM_USER, ROUND_WORD_LEN};
use super::dialect::Dialect;
use super::ids::{RequestId, ThreadId, UserName};
use super::protocol::Protocol;

/// The version of the plan format that this program writes and reads.
pub const PLAN_VERSION: u32 = 2;

/// What every simulated user does in one trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`PLAN_VERSION`].
    pub version: u32,
    /// The scenario that the plan was made from.
    pub scenario: String,
    /// The key of the campaign's canaries.
    pub campaign: CampaignKey,
    /// The number of the trial in its campaign, from 0.
    pub trial: u64,
    /// The users, in order of their index.
    pub users: Vec<UserPlan>,
    /// What goes wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// Milliseconds for which users with an event connection listen on when all have finished: what
    /// the server pushes late is heard too. Only the last round of a campaign has any.
    #[serde(default, skip_serializing_if = "is_none")]
    pub linger: u32,
    /// How users speak to the back end; the reference protocol where nothing is written.
    #[serde(default = "Protocol::reference", with = "super::protocol::written")]
    pub protocol: Arc<Protocol>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_none(millis: &u32) -> bool {
    *millis == 0
}

/// Something that goes wrong for one user, at the n-th point at which it can.
///
/// A fault point is passed each time that what may be dropped was left pending; those of one user
/// and kind are counted together. A fault whose point is never come to does not strike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// For whom.
    pub user: UserName,
    /// At which of the fault points, from 1.
    pub at: u32,
}

/// What production may drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The client of an HTTP request goes away: its handler is dropped.
    Cancel,
    /// A time limit within the back end passes: the future under it is dropped.
    TimeOut,
    /// The event connection breaks: its server end reads the end and fails to write.
    Vanish,
}

impl FaultKind {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Cancel, Self::TimeOut, Self::Vanish];

    /// What it is called in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancelled request",
            Self::TimeOut => "time-out",
            Self::Vanish => "vanished connection",
        }
    }
}

/// Why a plan that was read cannot be driven or judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError(String);

impl std::fmt::Display for PlanError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for PlanError {}

impl Plan {
    /// Checks what a plan from a file may have wrong.
    ///
    /// # Errors
    ///
    /// Another version, two users of one name or index, an index that no canary can hold, two runs
    /// of a user with one number, a run 0, or a fault for nobody.
    pub fn check(&self) -> Result<(), PlanError> {
        let problem = |text: String| Err(PlanError(text));
        if self.version != PLAN_VERSION {
            return Err(versions::other(self.version.into()));
        }
        for (place, user) in self.users.iter().enumerate() {
            let name = user.name.as_str().escape_debug();
            if user.index >= PHANTOM_USER {
                return problem(format!("user `{name}` has an index that no canary can hold"));
            }
            let earlier = &self.users[..place];
            if earlier.iter().any(|other| other.name == user.name || other.index == user.index) {
                return problem(format!("user `{name}` shares their name or index with another"));
            }
            let mut numbers: Vec<u16> = user.runs().map(|run| run.run).collect();
            numbers.sort_unstable();
            if numbers.first() == Some(&0) {
                return problem(format!("user `{name}` has a run 0: runs are counted from 1"));
            }
            if numbers.windows(2).any(|pair| pair[0] == pair[1]) {
                return problem(format!("user `{name}` has two runs of one number"));
            }
        }
        if let Some(fault) = self.faults.iter().find(|fault| self.user(&fault.user).is_none()) {
            let name = fault.user.as_str().escape_debug();
            return problem(format!("a fault is planned for `{name}`, who is no user of the plan"));
        }
        Ok(())
    }

    /// How many requests, messages and openings a drive of the plan sends at most, as far as the
    /// plan says it.
    pub fn requests(&self) -> u64 {
        let setup = self.protocol.setup.len() as u64;
        let sends = |step: &Step| match step {
            Step::Connect | Step::Tab { .. } | Step::Reconnect { .. } | Step::Resume { .. } => {
                1 + setup
            }
            Step::Barrier
            | Step::Pause { .. }
            | Step::AwaitEvents { .. }
            | Step::Await { .. }
            | Step::AwaitUser { .. }
            | Step::Abandon { .. }
            | Step::StopReading { .. }
            | Step::Vanish
            | Step::Close => 0,
            _ => 1,
        };
        self.users.iter().flat_map(|user| &user.steps).map(sends).sum()
    }

    /// The user of that index.
    pub fn user_at(&self, index: u32) -> Option<&UserPlan> {
        self.users.iter().find(|user| user.index == index)
    }

    /// The user of that name.
    pub fn user(&self, name: &UserName) -> Option<&UserPlan> {
        self.users.iter().find(|user| user.name == *name)
    }

    /// Every run that the plan starts, with its user.
    pub fn runs(&self) -> impl Iterator<Item = (&UserPlan, &RunPlan)> {
        self.users.iter().flat_map(|user| user.runs().map(move |run| (user, run)))
    }

    /// The mint of the plan's canaries.
    pub fn mint(&self) -> Mint {
        let users = self.users.iter().map(|user| (user.index, user.name.as_str()));
        Mint::new(self.campaign).naming(users)
    }

    /// How many users wait at each of the plan's barriers (a user without any does not count).
    pub fn barrier_width(&self) -> usize {
        let waits = |user: &&UserPlan| user.steps.contains(&Step::Barrier);
        self.users.iter().filter(waits).count()
    }
}

impl Dialect {
    /// How the messages of a plan's back end are read.
    pub fn of(plan: &Plan) -> Self {
        plan.protocol.dialect.clone()
    }
}

/// What one simulated user does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserPlan {
    /// Who they are to the back end.
    pub name: UserName,
    /// Their number in canaries; unique in the campaign.
    pub index: u32,
    /// Whose browser they sit at: users of one share its keep-alive connections, one after the
    /// other. None is one of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<u32>,
    /// What they do, in order.
    pub steps: Vec<Step>,
}

impl UserPlan {
    /// The runs that this user starts.
    pub fn runs(&self) -> impl Iterator<Item = &RunPlan> {
        self.steps.iter().filter_map(|step| match step {
            Step::Start(run) => Some(run),
            _ => None,
        })
    }

    /// The run of that number.
    pub fn run(&self, number: u16) -> Option<&RunPlan> {
        self.runs().find(|run| run.run == number)
    }

    /// Whether the user starts nothing and only listens.
    pub fn is_bystander(&self) -> bool {
        self.runs().next().is_none()
    }
}

/// One thing that a simulated user does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Opens the event connection and waits for its greeting.
    Connect,
    /// Waits until every user whose plan has a barrier has come to it.
    Barrier,
    /// Lets that many turns pass.
    Pause {
        /// Switch points, or milliseconds on the wire.
        turns: u32,
    },
    /// Starts a run and goes on at once.
    Start(RunPlan),
    /// Waits until that many events of the run have come, or the run has ended.
    AwaitEvents {
        /// The number of the run.
        run: u16,
        /// How many events.
        count: u32,
    },
    /// Waits until the run has ended or patience is out.
    Await {
        /// The number of the run.
        run: u16,
    },
    /// Drops the event connection without a goodbye, as a browser that goes off-line.
    Vanish,
    /// Closes the event connection in order.
    Close,
    /// Reads a run's state over HTTP.
    ReadRun {
        /// The number of the run.
        run: u16,
    },
    /// Reads a thread's messages over HTTP.
    ReadThread {
        /// The thread.
        thread: ThreadId,
    },
    /// Sends `ping` on the event connection.
    Ping,
    /// Waits until the user of that index has come to the end of their plan.
    AwaitUser {
        /// The index.
        user: u32,
    },
    /// Goes away from an HTTP request that started a run.
    Abandon {
        /// The number of the run.
        run: u16,
    },
    /// Stops a run of their own.
    Stop {
        /// The number of the run.
        run: u16,
    },
    /// Approves a run of their own.
    Approve {
        /// The number of the run.
        run: u16,
    },
    /// Opens the event connection anew and asks for what was missed of a run.
    Resume {
        /// The number of the run.
        run: u16,
        /// Which cursor the user shows.
        cursor: CursorKind,
    },
    /// Opens a new event connection and only then lets go of the old one.
    Reconnect {
        /// How many turns both stand.
        #[serde(default, skip_serializing_if = "is_zero")]
        keep: u32,
    },
    /// Sends something that is no message of the protocol: on the event connection, or where runs
    /// are started over HTTP, there.
    Malformed,
    /// Turns to the event connection of that number, opening it beside those that stand where it
    /// does not yet: what follows is sent on it.
    Tab {
        /// Which, from 0.
        tab: u8,
    },
    /// Reads nothing of what comes, on any connection, for that many turns.
    StopReading {
        /// Milliseconds on the wire.
        turns: u32,
    },
    /// Leaves the event connection to the next user at this browser.
    HandOver,
    /// Takes over the event connection of the user before at this browser.
    TakeOver,
    /// Asks that something be done to a run of another user.
    ControlOther {
        /// What.
        action: ControlAction,
        /// The index of the other user.
        user: u32,
        /// The number of their run.
        run: u16,
    },
}

/// A cursor that a user who comes back may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CursorKind {
    /// The last event that they have.
    Own,
    /// An earlier one of the same run.
    Old,
    /// One of a run that is not theirs, as far as they can guess its name.
    Foreign,
    /// One that there is not.
    Nonsense,
}

/// One run that a simulated user starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunPlan {
    /// Its number among the user's runs, from 1; part of its canaries.
    pub run: u16,
    /// How it is started.
    pub via: Via,
    /// The conversation.
    pub thread: ThreadId,
    /// The id that the client gives the request.
    pub request_id: RequestId,
    /// The sub-agents that the supervisor runs, in order.
    pub agents: Vec<String>,
    /// How long each stub call takes, in turns; used round-robin.
    pub delays: Vec<u32>,
    /// Whether the prompt also holds a canary of the phantom user (the path control).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub phantom: bool,
    /// What is unusual about the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub twists: Vec<Twist>,
}

/// Something unusual about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Twist {
    /// The same words as everybody who has this twist; only the settings are the user's own. Where
    /// the campaign has a nonce, other words in each round.
    EqualMessage,
    /// The conversation is left out: the user means their default one, which is [`DEFAULT_THREAD`].
    NoThread,
    /// The settings are left out.
    NoSettings,
    /// The run waits for an approval before it ends.
    Approval,
    /// So many bytes follow what the user writes.
    Oversize {
        /// How many.
        bytes: u32,
    },
}

impl Twist {
    /// The bytes that follow what the user writes.
    fn padding(self) -> usize {
        match self {
            Self::Oversize { bytes } => bytes as usize,
            _ => 0,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What everybody says whose message is equal to others', before the word of the round.
pub const EQUAL_WORDS: &str = "my account";

/// Whether the text holds an equal message of another campaign than that, or of another state.
pub fn holds_equal_of_others(text: &str, key: &CampaignKey) -> bool {
    let said = text.split(EQUAL_WORDS).skip(1);
    let words = said.filter_map(|rest| rest.strip_prefix(' ')).map(|rest| {
        let end = rest.find(|char: char| !char.is_ascii_lowercase()).unwrap_or(rest.len());
        &rest[..end]
    });
    let words: BTreeSet<&str> = words.collect();
    if words.is_empty() {
        return false;
    }
    let own: BTreeSet<String> = key.round_words().collect();
    words.into_iter().any(|word| word.len() == ROUND_WORD_LEN && !own.contains(word))
}

/// What the conversation of a user is called where they name none.
pub const DEFAULT_THREAD: &str = "main";

/// An agent that there is not: a run with it among its agents fails there.
pub const NO_SUCH_AGENT: &str = "no-such-agent";

impl RunPlan {
    /// Whether the request has that twist.
    pub fn has(&self, twist: Twist) -> bool {
        self.twists.contains(&twist)
    }

    /// What the user writes: their prompt canary, and the phantom's where the plan asks for it.
    pub fn prompt(&self, mint: &Mint, user: u32) -> String {
        let own = mint.mint(Owner { user, run: self.run, field: Field::Prompt });
        let mut text = match self.has(Twist::EqualMessage) {
            true => match mint.key().round_word() {
                Some(word) => format!("Please look into {EQUAL_WORDS} {word}"),
                None => format!("Please look into {EQUAL_WORDS}"),
            },
            false => format!("Please look into {own}"),
        };
        if self.phantom {
            text.push_str(" and ");
            text.push_str(&mint.mint(super::control::phantom_owner(self.via)));
        }
        let padding: usize = self.twists.iter().map(|twist| twist.padding()).sum();
        if padding > 0 {
            text.push(' ');
            text.extend(std::iter::repeat_n('x', padding));
        }
        text
    }

    /// The user's LLM settings: a canary of their own.
    pub fn settings(&self, mint: &Mint, user: u32) -> String {
        if self.has(Twist::NoSettings) {
            return String::new();
        }
        mint.mint(Owner { user, run: self.run, field: Field::Settings })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_messages_of_other_campaigns_are_told_from_those_of_rounds_before() {
        let said = |key: CampaignKey| format!("{EQUAL_WORDS} {}.", key.round_word().expect("one"));
        let first = CampaignKey::from_seed(7).with_nonce(9);
        let key = first.after_states(1).in_round(3);
        let holds = |text: String| holds_equal_of_others(&text, &key);
        assert!(!holds(said(key.in_round(1)) + &said(key)) && !holds(EQUAL_WORDS.into()));
        assert!(holds(said(key) + &said(first.in_round(2))));
    }
}
