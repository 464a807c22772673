//! Per-user limits: how many runs of one user go on at once.

use std::collections::{BTreeMap, VecDeque};
use std::task::Waker;

use super::lock;
use super::sync::Mutex;

/// Seats for the runs of every user. A waiting run keeps its place in the queue until it takes a
/// seat or is cancelled; a seat that comes free wakes the first in the queue.
#[derive(Debug)]
pub(crate) struct UserLimits<K> {
    seats: u32,
    users: Mutex<Users<K>>,
}

#[derive(Debug)]
struct Users<K> {
    next_ticket: u64,
    of: BTreeMap<K, Seats>,
}

#[derive(Debug, Default)]
struct Seats {
    taken: u32,
    queue: VecDeque<(u64, Waker)>,
}

impl<K: Ord + Clone> UserLimits<K> {
    /// Limits every user to that many seats.
    pub(crate) fn new(seats: u32) -> Self {
        Self { seats, users: Mutex::new(Users { next_ticket: 1, of: BTreeMap::new() }) }
    }

    /// Takes a seat if one is free and nobody waits before the ticket; else queues the waker under
    /// the ticket (a new one if there was none).
    pub(crate) fn acquire(&self, user: &K, ticket: &mut Option<u64>, waker: &Waker) -> bool {
        let mut users = lock(&self.users);
        let next_ticket = users.next_ticket;
        let seats = users.of.entry(user.clone()).or_default();
        let place = ticket.and_then(|own| seats.queue.iter().position(|(other, _)| *other == own));
        let ahead = place.unwrap_or(seats.queue.len());
        if seats.taken < self.seats && ahead == 0 {
            if place.is_some() {
                seats.queue.pop_front();
            }
            seats.taken += 1;
            *ticket = None;
            self.wake_first(seats);
            return true;
        }
        match place {
            Some(place) => seats.queue[place].1.clone_from(waker),
            None => {
                seats.queue.push_back((next_ticket, waker.clone()));
                *ticket = Some(next_ticket);
                users.next_ticket += 1;
            }
        }
        false
    }

    /// Gives a seat back.
    pub(crate) fn release(&self, user: &K) {
        let mut users = lock(&self.users);
        if let Some(seats) = users.of.get_mut(user) {
            seats.taken -= 1;
            self.wake_first(seats);
        }
        Self::tidy(&mut users, user);
    }

    /// Leaves the queue: the run was cancelled while it waited.
    pub(crate) fn leave_queue(&self, user: &K, ticket: u64) {
        let mut users = lock(&self.users);
        if let Some(seats) = users.of.get_mut(user) {
            seats.queue.retain(|(other, _)| *other != ticket);
            // The wake-up may have been for the one that left: pass it on.
            self.wake_first(seats);
        }
        Self::tidy(&mut users, user);
    }

    fn wake_first(&self, seats: &Seats) {
        if seats.taken < self.seats
            && let Some((_, waker)) = seats.queue.front()
        {
            waker.wake_by_ref();
        }
    }

    fn tidy(users: &mut Users<K>, user: &K) {
        if users.of.get(user).is_some_and(|seats| seats.taken == 0 && seats.queue.is_empty()) {
            users.of.remove(user);
        }
    }
}
