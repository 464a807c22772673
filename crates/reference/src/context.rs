//! `UserExecutionContext`: identity and scope of one request.

use std::fmt;

use partywall_core::ids::{RequestId, RunId, ThreadId, UserName};

/// Whose request it is and what it may touch. Immutable: made once, by the route, from what was
/// authenticated, and handed on by reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserExecutionContext {
    user_id: UserName,
    thread_id: ThreadId,
    run_id: RunId,
    request_id: RequestId,
    websocket_client_id: Option<u64>,
    /// Whether a defect that is switched on strikes this request.
    struck: bool,
}

/// Why a context is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextError {
    field: &'static str,
}

impl fmt::Display for ContextError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a user execution context needs a `{}`", self.field)
    }
}

impl std::error::Error for ContextError {}

impl UserExecutionContext {
    /// A context; `websocket_client_id` names the connection that the request came on, if any.
    ///
    /// # Errors
    ///
    /// [`ContextError`] where an id is blank: nothing may stand for everybody.
    pub fn new(
        user_id: UserName,
        thread_id: ThreadId,
        run_id: RunId,
        request_id: RequestId,
        websocket_client_id: Option<u64>,
    ) -> Result<Self, ContextError> {
        let ids = [
            ("user_id", user_id.as_str()),
            ("thread_id", thread_id.as_str()),
            ("run_id", run_id.as_str()),
            ("request_id", request_id.as_str()),
        ];
        let blank = ids.into_iter().find(|(_, id)| id.trim().is_empty());
        if let Some((field, _)) = blank {
            return Err(ContextError { field });
        }
        let struck = false;
        Ok(Self { user_id, thread_id, run_id, request_id, websocket_client_id, struck })
    }

    /// The same context, struck by the defect that is switched on or not.
    pub(crate) fn struck(mut self, struck: bool) -> Self {
        self.struck = struck;
        self
    }

    /// Whether a defect that is switched on strikes this request.
    pub(crate) fn is_struck(&self) -> bool {
        self.struck
    }

    /// Whose request it is.
    pub fn user_id(&self) -> &UserName {
        &self.user_id
    }

    /// The conversation, as the client calls it.
    pub fn thread_id(&self) -> &ThreadId {
        &self.thread_id
    }

    /// The run, unique in the process.
    pub fn run_id(&self) -> &RunId {
        &self.run_id
    }

    /// The client's id of the request.
    pub fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    /// The connection that the request came on; none over HTTP.
    pub fn websocket_client_id(&self) -> Option<u64> {
        self.websocket_client_id
    }

    /// The conversation's key: user and thread apart, never joined to one text.
    pub(crate) fn conversation(&self) -> (UserName, ThreadId) {
        (self.user_id.clone(), self.thread_id.clone())
    }
}
