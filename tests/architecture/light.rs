//! What a dev-dependency on `assert_isolated` compiles: few crates, and nothing of the program.

use std::collections::BTreeSet;
use std::process::Command;

use super::root;

/// The most crates, the facade and those of this workspace included.
const MOST_CRATES: usize = 60;

/// What only the program needs, or compiles C.
const OF_THE_PROGRAM: [&str; 9] =
    ["axum", "cc", "clap", "loom", "mio", "reqwest", "ring", "rustls", "tree-sitter"];

/// The crates that the facade compiles with those options, by name.
fn crates_with(options: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", "partywall", "--edges", "normal,build", "--prefix", "none"])
        .args(["--locked", "--format", "{p}"])
        .args(options)
        .current_dir(root())
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("plain names");
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn a_dev_dependency_compiles_nothing_of_the_program() {
    let light = crates_with(&["--no-default-features"]);
    assert!(light.contains("partywall-explore"), "{light:?}");
    assert!(light.len() <= MOST_CRATES, "{} crates: {light:?}", light.len());
    let found: Vec<_> = OF_THE_PROGRAM.iter().filter(|name| light.contains(**name)).collect();
    assert!(found.is_empty(), "of the program: {found:?}");
    // What is looked for there would be found.
    let whole = crates_with(&[]);
    assert!(OF_THE_PROGRAM.iter().all(|name| whole.contains(*name)), "{whole:?}");
}
