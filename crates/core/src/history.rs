//! A history: what was invoked and observed in a trial, one line per observation.
//!
//! One recorder numbers the observations: clocks of different tasks do not order events.
//! On disk it is JSON lines: a header (version and wall time), the plan, the observations, and an end
//! line. All but the header are the same bytes for the same plan and schedule; without end, it was cut.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::failure::{Cause, Failure};
use super::ids::{ConnectionId, RequestId, RunId, TaskName, ThreadId, UserName};
use super::line::{Line, read_line, write_line};
use super::plan::{ControlAction, Plan, Via};
use super::raw::Raw;
use super::spare::Spare;

pub use super::note::Note;

/// The version of the history format that is written; the one before, where all messages are quoted,
/// is read too.
pub const HISTORY_VERSION: u32 = 2;

/// What the `format` field of a history's header says.
pub const HISTORY_FORMAT: &str = "partywall-history";

thread_local! {
    /// The table of a history that is out of use.
    pub static OBSERVATIONS: Spare<Observation> = const { Spare::none() };
}

/// One line of a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// The recorder's number, from 0, without gaps.
    pub n: u64,
    /// When: the step in the simulated world, milliseconds since the start on the wire.
    pub at: u64,
    /// The simulated user who did or saw it; none for what the back end reports of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserName>,
    /// The connection or HTTP exchange that it happened on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<ConnectionId>,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What was invoked or observed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
#[non_exhaustive]
pub enum What {
    /// The user opens an event connection.
    Connect,
    /// The event connection stands.
    Connected {
        /// Header lines of the answer that opened it, where one did.
        #[serde(default, skip_serializing_if = "Raw::is_empty")]
        headers: Raw,
    },
    /// The back end answered the opening with something else.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Header lines, `name: value`.
        #[serde(default, skip_serializing_if = "Raw::is_empty")]
        headers: Raw,
        /// The answer's body.
        raw: Raw,
    },
    /// The user starts a run; the bytes follow as `sent` or `request`.
    Start {
        /// The run's number in the plan.
        run: u16,
        /// How it is started.
        via: Via,
        /// The conversation.
        thread: ThreadId,
        /// The client's id of the request.
        request_id: RequestId,
    },
    /// A message left on the event connection.
    Sent {
        /// Its bytes.
        raw: Raw,
    },
    /// A message came on the event connection.
    Received {
        /// Its bytes.
        raw: Raw,
    },
    /// Something came beside messages and bodies: in a ping or a pong, or in the trailers of a stream.
    Aside {
        /// Its bytes.
        raw: Raw,
    },
    /// The user ends the event connection; nothing may come on it from here on.
    Leave {
        /// Whether without a goodbye.
        vanished: bool,
    },
    /// The back end ended the event connection.
    Ended {
        /// The WebSocket close code, if one was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
        /// The close reason.
        raw: Raw,
    },
    /// An HTTP request left.
    Request {
        /// The method.
        method: Box<str>,
        /// Path and query.
        path: Box<str>,
        /// The body.
        raw: Raw,
        /// The run that it starts or reads, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<u16>,
    },
    /// The answer to an HTTP request.
    Answer {
        /// The status.
        status: u16,
        /// Header lines, `name: value`.
        headers: Raw,
        /// The body.
        raw: Raw,
    },
    /// The connection broke, or could not be made; what was under way has an unknown outcome.
    Broken {
        /// Why, in words.
        error: String,
        /// The same as a code.
        #[serde(default, skip_serializing_if = "Cause::is_unknown")]
        cause: Cause,
    },
    /// The user stopped waiting for a run. Where nothing could come any more (the simulated world
    /// was at rest), what is missing is lost; otherwise patience was out and it is unknown.
    GaveUp {
        /// The run's number in the plan.
        run: u16,
        /// Whether nothing could come any more.
        at_rest: bool,
    },
    /// The user proves who they are with this from here on; the upstream of the back end may meet
    /// it again.
    Account {
        /// The digest of a credential that other users do not have, as the upstream's log names it.
        credential: UserName,
    },
    /// The user has a secret, which stands in this history as a mark only.
    Secret {
        /// What stands in its place.
        mark: String,
        /// What the scenario calls it.
        name: String,
        /// Where the user has it from.
        whose: Whose,
        /// Whether it is so long that it stands nowhere by chance.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        long: bool,
    },
    /// The user asks, on this connection, for what came of a run after an event.
    Resume {
        /// The run, as the user names it.
        run: RunId,
        /// The number of the event.
        after: u64,
    },
    /// The user asks that something be done to a run; the bytes follow as `sent` or `request`.
    Control {
        /// What.
        action: ControlAction,
        /// Whose run.
        user: UserName,
        /// The run's number in the plan.
        run: u16,
        /// The run's id, as far as it was known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<RunId>,
    },
    /// What the back end reports of itself, where it does.
    Backend {
        /// The report; in a box, since it takes more room than all else.
        note: Box<Note>,
    },
}

