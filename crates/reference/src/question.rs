//! What the upstream is asked.

use std::time::Duration;

use super::context::UserExecutionContext;
use super::shared::Shared;
use partywall_core::history::Note;
use partywall_core::ids::UserName;

/// How long a call of the model or of a tool may take.
pub(crate) const CALL_LIMIT: Duration = Duration::from_secs(30);

/// A question to the model or to a tool, with the identity that it is asked under.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// For which run.
    pub(crate) context: UserExecutionContext,
    /// `model` or `tool`.
    pub(crate) service: &'static str,
    /// Whose account pays for it.
    pub(crate) credential: UserName,
    /// The settings of that account.
    pub(crate) settings: String,
    /// What is asked.
    pub(crate) about: String,
    /// What was said before, as far as the model is told; empty for nothing.
    pub(crate) earlier: String,
    /// How long the answer takes, in turns.
    pub(crate) turns: u32,
}

impl Question {
    /// What the scripted upstream answers: it echoes all that it was told.
    pub(crate) fn answer(&self) -> String {
        let Self { about, earlier, settings, .. } = self;
        match earlier.as_str() {
            "" => format!("{about} under settings «{settings}»"),
            earlier => format!("{about} after {earlier} under settings «{settings}»"),
        }
    }

    /// Reports that the upstream was asked, as the upstream's own log has it.
    pub(crate) fn report(&self, shared: &Shared) {
        shared.report(|| Note::Upstream {
            service: self.service.into(),
            credential: self.credential.clone(),
            run: self.context.run_id().clone(),
            text: self.answer(),
        });
    }
}
