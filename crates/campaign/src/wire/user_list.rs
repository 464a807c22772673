//! Users that a file or a command names: a line for each, with a secret behind a tab or without.

use std::collections::BTreeMap;
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use partywall_core::ids::UserName;
use partywall_drive::scenario::UsersFrom;
use partywall_explore::store::error::CampaignError;

/// How long a command may take.
const LIMIT: Duration = Duration::from_secs(60);
/// The most that is read, in bytes.
const MOST: u64 = 16 << 20;

/// The users, in their order, and the secrets of those that have one.
#[derive(Clone, Default)]
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct UserList {
    /// Their names.
    pub names: Vec<UserName>,
    /// What stands for `{{ user.secret }}`.
    pub secrets: BTreeMap<UserName, String>,
}

/// Reads the users.
///
/// # Errors
///
/// The file cannot be read, or the command fails.
pub fn users_of(from: &UsersFrom) -> Result<UserList, CampaignError> {
    let text = match from {
        UsersFrom::File(path) => std::fs::read_to_string(path).map_err(|error| {
            let shown = path.escape_debug();
            let remedy = "`users_file` in `[identity]` names a text file, a user a line";
            CampaignError::usage(format!("cannot read `{shown}`: {error}; {remedy}"))
        })?,
        UsersFrom::Command(command) => printed(command)?,
    };
    let mut list = UserList::default();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (name, secret) = match line.split_once('\t') {
            Some((name, secret)) => (name, Some(secret.trim())),
            None => (line, None),
        };
        let name = UserName::new(name.trim());
        if let Some(secret) = secret.filter(|secret| !secret.is_empty()) {
            list.secrets.insert(name.clone(), secret.to_owned());
        }
        list.names.push(name);
    }
    Ok(list)
}

/// What the command prints, once it has ended well.
fn printed(command: &[String]) -> Result<String, CampaignError> {
    let shown = command.join(" ");
    let shown = shown.escape_debug();
    let failed = |what: String| {
        let remedy = "`users_command` in `[identity]` prints a user a line";
        CampaignError::usage(format!("`{shown}` {what}; {remedy}"))
    };
    let (program, arguments) = command.split_first().ok_or_else(|| failed("is empty".into()))?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("could not be started: {error}")))?;
    let (sender, output) = mpsc::channel();
    let stdout = child.stdout.take();
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.map(|stdout| stdout.take(MOST).read_to_string(&mut text));
        let _ = sender.send(read.transpose().map(|_| text));
    });
    let text = output.recv_timeout(LIMIT);
    if text.is_err() {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| failed(error.to_string()))?;
    match text {
        Err(_) => Err(failed(format!("did not end within {LIMIT:?}"))),
        Ok(Err(error)) => Err(failed(format!("prints no text: {error}"))),
        Ok(Ok(_)) if !status.success() => Err(failed(format!("failed ({status})"))),
        Ok(Ok(text)) => Ok(text),
    }
}
