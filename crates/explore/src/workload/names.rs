//! The users' names and the ids that their clients choose: such that what keys by less than it
//! should keys two users alike.

use super::spec::{Ids, ServerWork};
use partywall_core::ids::UserName;

/// The index of the first of [`UNICODE`]: the names before it are awkward in other ways.
const UNICODE_FROM: u32 = 6;
/// The same letters, composed and not: whoever normalises names makes one of them.
const UNICODE: [&str; 2] = ["zo\u{eb}", "zoe\u{308}"];

/// Whether a list of names can be driven: at least two, each once.
pub fn are_users(names: &[UserName]) -> bool {
    let mut sorted: Vec<&UserName> =
        names.iter().filter(|name| !name.as_str().is_empty()).collect();
    sorted.sort();
    sorted.dedup();
    sorted.len() == names.len() && names.len() >= 2
}

/// The generated name of the user of that index. Prefixes of each other and names that hold the separators
/// of joined keys come first, so that even the smallest plan has some.
pub fn user_name(index: u32) -> UserName {
    const AWKWARD: [&str; 6] =
        ["user-1", "user-10", "user-1_thread-1", "acme:alice", "acme", "user-1:thread-1"];
    match AWKWARD.get(index as usize) {
        Some(name) => UserName::new(name),
        None => UserName::new(format!("user-1{index:02}")),
    }
}

/// The name of the user of that index.
pub fn name(work: &ServerWork, index: u32) -> UserName {
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
pub fn id(work: &ServerWork, users: u32, index: u32, number: u32, equal: &str) -> String {
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
    pub fn with_names(mut self, names: Vec<UserName>) -> Result<Self, String> {
        if !are_users(&names) {
            return Err("it must name at least two users, each once".into());
        }
        self.names = names;
        Ok(self)
    }
}
