//! Rewrites calls of an accessor to its replacement where the context that it needs is in scope.
//!
//! A file is rewritten only if it was read whole, and only if the result parses. What stays is
//! listed with the reason.

mod annotation;
mod call;
mod context;
mod imports;
mod modules;
mod plan;
mod source;
mod write;

use std::collections::BTreeMap;
use std::path::Path;

use partywall_core::audit::{AuditRecord, Scope, Use, UseKind};
use partywall_core::fix::{FIX_VERSION, FixRecord, FixState, FixedFile, Left, WhyLeft};

use self::modules::Modules;
use self::plan::Plan;
use self::source::{Readers, Source, diff};
use super::options::Options;

pub use self::write::write;

/// Names of variables and of types that hold the user's context, where nothing else is said.
pub const CONTEXTS: [&str; 3] = ["user_context", "userContext", "UserContext"];

/// A file with more uses is not rewritten: people write fewer, and each is looked up in the tree.
const MOST_USES: usize = 1_000;

/// What to rewrite.
#[derive(Clone, Debug)]
pub struct Request {
    /// Names of variables and of types that hold the user's context.
    pub contexts: Vec<String>,
    /// The code that is rewritten.
    pub scope: Scope,
    /// Whether to write the files, or only to show the change.
    pub write: bool,
}

/// Rewrites what an audit found. `options` are those of that audit.
pub fn fix(root: &Path, options: &Options, audit: &AuditRecord, request: &Request) -> FixRecord {
    let mut by_file: BTreeMap<&str, Vec<&Use>> = BTreeMap::new();
    for found in &audit.uses {
        by_file.entry(&found.place.path).or_default().push(found);
    }
    let mut readers = Readers::default();
    let mut modules = Modules::default();
    for path in by_file.keys() {
        if let Ok(source) = Source::read(&mut readers, root, path, options) {
            modules.add(&source, &options.symbols);
        }
    }
    let (mut files, mut left) = (Vec::new(), Vec::new());
    for (path, uses) in &by_file {
        let is_asked = uses.iter().any(|found| request.scope.holds(found.code));
        let source = match is_asked {
            true if uses.len() > MOST_USES => Err(WhyLeft::TooMany),
            true => Source::read(&mut readers, root, path, options),
            false => Err(WhyLeft::TestCode),
        };
        let source = match source {
            Ok(source) => source,
            Err(why) => {
                left.extend(
                    uses.iter().filter(|found| found.is_call_site()).map(|found| stays(found, why)),
                );
                continue;
            }
        };
        let code =
            uses.first().map_or(partywall_core::audit::Code::Application, |found| found.code);
        let planned = Plan::of(&source, &modules, request, code, &options.symbols);
        left.extend(planned.left);
        if planned.calls.is_empty() {
            continue;
        }
        let result = source::applied(&source, &planned.edits);
        if !source::parses(&mut readers, &source, &result) {
            let is_planned =
                |found: &&&Use| planned.calls.iter().any(|call| call.place == found.place);
            left.extend(
                uses.iter().filter(is_planned).map(|found| stays(found, WhyLeft::ResultBroken)),
            );
            continue;
        }
        let (state, error) = match request.write {
            true => write(&source.path, &source.bytes, &result),
            false => (FixState::Shown, None),
        };
        let diff = diff(&audit.root, path, &source.bytes, &result);
        files.push(FixedFile {
            path: (*path).to_owned(),
            state,
            error,
            calls: planned.calls,
            diff,
        });
    }
    left.sort_by(|one, other| one.place.cmp(&other.place));
    FixRecord {
        fix_version: FIX_VERSION,
        partywall: env!("CARGO_PKG_VERSION").into(),
        root: audit.root.clone(),
        write: request.write,
        files,
        left,
    }
}

/// A use of the audit that stays.
fn stays(found: &Use, why: WhyLeft) -> Left {
    Left {
        symbol: found.symbol.clone(),
        kind: found.kind,
        place: found.place.clone(),
        function: found.function.clone(),
        code: found.code,
        text: found.text.clone(),
        why,
        candidates: Vec::new(),
    }
}

/// Whether a use of that kind calls the accessor.
fn is_call(kind: UseKind) -> bool {
    matches!(kind, UseKind::Call | UseKind::AttributeCall | UseKind::AliasCall)
}
