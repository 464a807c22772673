//! The users' names and the ids that their clients choose: such that what keys by less than it
//! should keys two users alike.

use super::checked::{Ids, ScenarioError, ServerWork};
use super::file::ScenarioFile;
use super::generate::user_name;
use super::speech_file::IdentityTable;
use crate::trial::target::UsersFrom;
use super::words::Words;
use crate::trial::ids::UserName;
use crate::trial::protocol::{Act, Protocol, Start};

/// The index of the first of [`UNICODE`]: the names before it are awkward in other ways.
const UNICODE_FROM: u32 = 6;
/// The same letters, composed and not: whoever normalises names makes one of them.
const UNICODE: [&str; 2] = ["zo\u{eb}", "zoe\u{308}"];

/// The names that the file lists; none where it lists none.
pub(super) fn listed(
    words: &Words<'_>,
    identity: &IdentityTable,
) -> Result<Vec<UserName>, ScenarioError> {
    let Some(written) = &identity.users else { return Ok(Vec::new()) };
    let names: Vec<UserName> = written.get_ref().iter().map(UserName::new).collect();
    words.demand(are_users(&names), written, || "`users` names at least two, each once".into())?;
    Ok(names)
}

/// Whether a list of names can be driven: at least two, each once.
pub(super) fn are_users(names: &[UserName]) -> bool {
    let mut sorted: Vec<&UserName> =
        names.iter().filter(|name| !name.as_str().is_empty()).collect();
    sorted.sort();
    sorted.dedup();
    sorted.len() == names.len() && names.len() >= 2
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
        (None, Some(path), None) => Some(UsersFrom::File(path.get_ref().clone())),
        (None, None, Some(command)) => {
            words.demand(!command.get_ref().is_empty(), command, || {
                "`users_command` names a program and its arguments".into()
            })?;
            Some(UsersFrom::Command(command.get_ref().clone()))
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
pub(super) fn ids(words: &Words<'_>, file: &ScenarioFile) -> Result<Ids, ScenarioError> {
    let written = file.start.as_ref().and_then(|start| start.get_ref().ids.as_ref());
    let Some(written) = written else { return Ok(Ids::Equal) };
    match written.get_ref().as_str() {
        "equal" => Ok(Ids::Equal),
        "unique" => Ok(Ids::Unique),
        "colliding" => Ok(Ids::Colliding),
        _ => Err(words.error(written, "write `equal`, `unique` or `colliding`".into())),
    }
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
    let in_header = shown.any(|template| template.contains("user"));
    file.identity.unicode_names.unwrap_or(!in_header)
}

/// The name of the user of that index.
pub(super) fn name(work: &ServerWork, index: u32) -> UserName {
    if let Some(listed) = work.names.get(index as usize) {
        return listed.clone();
    }
    let unicode = index.checked_sub(UNICODE_FROM).filter(|_| work.unicode_names);
    match unicode.and_then(|at| UNICODE.get(at as usize)) {
        Some(name) => UserName::new(*name),
        None => user_name(index),
    }
}

/// The id that the client of that user chooses where all would choose `equal`: of that number, of
/// that many users.
pub(super) fn id(work: &ServerWork, users: u32, index: u32, number: u32, equal: &str) -> String {
    match work.ids {
        Ids::Equal => equal.to_owned(),
        // Digits only where it was a number: some servers take nothing else.
        Ids::Unique if equal.parse::<u64>().is_ok() => {
            (u64::from(number) * u64::from(users) + u64::from(index)).to_string()
        }
        Ids::Unique => format!("{equal}-of-{index}"),
        Ids::Colliding => colliding(work, users, index, number, equal),
    }
}

/// Of two users, one's name begins with the other's: what the longer has more goes into the id of
/// the shorter, so that name and id joined are the same for both.
fn colliding(work: &ServerWork, users: u32, index: u32, number: u32, equal: &str) -> String {
    /// So many longer names take turns; more would make the ids of one user alike.
    const MOST: usize = 3;
    let own = name(work, index);
    let longer = (0..users).filter(|other| *other != index).map(|other| name(work, other));
    let rests: Vec<String> = longer
        .filter_map(|other| Some(other.as_str().strip_prefix(own.as_str())?.to_owned()))
        .take(MOST)
        .collect();
    let Some(rest) = rests.get((number as usize) % rests.len().max(1)) else {
        return equal.to_owned();
    };
    let separator = rest.chars().next().filter(|first| !first.is_alphanumeric());
    match separator {
        Some(separator) => format!("{}{separator}{equal}", rest.trim_start_matches(separator)),
        None => format!("{rest}{equal}"),
    }
}

impl ServerWork {
    /// The work with those users instead of generated ones.
    ///
    /// # Errors
    ///
    /// They are fewer than two, or one is named twice.
    pub(super) fn with_names(mut self, names: Vec<UserName>) -> Result<Self, String> {
        if !are_users(&names) {
            return Err("it must name at least two users, each once".into());
        }
        self.names = names;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{Scenario, TEMPLATES};
    use super::*;

    fn work(ids: Ids) -> ServerWork {
        let scenario = Scenario::parse(TEMPLATES[0].1).expect("valid");
        ServerWork { ids, ..scenario.wire.server.expect("it is one of a server") }
    }

    #[test]
    fn generated_names_are_awkward_in_each_way() {
        let work = work(Ids::Equal);
        let names: Vec<String> = (0..5_000).map(|index| name(&work, index).to_string()).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        let pairs =
            || names.iter().flat_map(|one| names[..20].iter().map(move |other| (one, other)));
        assert!(pairs().any(|(one, other)| one != other && one.starts_with(other.as_str())));
        assert!(
            names.iter().any(|name| name.contains(':')) && names.iter().any(|n| n.contains('_'))
        );
        assert!(names[..8].iter().filter(|name| !name.is_ascii()).count() == 2);
        assert!(pairs().any(|(one, other)| one != other && one.len() == other.len()));
        let plain = ServerWork { unicode_names: false, ..work };
        assert!((0..100).all(|index| name(&plain, index).as_str().is_ascii()));
    }

    #[test]
    fn ids_are_equal_or_unique_or_collide_when_joined_with_the_name() {
        let all = |ids| -> Vec<(String, String)> {
            let work = work(ids);
            let of = |index| {
                let work = work.clone();
                (1..=4).map(move |run: u32| {
                    let id = id(&work, 50, index, run, &run.to_string());
                    (name(&work, index).to_string(), id)
                })
            };
            (0..50).flat_map(of).collect()
        };
        let ids = |of: &[(String, String)]| -> BTreeSet<String> {
            of.iter().map(|(_, id)| id.clone()).collect()
        };
        assert_eq!(ids(&all(Ids::Equal)).len(), 4);
        let unique = all(Ids::Unique);
        assert_eq!(ids(&unique).len(), 200);
        assert!(unique.iter().all(|(_, id)| id.parse::<u64>().is_ok()));
        let colliding = all(Ids::Colliding);
        // One user's ids differ, or answers could not be told apart.
        assert_eq!(colliding.iter().collect::<BTreeSet<_>>().len(), 200);
        for separator in ["", ":", "_"] {
            let mut joined = BTreeSet::new();
            let key = |(name, id): &(String, String)| format!("{name}{separator}{id}");
            let twice = colliding.iter().filter(|own| !joined.insert(key(own))).count();
            assert!(twice > 0, "joined with `{separator}`");
        }
    }
}
