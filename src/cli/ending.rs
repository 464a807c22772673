//! The last line of a command, on standard error: its exit code, what that means, and what to do next.

use super::output;
use crate::campaign::error::{CampaignError, Kind};
use crate::trial::record::{LevelName, Record};
use crate::trial::verdict::{ExitCode, Outcome, ReasonCode, Verdict};

/// How a command ended.
#[derive(Debug)]
pub(super) struct Ended {
    code: ExitCode,
    /// What that code means here; nothing is told where it is empty.
    what: String,
    next: Option<String>,
}

impl Ended {
    /// With that code, and what it means here.
    pub(super) fn new(code: ExitCode, what: impl Into<String>) -> Self {
        Self { code, what: what.into(), next: None }
    }

    /// With 0, after a text that is all of the result, such as a schema: nothing more is told.
    pub(super) fn with_text() -> Self {
        Self::new(ExitCode::Clean, "")
    }

    /// Interrupted.
    pub(super) fn interrupted() -> Self {
        Self::new(ExitCode::Interrupted, "interrupted").next("run it again, to its end")
    }

    /// The same with what to do next.
    pub(super) fn next(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..self }
    }

    /// A report that ends with that code.
    pub(super) fn of(record: &Record, code: ExitCode) -> Self {
        Self { next: after(record, code), ..Self::new(code, record.verdict.as_str()) }
    }

    /// An error, which was printed.
    pub(super) fn by(error: &CampaignError) -> Self {
        let (what, next) = match error.kind() {
            Kind::Target => {
                ("the server is not there", "start the server by hand, then run it again")
            }
            Kind::Internal => ("internal error", "report the error and this command line"),
            _ => return Self::usage(),
        };
        Self::new(error.exit_code(), what).next(next)
    }

    /// What was given cannot be used, as the error above says.
    pub(super) fn usage() -> Self {
        Self::new(ExitCode::Usage, "usage, scenario or configuration error")
            .next("correct what the error names, then run it again")
    }

    /// The exit code.
    pub(super) fn code(&self) -> ExitCode {
        self.code
    }

    /// Prints the line.
    pub(super) fn tell(&self) {
        if self.what.is_empty() {
            return;
        }
        let next = self.next.as_ref().map(|next| format!("; next: {next}")).unwrap_or_default();
        output::complain(&format!("exit code {}: {}{next}", self.code as u8, self.what));
    }
}

/// What to do after a report; nothing after a pass.
fn after(record: &Record, code: ExitCode) -> Option<String> {
    let found = || {
        let levels = record.all_levels().filter(|(side, _)| *side != "before");
        levels.flat_map(|(_, level)| &level.findings)
    };
    let repro = || found().find_map(|finding| finding.reproduce_with.clone());
    let page = || {
        let folder = record.folder.as_ref()?;
        Some(format!("partywall report {folder} --format html"))
    };
    let rule = || Some(format!("partywall explain {}", found().next()?.oracle.code()));
    Some(match (code, record.verdict) {
        (ExitCode::Leaked, _) => return repro().or_else(page).or_else(rule),
        (ExitCode::Interrupted, _) => "run it again, to its end".to_owned(),
        (_, Outcome::Clean | Outcome::Fixed) => return None,
        _ => "the steps under \"What to do\"".to_owned(),
    })
}

/// Whether something that the verdict is about was not exercised: no run of a level completed, or none
/// with every call site migrated.
pub(super) fn left_unexercised(record: &Record) -> bool {
    let nothing = |code| matches!(code, ReasonCode::NothingExercised | ReasonCode::UsersAlike);
    let is_told = record.reasons.iter().any(|reason| nothing(reason.code));
    let level = record.all_levels().any(|(_, level)| {
        level.verdict == Verdict::Inconclusive
            && level.level != LevelName::Model
            && level.runs_completed == 0
    });
    let state = record.migration.as_ref().is_some_and(|matrix| {
        let end = matrix.states.iter().find(|row| row.migrated.len() == matrix.sites.len());
        record.all_levels().next().is_none() && end.is_some_and(|row| row.runs_completed == 0)
    });
    is_told || level || state
}
