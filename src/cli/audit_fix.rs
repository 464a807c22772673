//! `partywall audit --fix`: rewrites calls of the accessor, as a diff or in the files.

use std::io::IsTerminal;
use std::path::Path;

use super::output;
use crate::audit::Options;
use crate::audit::fix::{CONTEXTS, Request, fix};
use crate::campaign::error::CampaignError;
use crate::report::audit_fix;
use crate::report::terminal::Style;
use crate::trial::audit::{AuditRecord, Scope};
use crate::trial::fix::FixRecord;

/// What is rewritten, and how it is printed.
#[derive(Debug)]
pub(super) struct How<'a> {
    pub(super) path: &'a Path,
    /// What holds a user's context; the usual names where it is empty.
    pub(super) contexts: &'a [String],
    pub(super) scope: Scope,
    pub(super) write: bool,
    pub(super) json: bool,
    pub(super) style: Style,
}

pub(super) fn exec(
    options: &Options,
    audit: &AuditRecord,
    how: &How<'_>,
) -> Result<FixRecord, CampaignError> {
    if let Some(symbol) = options.symbols.iter().find(|symbol| symbol.replacement.is_none()) {
        let text = format!(
            "--fix has no replacement for {}; name it with --replacement NAME",
            symbol.name.escape_debug()
        );
        return Err(CampaignError::usage(text));
    }
    let contexts = match how.contexts.is_empty() {
        true => CONTEXTS.map(str::to_owned).to_vec(),
        false => how.contexts.to_vec(),
    };
    let request = Request { contexts, scope: how.scope, write: how.write };
    let fixed = fix(how.path, options, audit, &request);
    print(&fixed, how);
    let unwritten = fixed.files.iter().filter(|file| !file.is_done()).count();
    if unwritten > 0 {
        let text = format!("{unwritten} files could not be written; run it again");
        return Err(CampaignError::usage(text));
    }
    Ok(fixed)
}

/// The diff to standard output, so that it can be applied, and the list beside it; what was written
/// is no longer a diff.
fn print(fixed: &FixRecord, how: &How<'_>) {
    if how.json {
        return output::print(&audit_fix::json(fixed));
    }
    let list = audit_fix::render(fixed, how.style);
    if fixed.write {
        return output::print(&list);
    }
    let diff = audit_fix::diff(fixed);
    // Control characters of the source stay in the diff unless a person reads it.
    match std::io::stdout().is_terminal() {
        true => output::print(&output::visible(&diff)),
        false => output::print(&diff),
    }
    output::explain(&list);
}
