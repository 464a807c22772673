//! What a back end reports of itself.

use serde::{Deserialize, Serialize};

use super::ids::{RequestId, RunId, UserName};

/// What a back end reports of itself, so that a finding can be told with its causes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Note {
    /// A run was accepted.
    Accepted {
        /// Whose.
        user: UserName,
        /// The run.
        run: RunId,
        /// The client's id of the request.
        request_id: RequestId,
    },
    /// A factory was configured.
    Configured {
        /// Which factory: `process-wide`, or the run that owns it.
        factory: String,
        /// For whom.
        user: UserName,
        /// For which run.
        run: RunId,
    },
    /// A factory's settings were used to build an agent.
    Used {
        /// Which factory.
        factory: String,
        /// For whom.
        user: UserName,
        /// For which run.
        run: RunId,
        /// The agent that was built.
        agent: String,
        /// Whose settings they were; none for those made at start-up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        configured_for: Option<UserName>,
    },
    /// Something that is kept in memory works for a run although it is bound to another user; a
    /// back end reports it where it notices that.
    Held {
        /// What it is: an emitter, a worker, a cached answer.
        what: String,
        /// For whom it works.
        user: UserName,
        /// For which run.
        run: RunId,
        /// Whose bridge or context it is bound to.
        of: UserName,
    },
    /// A run took a step: its future was polled.
    Worked {
        /// Whose run.
        user: UserName,
        /// The run.
        run: RunId,
    },
    /// The last step of a run ended in waiting for another run, which has now let it go on.
    Waited {
        /// Whose run.
        user: UserName,
        /// The run.
        run: RunId,
    },
    /// An event left the back end.
    Emitted {
        /// Whose run.
        user: UserName,
        /// The run.
        run: RunId,
        /// The event's type.
        event: String,
        /// The agent.
        agent: String,
    },
    /// The scripted upstream was asked: what its own log says.
    Upstream {
        /// `model` or `tool`.
        service: String,
        /// Whose account it was asked under.
        credential: UserName,
        /// For which run, as the caller said.
        run: RunId,
        /// What it was told.
        text: String,
    },
    /// Partywall restarted a process of the back end: ids that were given may be given again.
    Restarted {
        /// Whose process it was.
        users: Vec<UserName>,
    },
    /// The back end says the names of these users to a user who is alone, too: they are words of its
    /// own.
    SaidAlone {
        /// The users.
        users: Vec<UserName>,
    },
    /// The back end noticed something and went on.
    Warning {
        /// What.
        text: String,
    },
}