impl What {
    /// That the connection broke, or could not be made.
    pub fn broken(failure: impl Into<Failure>) -> Self {
        let Failure { cause, words: error } = failure.into();
        Self::Broken { error, cause }
    }

    /// The bytes that came in with it, for those observations that have any.
    pub fn inbound(&self) -> Option<&Raw> {
        match self {
            Self::Received { raw }
            | Self::Aside { raw }
            | Self::Answer { raw, .. }
            | Self::Ended { raw, .. }
            | Self::Refused { raw, .. } => Some(raw),
            _ => None,
        }
    }

    /// What the back end reports of itself, where that is what was observed.
    pub fn note(&self) -> Option<&Note> {
        match self {
            Self::Backend { note } => Some(note),
            _ => None,
        }
    }

    /// The header lines that came in with it, for those observations that have any.
    pub fn headers(&self) -> Option<&Raw> {
        match self {
            Self::Answer { headers, .. }
            | Self::Connected { headers }
            | Self::Refused { headers, .. } => Some(headers).filter(|headers| !headers.is_empty()),
            _ => None,
        }
    }
}

/// Where a user has a secret from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// It was theirs before. What several users have so is nobody's alone.
    Own,
    /// The back end gave it to them to show who they are. Where that differs from user to user, what
    /// it gave to several is the first one's.
    Captured,
    /// The back end gave it to them as sessions are given: in a cookie that no script may read, or to
    /// be shown under a name that says session or token. Where that differs from user to user, what
    /// it gave to several is the first one's.
    #[serde(alias = "cookie")]
    Session,
    /// The back end gave it to them, and the scenario calls it private: another who is given the
    /// same is given what is not theirs.
    Private,
    /// It was private to them in an earlier round on the same server. Whom the back end gives it to
    /// in this round has it now.
    Earlier,
}

/// How a trial ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum Ending {
    /// Every user came to the end of their plan.
    Finished,
    /// Nothing could go on although users were left.
    Stuck {
        /// The users' tasks that were left.
        tasks: Vec<TaskName>,
    },
    /// The step limit was reached.
    StepLimit {
        /// The limit.
        steps: u64,
    },
    /// The time limit was reached, or the trial was interrupted.
    Stopped,
    /// The back end sent far more than the plan can have asked for.
    Flooded {
        /// About how many bytes were held when it was stopped.
        bytes: u64,
    },
    /// A task panicked.
    Panicked {
        /// Which.
        task: TaskName,
        /// Its message.
        message: String,
    },
    /// A task called tokio's own spawn, time or net, which are not there in the simulated world.
    NeedsTokio {
        /// Which.
        task: TaskName,
    },
    /// The same plan and schedule, driven again, went another way.
    Nondeterministic {
        /// The step at which the two parted, or the last one.
        step: u64,
    },
    /// A replayed schedule named a task that could not run there.
    Diverged {
        /// The number of the deviation that did not fit, from 0.
        deviation: usize,
    },
}

/// The first line of a history file: what may differ between two recordings of the same trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`HISTORY_FORMAT`].
    pub format: String,
    /// [`HISTORY_VERSION`].
    pub version: u32,
    /// The program's version.
    pub partywall: String,
    /// Wall-clock time of the recording, in seconds since 1970.
    pub recorded_at: u64,
}

impl Header {
    /// The header of a history recorded by this program at that time.
    pub fn new(recorded_at: u64) -> Self {
        Self {
            format: HISTORY_FORMAT.into(),
            version: HISTORY_VERSION,
            partywall: env!("CARGO_PKG_VERSION").into(),
            recorded_at,
        }
    }
}

