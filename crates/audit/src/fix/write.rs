//! Writes a file whole or not at all, and only over what was read.

use std::fs;
use std::io::Write;
use std::path::Path;

use partywall_core::fix::FixState;

/// Writes a file beside it and renames that over it, unless it has other bytes now than were read.
/// Says what became of it, and what the system said where it failed.
pub fn write(path: &Path, read: &[u8], result: &[u8]) -> (FixState, Option<String>) {
    match replace(path, read, result) {
        Ok(state) => (state, None),
        Err(error) => (FixState::Failed, Some(error.to_string())),
    }
}

fn replace(path: &Path, read: &[u8], result: &[u8]) -> std::io::Result<FixState> {
    // A link stays one: what it names is written.
    let path = fs::canonicalize(path)?;
    let own = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{own}.partywall-{}", std::process::id()));
    let written = replace_by(&path, &beside, read, result);
    if !matches!(written, Ok(FixState::Written)) {
        let _ = fs::remove_file(&beside);
    }
    written
}

fn replace_by(path: &Path, beside: &Path, read: &[u8], result: &[u8]) -> std::io::Result<FixState> {
    let permissions = fs::metadata(path)?.permissions();
    if permissions.readonly() {
        return Err(std::io::Error::new(std::io::ErrorKind::PermissionDenied, "it is read-only"));
    }
    let mut file = fs::File::create_new(beside)?;
    file.write_all(result)?;
    file.set_permissions(permissions)?;
    file.sync_all()?;
    drop(file);
    if fs::read(path)? != read {
        return Ok(FixState::Changed);
    }
    fs::rename(beside, path)?;
    Ok(FixState::Written)
}
