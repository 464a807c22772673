//! When users' connections ended, and what users were told that names no run.

use super::case::{Case, Start};

/// The type of a message by which a back end declines what it was asked.
const REFUSAL: &str = "error";

/// What a loss is judged against: when it was, in order, by the user's number.
pub(super) struct Interruptions {
    /// Each user's event connections ended.
    closings: Vec<Vec<u64>>,
    /// Users were told of an end, but not of which run.
    untold: Vec<Vec<u64>>,
    /// Users were refused something, but not what.
    refused: Vec<Vec<u64>>,
}

impl Interruptions {
    pub(super) fn of(case: &Case<'_>) -> Self {
        let mut closings = vec![Vec::new(); case.numbered_users()];
        let (mut untold, mut refused) = (closings.clone(), closings.clone());
        for connection in case.connections.iter().filter(|connection| connection.is_socket) {
            if let (Some(user), Some(closed)) = (connection.user_at, connection.closed) {
                closings[user].push(closed);
            }
        }
        closings.iter_mut().for_each(|closings| closings.sort_unstable());
        for message in case.messages.iter().filter(|message| message.run_at().is_none()) {
            let table = match case.kind(message) {
                _ if message.is_terminal => &mut untold,
                Some(REFUSAL) => &mut refused,
                _ => continue,
            };
            if let Some(user) = case.number_of_observer(message) {
                table[user].push(message.n);
            }
        }
        Self { closings, untold, refused }
    }

    /// Whether the run's user was told of an end in that time, but not of which run.
    pub(super) fn is_untold(&self, start: &Start<'_>, to: u64) -> bool {
        one_between(&self.untold[start.user_at], start.n, to)
    }

    /// Whether the run's user was refused something in that time, but not what.
    pub(super) fn is_refused(&self, start: &Start<'_>, to: u64) -> bool {
        one_between(&self.refused[start.user_at], start.n, to)
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
