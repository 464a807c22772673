//! Runs a schedule twice and tells whether the second run came by the same switch points.
//!
//! What differs is nondeterminism of the back end or of the harness, never a leak: something draws
//! on a clock, on randomness or on the order of an unordered map.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use super::switch_point::{Choice, Mark, Strategy, SwitchPoint};
use partywall_core::ids::TaskName;

/// The first run: another strategy chooses, and its switch points are remembered.
pub struct Twice<'s> {
    inner: &'s mut dyn Strategy,
    points: Vec<Point>,
}

/// The second run: the same choices, as long as the switch points are the same.
#[derive(Debug)]
pub struct Again {
    points: std::vec::IntoIter<Point>,
    parted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Point {
    seen: u64,
    choice: Choice,
}

impl<'s> Twice<'s> {
    /// Remembers what that strategy comes by.
    pub fn new(inner: &'s mut dyn Strategy) -> Self {
        Self { inner, points: Vec::new() }
    }

    /// The second run.
    pub fn again(self) -> Again {
        Again { points: self.points.into_iter(), parted: false }
    }
}

impl std::fmt::Debug for Twice<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Twice({} switch points)", self.points.len())
    }
}

impl Again {
    /// Whether the two runs parted. Looked at after the trial: it must also have come to an end.
    pub fn parted(&self) -> bool {
        self.parted || self.points.len() > 0
    }
}

impl Strategy for Twice<'_> {
    fn choose(&mut self, at: &SwitchPoint<'_>) -> Choice {
        let choice = self.inner.choose(at);
        self.points.push(Point { seen: seen(at), choice });
        choice
    }

    fn looks_at_marks(&self) -> bool {
        self.inner.looks_at_marks()
    }

    fn reached(&mut self, task: &TaskName, mark: Mark) {
        self.inner.reached(task, mark);
    }
}

impl Strategy for Again {
    fn choose(&mut self, at: &SwitchPoint<'_>) -> Choice {
        match self.points.next() {
            Some(point) if point.seen == seen(at) => point.choice,
            _ => {
                self.parted = true;
                Choice::Diverged(0)
            }
        }
    }
}

/// All that a strategy can see of a switch point, as one number.
fn seen(at: &SwitchPoint<'_>) -> u64 {
    let mut hasher = SipHasher13::new();
    for name in at.ready.iter().map(|&task| &at.names[task]).chain([at.after]) {
        hasher.write(name.as_str().as_bytes());
        hasher.write_u8(0xFF);
    }
    hasher.write_u64(at.step);
    hasher.write_usize(at.default);
    hasher.finish()
}
