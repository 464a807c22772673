//! A tutorial's files and commands end as it says, as they stand. A tutorial that needs a package which
//! is not installed is skipped, and says so. `.ci/run` installs what they need in `target/tutorials`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Fence, Page, root};

/// Where packages for tutorials may be installed.
fn packages() -> PathBuf {
    root().join("target/tutorials")
}

/// The search path: the tested program first, then what is installed for tutorials.
fn search_path() -> std::ffi::OsString {
    let program = Path::new(env!("CARGO_BIN_EXE_partywall"));
    let mut folders = vec![program.parent().expect("a folder").to_owned(), packages().join("bin")];
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    std::env::join_paths(folders).expect("plain paths")
}

/// Runs a shell command of a tutorial.
fn shell(folder: &Path, line: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new("sh");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PARTYWALL_") {
            command.env_remove(name);
        }
    }
    let output = command
        .args(["-c", line])
        .current_dir(folder)
        .env("PATH", search_path())
        .output()
        .expect("a shell");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Whether what a line installs is there already.
fn is_installed(folder: &Path, line: &str) -> bool {
    let plain = |word: &str| word.trim_matches('"').split(['>', '<', '=']).next().map(String::from);
    let mut names = line.split_whitespace().skip(2).filter_map(plain);
    match line.starts_with("pip") {
        true => {
            names.all(|name| shell(folder, &format!("python3 -c 'import {name}'")).0 == Some(0))
        }
        false => names.all(|name| folder.join("node_modules").join(name).is_dir()),
    }
}

/// What a tutorial came to: how many commands ended as it says, or none where it was skipped.
fn follow(name: &str) -> Option<usize> {
    let page = Page::read(&format!("docs/tutorials/{name}.md"));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tutorials").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let modules = packages().join("node_modules");
    #[cfg(unix)]
    if modules.is_dir() {
        std::os::unix::fs::symlink(&modules, folder.join("node_modules")).expect("a link");
    }
    let (mut followed, mut printed) = (0, String::new());
    for fence in page.fences() {
        if let Some(file) = fence.mark("file") {
            std::fs::write(folder.join(file), &fence.body).expect("written");
        }
        if fence.language == "text" {
            says_the_same(&page, &fence, &printed);
        }
        if fence.language != "console" {
            continue;
        }
        let commands = fence.commands();
        for (at, line) in commands.iter().enumerate() {
            if line.starts_with("pip install ") || line.starts_with("npm install ") {
                if !is_installed(&folder, line) {
                    eprintln!("skipped: {name} needs `{line}`");
                    return None;
                }
                continue;
            }
            let is_last = at + 1 == commands.len();
            let code = fence.mark("exit").filter(|_| is_last).unwrap_or("0");
            let (ended, stdout, stderr) = shell(&folder, line);
            let ended = ended.map(|ended| ended.to_string());
            let told = format!("{name}: {line}\n{stdout}\n{stderr}");
            assert_eq!(ended.as_deref(), Some(code), "{told}");
            (followed, printed) = (followed + 1, stdout);
        }
    }
    Some(followed)
}

/// What a page shows as printed begins with the same verdict, and has the same headings.
fn says_the_same(page: &Page, fence: &Fence, printed: &str) {
    let verdict = |text: &str| text.split(':').next().unwrap_or_default().to_owned();
    assert_eq!(verdict(&fence.body), verdict(printed), "{}:{}", page.path, fence.line);
    let headings = fence.body.lines().filter(|line| line.ends_with(':') && !line.starts_with(' '));
    for heading in headings {
        assert!(printed.contains(heading), "{}: {heading}", page.path);
    }
}

#[test]
fn fastapi_ends_as_it_says() {
    assert!(follow("fastapi").is_none_or(|followed| followed == 4));
}

#[test]
fn express_ends_as_it_says() {
    assert!(follow("express").is_none_or(|followed| followed == 3));
}

#[test]
fn mcp_ends_as_it_says() {
    assert!(follow("mcp").is_none_or(|followed| followed == 5));
}

#[test]
fn migration_ends_as_it_says() {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("skipped: there is no python3 to start the server with");
        return;
    }
    assert_eq!(follow("migration"), Some(3));
}
