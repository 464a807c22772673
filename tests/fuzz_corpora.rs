//! The bodies of the fuzz targets over the committed corpora, on stable Rust.

use std::fs;
use std::path::Path;

use partywall::fuzzing;

/// Names of trial inputs that make the legacy back end leak.
const LEAKS: &str = "legacy-leaks-";

/// The committed inputs of a target, by name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).expect("the corpus can be read");
    let input = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.expect("its entries can be read").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a plain name");
        (name.to_owned(), fs::read(&path).expect("an input can be read"))
    };
    let mut inputs: Vec<_> = entries.map(input).collect();
    inputs.sort();
    inputs
}

/// Runs the body over all inputs; a failure names its input.
fn run(target: &str, least: usize, body: impl Fn(&[u8]) + std::panic::RefUnwindSafe) {
    let inputs = corpus(target);
    assert!(inputs.len() >= least, "the corpus of {target} has only {} inputs", inputs.len());
    for (name, data) in inputs {
        let passed = std::panic::catch_unwind(|| body(&data)).is_ok();
        assert!(passed, "{target} fails on `{name}`");
    }
}

#[test]
fn canary() {
    run("canary", 10, fuzzing::canary);
}

#[test]
fn history() {
    run("history", 9, fuzzing::history);
}

#[test]
fn trial() {
    run("trial", 12, fuzzing::trial);
}

#[test]
fn the_inputs_that_are_named_so_leak_on_the_legacy_back_end() {
    let inputs = corpus("trial");
    let (named, other): (Vec<_>, Vec<_>) =
        inputs.into_iter().partition(|(name, _)| name.starts_with(LEAKS));
    assert!(named.len() >= 4, "no committed input would make the legacy back end leak");
    for (name, data) in &named {
        assert!(fuzzing::leaks_on_legacy(data), "`{name}` does not leak on the legacy back end");
    }
    // Users who never run at the same time show nothing: the leak is in the schedule.
    let default = other.iter().find(|(name, _)| name == "two-users-default-schedule");
    assert!(!fuzzing::leaks_on_legacy(&default.expect("it is committed").1));
}

/// What a target must be able to tell: bodies that pass whatever they get would prove nothing.
#[test]
fn the_readers_do_read_some_of_the_inputs() {
    use partywall::campaign::repro::Repro;
    use partywall::scenario::Scenario;
    use partywall::trial::history::History;
    use partywall::trial::schedule::Schedule;

    let inputs = corpus("history");
    let texts: Vec<_> = inputs.iter().map(|(_, data)| String::from_utf8_lossy(data)).collect();
    let count = |reads: &dyn Fn(&str) -> bool| texts.iter().filter(|text| reads(text)).count();
    assert!(count(&|text| History::from_file(text).is_ok()) >= 5, "histories");
    assert!(count(&|text| Repro::from_file(text).is_ok()) >= 1, "repros");
    assert!(count(&|text| text.parse::<Schedule>().is_ok()) >= 1, "schedules");
    assert!(count(&|text| Scenario::parse(text).is_ok()) >= 1, "scenarios");
}
