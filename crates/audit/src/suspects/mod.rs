//! What else all users of a process may share: suspects with evidence, not verdicts.
//!
//! Every suspect is something that lives as long as the process and that a function changes or
//! fills. Whether a user's data goes into it, the source alone does not say, so they are ranked:
//! what a request reaches counts most, registration at start-up least.

mod attributes;
mod caches;
mod candidate;
mod context_vars;
mod defaults;
mod evidence;
mod globals;
pub(super) mod instances;
mod paths;
mod people;

use super::source_file::File;
use partywall_core::audit::Code;

pub(super) use candidate::{Candidate, Write};

/// All suspects of one file that can be told from it alone; test code has none, since it serves
/// nobody.
pub(super) fn candidates(file: &File<'_>) -> Vec<Candidate> {
    if file.code == Code::Test {
        return Vec::new();
    }
    let mut found = globals::lazy(file);
    found.extend(globals::shared(file));
    found.extend(caches::caches(file));
    found.extend(defaults::defaults(file));
    found.extend(attributes::attributes(file));
    found.extend(context_vars::context_vars(file));
    found
}
