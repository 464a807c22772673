//! Finds the source files below a folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::AuditError;
use super::glob::Glob;
use super::languages::of_extension;
use partywall_core::audit::SkippedFile;

/// Folders that hold what others wrote, or what was made from the source.
const NOT_OURS: [&str; 5] =
    ["node_modules", "__pycache__", "site-packages", "dist-packages", "bower_components"];

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The files, in the order of their names.
    pub(super) files: Vec<Entry>,
    /// Folders that cannot be read.
    pub(super) skipped: Vec<SkippedFile>,
}

/// A source file: how it is shown, and where it is. A name that is no UTF-8 is shown inexactly.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// Its path, relative to the root.
    pub(super) shown: String,
    pub(super) path: PathBuf,
}

/// All source files below the root; links are not followed. The root may be a file itself.
///
/// # Errors
///
/// The root cannot be read.
pub(super) fn files(root: &Path, excluded: &[Glob]) -> Result<Found, AuditError> {
    let unreadable = |error: std::io::Error| {
        AuditError::new(format!(
            "cannot read {}: {error}; give the folder that holds the sources",
            root.display().to_string().escape_debug()
        ))
    };
    let kind = fs::metadata(root).map_err(unreadable)?;
    let mut found = Found::default();
    if kind.is_file() {
        let shown = root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned();
        found.files.push(Entry { shown, path: root.to_owned() });
        return Ok(found);
    }
    fs::read_dir(root).map_err(unreadable)?;
    let mut folders = vec![(root.to_path_buf(), String::new())];
    while let Some((folder, name)) = folders.pop() {
        match list(&folder) {
            Ok(entries) => {
                for (path, own, is_folder) in entries {
                    let relative =
                        if name.is_empty() { own.clone() } else { format!("{name}/{own}") };
                    if excluded.iter().any(|glob| glob.matches(&relative)) {
                        continue;
                    }
                    if !is_folder {
                        found.files.push(Entry { shown: relative, path });
                    } else if is_ours(&path, &own) {
                        folders.push((path, relative));
                    }
                }
            }
            Err(error) => {
                found.skipped.push(SkippedFile { path: name, why: error.to_string() });
            }
        }
    }
    found.files.sort();
    Ok(found)
}

/// The folders and source files of a folder: path, name, whether it is a folder.
fn list(folder: &Path) -> std::io::Result<Vec<(PathBuf, String, bool)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let extension = path.extension().and_then(|extension| extension.to_str());
        let is_source = kind.is_file() && extension.is_some_and(|e| of_extension(e).is_some());
        if kind.is_dir() || is_source {
            entries.push((path, name, kind.is_dir()));
        }
    }
    Ok(entries)
}

fn is_ours(path: &Path, name: &str) -> bool {
    let hidden = name.starts_with('.');
    !hidden && !NOT_OURS.contains(&name) && !path.join("pyvenv.cfg").exists()
}