/// What was invoked and observed in one trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// What was to be done.
    pub plan: Plan,
    /// What was done and seen, in the recorder's order.
    pub observations: Vec<Observation>,
    /// How it ended; none if the file was cut short.
    pub ending: Option<Ending>,
}

impl Drop for History {
    fn drop(&mut self) {
        let observations = std::mem::take(&mut self.observations);
        // At the end of a thread there is nothing to keep it for.
        let _ = OBSERVATIONS.try_with(|spare| spare.keep(observations));
    }
}

/// Why a history file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for HistoryError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}: {}", self.line, self.problem)
    }
}

impl std::error::Error for HistoryError {}

impl History {
    /// Everything after the header, as it stands on disk: plan, observations, end.
    pub fn body(&self) -> String {
        let mut text = to_line(&self.plan);
        let mut lines = Vec::new();
        self.observations.iter().for_each(|observation| write_line(observation, &mut lines));
        text.push_str(&String::from_utf8_lossy(&lines));
        if let Some(ending) = &self.ending {
            text.push_str(&to_line(ending));
        }
        text
    }

    /// The whole file.
    pub fn to_file(&self, header: &Header) -> String {
        format!("{}{}", to_line(header), self.body())
    }

    /// Reads a history file. A last line that was cut short is left out, and the history then has
    /// no ending.
    ///
    /// # Errors
    ///
    /// The first line that is not what it must be: another format or version, a plan that cannot be
    /// read, an observation out of number, anything after the end.
    pub fn from_file(text: &str) -> Result<Self, HistoryError> {
        let mut lines = text.split_inclusive('\n').enumerate().map(|(at, line)| (at + 1, line));
        let (_, first) = lines.next().ok_or_else(|| error(1, "the file is empty"))?;
        check_header(first)?;
        let (at, second) =
            lines.next().ok_or_else(|| error(2, "the plan is missing: the file was cut short"))?;
        let plan = Plan::from_json(second).map_err(|problem| error(at, problem.to_string()))?;
        plan.check().map_err(|problem| error(at, problem.to_string()))?;
        let mut history = Self { plan, observations: Vec::new(), ending: None };
        for (at, line) in lines {
            if history.ending.is_some() {
                return Err(error(at, "something follows the end of the history"));
            }
            match read_line(line) {
                Ok(Line::Observation(observation)) => history.push(at, *observation)?,
                Ok(Line::Ending(ending)) => history.ending = Some(ending),
                Err(_) if !line.ends_with('\n') => break,
                Err(problem) => return Err(error(at, format!("not an observation: {problem}"))),
            }
        }
        Ok(history)
    }

    fn push(&mut self, at: usize, observation: Observation) -> Result<(), HistoryError> {
        let expected = self.observations.len() as u64;
        if observation.n != expected {
            return Err(error(
                at,
                format!("observation {} stands where {expected} must", observation.n),
            ));
        }
        self.observations.push(observation);
        Ok(())
    }
}

fn check_header(line: &str) -> Result<(), HistoryError> {
    let header: Header = serde_json::from_str(line)
        .map_err(|problem| error(1, format!("not the header of a history: {problem}")))?;
    if header.format != HISTORY_FORMAT {
        return Err(error(1, format!("`format` is not `{HISTORY_FORMAT}`")));
    }
    if !(HISTORY_VERSION - 1..=HISTORY_VERSION).contains(&header.version) {
        return Err(error(
            1,
            format!(
                "history format {} was written by partywall {}; this one reads formats {} and {}",
                header.version,
                header.partywall.escape_debug(),
                HISTORY_VERSION - 1,
                HISTORY_VERSION
            ),
        ));
    }
    Ok(())
}

fn error(line: usize, problem: impl Into<String>) -> HistoryError {
    HistoryError { line, problem: problem.into() }
}

/// The value as one line of JSON.
pub fn to_line(value: &impl Serialize) -> String {
    // The vocabulary has string keys only and no failing serialiser.
    let mut text = serde_json::to_string(value).expect("plain data serialises");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observations_are_small() {
        // There are millions of them, and each fills two lines of a processor's cache.
        assert!(size_of::<Observation>() <= 128, "{} bytes", size_of::<Observation>());
    }
}
