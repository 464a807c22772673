//! The last line of a command: its exit code, what that means, and what to do next.

use crate::trial::record::Record;
use crate::trial::verdict::{ExitCode, Outcome};

/// The line for that record, which ends with that code.
pub(super) fn line(record: &Record, code: ExitCode) -> String {
    let verdict = record.verdict.as_str();
    let next = next(record, code).map(|next| format!("; next: {next}"));
    format!("exit code {}: {verdict}{}", code as u8, next.unwrap_or_default())
}

/// What to do next; nothing after a pass.
fn next(record: &Record, code: ExitCode) -> Option<String> {
    let folder = record.folder.as_deref().unwrap_or("RUN_FOLDER");
    let repro = || {
        let levels = record.all_levels().filter(|(side, _)| *side != "before");
        let mut found = levels.flat_map(|(_, level)| &level.findings);
        found.find_map(|finding| finding.reproduce_with.clone())
    };
    Some(match (code, record.verdict) {
        (ExitCode::Leaked, _) => {
            repro().unwrap_or_else(|| format!("partywall report {folder} --format html"))
        }
        (ExitCode::Interrupted, _) => "run it again, to its end".to_owned(),
        (_, Outcome::Clean | Outcome::Fixed) => return None,
        _ => "the steps under \"What to do\"".to_owned(),
    })
}
