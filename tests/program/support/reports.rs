//! Reads what the program has written.

use std::path::{Path, PathBuf};

use partywall::report::json;
use partywall::trial::record::{Level, Record};
use partywall::trial::verdict::ReasonCode;

/// The report of a run folder.
#[track_caller]
pub(crate) fn report(folder: &Path) -> Record {
    let path = folder.join("report.json");
    let text = std::fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(folder.join("report.md").is_file(), "no report.md in {}", folder.display());
    assert!(folder.join("campaign.json").is_file(), "no campaign.json in {}", folder.display());
    json::read(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The only level of a plain run's report.
#[track_caller]
pub(crate) fn only_level(record: &Record) -> &Level {
    let [level] = record.levels.as_slice() else { panic!("{} levels", record.levels.len()) };
    level
}

/// The codes of the report's reasons.
pub(crate) fn codes(record: &Record) -> Vec<ReasonCode> {
    record.reasons.iter().map(|reason| reason.code).collect()
}

/// The command that the terminal report prints for the first finding: what stands below
/// `Reproduce with:`, up to a line that does not go on.
#[track_caller]
pub(crate) fn printed_command(stdout: &str) -> String {
    let (_, below) = stdout.split_once("Reproduce with:").expect("a command is printed");
    let mut command = String::new();
    for line in below.trim_start().lines() {
        command.push_str(line);
        command.push('\n');
        if !line.ends_with('\\') {
            break;
        }
    }
    command
}

/// The files in a folder whose names end so, in order.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(ending));
    paths.sort();
    paths
}

/// Every file below a folder with its bytes, to see that none has changed.
pub(crate) fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for path in files(&folder, "") {
            match path.symlink_metadata() {
                Ok(of) if of.is_dir() => folders.push(path),
                Ok(of) if of.is_file() => {
                    let bytes = std::fs::read(&path).expect("it can be read");
                    found.push((path, bytes));
                }
                _ => {}
            }
        }
    }
    found.sort();
    found
}
