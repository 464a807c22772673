//! Where a scenario file is, as code scanning wants it: relative to its repository, with a line.

use std::path::{Path, PathBuf};

use hmac_sha256::Hash;

use crate::trial::measure::Source;
use crate::trial::raw::to_hex;

/// The place in that scenario file that says what is driven.
pub(super) fn source_of_file(file: &str, text: &str) -> Source {
    let line_of = |section: &str| text.lines().position(|line| line.trim().starts_with(section));
    let line = ["[start]", "[wire]", "[explore]"].into_iter().find_map(line_of).unwrap_or(0);
    Source {
        file: in_repository(Path::new(file)),
        line: u32::try_from(line).map_or(1, |line| line.saturating_add(1)),
        sha256: to_hex(&Hash::hash(text.as_bytes())),
    }
}

/// The path from the root of the repository that holds the file; from the current folder where there
/// is none.
fn in_repository(file: &Path) -> String {
    let as_given = || file.components().collect::<PathBuf>();
    let relative = file.canonicalize().ok().and_then(|whole| {
        let root = whole.ancestors().skip(1).find(|folder| folder.join(".git").exists());
        let here = || std::env::current_dir().ok()?.canonicalize().ok();
        let root = root.map(Path::to_path_buf).or_else(here)?;
        whole.strip_prefix(root).ok().map(Path::to_path_buf)
    });
    let path = relative.unwrap_or_else(as_given);
    path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_this_repository_is_named_from_its_root() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/./http-only.toml");
        let text = std::fs::read_to_string(file).expect("it is there");
        let source = source_of_file(file, &text);
        assert_eq!(source.file, "scenarios/http-only.toml");
        assert_eq!(text.lines().nth(source.line as usize - 1), Some("[start]"));
    }

    #[test]
    fn a_file_that_is_not_there_is_named_as_it_was_given() {
        let source = source_of_file("no/such.toml", "version = 1\n");
        assert_eq!((source.file.as_str(), source.line), ("no/such.toml", 1));
    }
}
