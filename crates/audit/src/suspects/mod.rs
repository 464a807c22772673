//! What else all users of a process may share: suspects with evidence, not verdicts.
//!
//! Every suspect is something that lives as long as the process and that a function changes or
//! fills. Whether a user's data goes into it, the source alone does not say, so they are ranked:
//! code that serves requests counts most, registration at start-up least.

mod attributes;
mod caches;
mod defaults;
mod evidence;
mod globals;

use super::source_file::File;
use partywall_core::audit::{Code, SingletonSuspect};

/// All suspects of one file; test code has none, since it serves nobody.
pub(super) fn suspects(file: &File<'_>) -> Vec<SingletonSuspect> {
    if file.code == Code::Test {
        return Vec::new();
    }
    let mut found = globals::lazy(file);
    found.extend(globals::shared(file));
    found.extend(caches::caches(file));
    found.extend(defaults::defaults(file));
    found.extend(attributes::attributes(file));
    found
}

/// The likeliest first.
pub(super) fn rank(suspects: &mut [SingletonSuspect]) {
    suspects.sort_by(|one, other| {
        (other.score.cmp(&one.score)).then_with(|| one.place.cmp(&other.place))
    });
}
