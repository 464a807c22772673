//! When users' connections ended, and what users were told that names no run.

use std::collections::BTreeMap;

use super::case::{Case, Start};
use super::keys::Key;
use partywall_core::ids::UserName;

/// The type of a message by which a back end declines what it was asked.
const REFUSAL: &str = "error";

/// What a loss is judged against.
pub(super) struct Interruptions<'c> {
    /// When each user's event connections ended, in order, by the user's number.
    closings: Vec<Vec<u64>>,
    /// When users were told of an end, but not of which run.
    pub(super) untold: BTreeMap<Key<'c>, Vec<u64>>,
    /// When users were refused something, but not what.
    pub(super) refused: BTreeMap<Key<'c>, Vec<u64>>,
}

impl<'c> Interruptions<'c> {
    pub(super) fn of(case: &'c Case<'_>) -> Self {
        let mut closings = vec![Vec::new(); case.numbered_users()];
        for connection in case.connections.iter().filter(|connection| connection.is_socket) {
            if let (Some(user), Some(closed)) = (connection.user_at, connection.closed) {
                closings[user].push(closed);
            }
        }
        closings.iter_mut().for_each(|closings| closings.sort_unstable());
        let mut untold: BTreeMap<Key<'_>, Vec<u64>> = BTreeMap::new();
        let mut refused: BTreeMap<Key<'_>, Vec<u64>> = BTreeMap::new();
        for message in case.messages.iter().filter(|message| message.run_at().is_none()) {
            let table = match case.kind(message) {
                _ if message.is_terminal => &mut untold,
                Some(REFUSAL) => &mut refused,
                _ => continue,
            };
            table.entry(Key::of(message.observer.as_str())).or_default().push(message.n);
        }
        Self { closings, untold, refused }
    }

    pub(super) fn any_between(
        table: &BTreeMap<Key<'_>, Vec<u64>>,
        user: &UserName,
        from: u64,
        to: u64,
    ) -> bool {
        table.get(&Key::of(user.as_str())).is_some_and(|numbers| one_between(numbers, from, to))
    }

    /// Whether one of the user's connections ended in that time: what is missing may have been on
    /// its way there.
    pub(super) fn is_cut(&self, case: &Case<'_>, start: &Start<'_>, to: u64) -> bool {
        let dead = start.line.and_then(|line| case.connections[line].closed);
        dead.is_some_and(|closed| closed < to)
            || one_between(&self.closings[start.user_at], start.n, to)
    }
}

/// Whether one of those numbers, which ascend, lies between the two.
fn one_between(numbers: &[u64], from: u64, to: u64) -> bool {
    let next = numbers.partition_point(|&n| n <= from);
    numbers.get(next).is_some_and(|&n| n < to)
}
