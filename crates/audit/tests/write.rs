//! A rewritten file is written whole, or not at all.

use std::path::{Path, PathBuf};

use partywall_audit::fix::write;
use partywall_core::fix::FixState;

/// An empty folder of a test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("write-{name}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the folder of tests can be written");
    folder
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("it is UTF-8")
}

#[test]
fn a_file_is_written_whole_over_what_was_read_or_not_at_all() {
    let scratch = folder("whole");
    let path = scratch.join("a.py");
    std::fs::write(scratch.join("a.py"), "a\n").expect("it can be written");
    assert_eq!(write(&path, b"b\n", b"c\n").0, FixState::Changed);
    assert_eq!(read(&scratch.join("a.py")), "a\n");
    assert_eq!(write(&path, b"a\n", b"c\n").0, FixState::Written);
    assert_eq!(read(&scratch.join("a.py")), "c\n");
    let (state, error) = write(&scratch.join("no.py"), b"", b"");
    assert!(state == FixState::Failed && error.is_some());
    let mut permissions = std::fs::metadata(&path).expect("it is there").permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&path, permissions).expect("it is ours");
    assert_eq!(write(&path, b"c\n", b"d\n").0, FixState::Failed);
    assert_eq!(read(&scratch.join("a.py")), "c\n");
    // Nothing is left beside it.
    assert_eq!(std::fs::read_dir(&scratch).expect("it is there").count(), 1);
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_a_file_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = folder("link");
    std::fs::create_dir_all(scratch.join("own")).expect("it can be made");
    std::fs::write(scratch.join("own/a.py"), "a\n").expect("it can be written");
    let path = scratch.join("own/a.py");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o750)).expect("it is ours");
    let link = scratch.join("link.py");
    std::os::unix::fs::symlink(&path, &link).expect("it can be made");
    assert_eq!(write(&link, b"a\n", b"b\n").0, FixState::Written);
    assert!(std::fs::symlink_metadata(&link).expect("it is there").is_symlink());
    assert_eq!(read(&scratch.join("own/a.py")), "b\n");
    let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o750);
}
