//! What `--version` says: the version, the commit, the features.

use std::sync::LazyLock;

/// The commit that was built, where the build names it; a plain `cargo build` does not.
const COMMIT: Option<&str> = option_env!("PARTYWALL_COMMIT");

static TEXT: LazyLock<String> = LazyLock::new(|| {
    let version = env!("CARGO_PKG_VERSION");
    let commit = COMMIT.filter(|commit| !commit.is_empty()).unwrap_or("unknown");
    // The program is built with this one; the library has no others.
    format!("{version} (commit {commit}, features: cli)")
});

/// The text after the program's name.
pub(super) fn text() -> &'static str {
    &TEXT
}
