//! Where a scenario file is, as code scanning wants it: relative to its repository, with a line.

use std::path::{Component, Path, PathBuf};

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

/// The path from the root of the repository that holds it; from the current folder where there is
/// none. What is in neither has its name only: nobody who reads the report has its folder.
pub(super) fn in_repository(path: &Path) -> String {
    let relative = path.canonicalize().ok().and_then(|whole| {
        let root = whole.ancestors().find(|folder| folder.join(".git").exists());
        let here = || std::env::current_dir().ok()?.canonicalize().ok();
        let root = root.map(Path::to_path_buf).or_else(here)?;
        whole.strip_prefix(root).ok().map(Path::to_path_buf)
    });
    let as_given = || {
        let inside =
            path.is_relative() && !path.components().any(|part| part == Component::ParentDir);
        match path.file_name() {
            Some(name) if !inside => PathBuf::from(name),
            _ => path.components().filter(|part| *part != Component::CurDir).collect(),
        }
    };
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

    #[test]
    fn what_is_in_no_repository_and_not_here_has_its_name_only() {
        assert_eq!(in_repository(Path::new("/no/such/folder/chat.toml")), "chat.toml");
        assert_eq!(in_repository(Path::new("../no-such-folder/chat.toml")), "chat.toml");
        assert_eq!(in_repository(Path::new(env!("CARGO_MANIFEST_DIR"))), "");
    }
}
