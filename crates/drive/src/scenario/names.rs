//! The users' names and the ids that their clients choose: such that what keys by less than it
//! should keys two users alike.

use super::error::ScenarioError;
use super::file::ScenarioFile;
use super::speech_file::IdentityTable;
use super::words::Words;
use super::{Ids, are_users};
use partywall_core::ids::UserName;
use partywall_core::protocol::{Act, Protocol, Start};
use partywall_core::target::UsersFrom;
use partywall_core::template;

/// The names that the file lists; none where it lists none.
pub(super) fn listed(
    words: &Words<'_>,
    identity: &IdentityTable,
) -> Result<Vec<UserName>, ScenarioError> {
    let Some(written) = &identity.users else { return Ok(Vec::new()) };
    let names: Vec<UserName> = written.iter().map(UserName::new).collect();
    words.demand(are_users(&names), written, || "`users` names at least two, each once".into())?;
    Ok(names)
}

/// Where else the names come from.
pub(super) fn users_from(
    words: &Words<'_>,
    file: &ScenarioFile,
) -> Result<Option<UsersFrom>, ScenarioError> {
    let IdentityTable { users, users_file, users_command, .. } = &file.identity;
    let one = "give one of `users`, `users_file` and `users_command`";
    let from = match (users, users_file, users_command) {
        (_, None, None) => None,
        (None, Some(path), None) => Some(UsersFrom::File(path.to_string())),
        (None, None, Some(command)) => {
            words.demand(!command.is_empty(), command, || {
                "`users_command` names a program and its arguments".into()
            })?;
            Some(UsersFrom::Command(command.to_vec()))
        }
        (_, Some(path), _) => return Err(words.error(path, one.into())),
        (_, None, Some(command)) => return Err(words.error(command, one.into())),
    };
    if from.is_none()
        && let Some(at) = words.text.find("user.secret")
    {
        let line = words.text[..at].bytes().filter(|byte| *byte == b'\n').count() + 1;
        let problem = "nothing stands for `user.secret`: give `users_file` or `users_command` in \
                       `[identity]`, with a name, a tab and the secret in each line";
        return Err(ScenarioError { line: Some(line), problem: problem.into() });
    }
    Ok(from)
}

/// The ids that clients choose.
pub(super) fn ids(file: &ScenarioFile) -> Ids {
    let written = file.start.as_ref().and_then(|start| start.ids.as_ref());
    let Some(written) = written else { return Ids::Equal };
    (**written).into()
}

/// Whether generated names may be other than ASCII. Servers read such headers differently, so that
/// by default names in headers are plain.
pub(super) fn unicode(file: &ScenarioFile, protocol: &Protocol) -> bool {
    let identity = &protocol.identity;
    let of_setup = protocol.setup.iter().filter_map(|step| match &step.act {
        Act::Request(request) => Some(&request.headers),
        Act::Send(_) => None,
    });
    let of_start = match &protocol.start {
        Start::Http { request, .. } => Some(&request.headers),
        Start::Message(_) => None,
    };
    let tables = [&identity.headers, &identity.cookies].into_iter().chain(of_setup).chain(of_start);
    let mut shown =
        tables.flatten().map(|(_, template)| template).chain(identity.subprotocol.as_ref());
    let is_users = |name: &&str| *name == "user" || name.starts_with("user.");
    let in_header =
        shown.any(|text| template::names(text).map_or(true, |own| own.iter().any(is_users)));
    file.identity.unicode_names.unwrap_or(!in_header)
}
