//! What goes otherwise than it should in the work against a server that a scenario describes.

use super::range::Range;
use partywall_core::plan::CursorKind;

/// Where a run is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Before the first byte of its answer.
    First,
    /// Somewhere in the middle.
    Middle,
    /// Just before its end.
    Last,
}

/// How far a run of this server goes, as it was learnt: plans are made from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learnt {
    /// The events of the shortest whole run.
    pub events: u32,
    /// The milliseconds that a run takes, in the median.
    pub millis: u32,
}

/// What goes otherwise than it should; percentages of a hundred runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// Milliseconds over which users come, one after the other; 0: they meet at a barrier.
    pub ramp: u32,
    /// Event connections of every second user.
    pub tabs: u8,
    /// Runs that the user goes away from.
    pub cancel: u8,
    /// Runs that are given up after a time.
    pub time_out: u8,
    /// That time, in milliseconds.
    pub time_out_after: Range,
    /// Where runs are cut.
    pub cut_at: Vec<Point>,
    /// What a user shows who comes back; none where they cannot.
    pub cursors: Vec<CursorKind>,
    /// Runs in which a new event connection is opened beside the old one.
    pub overlap: u8,
    /// How long both stand, in milliseconds.
    pub keep_old: Range,
    /// Pairs of users who share their connections.
    pub switch: u8,
    /// Runs in which nothing is read for a time.
    pub slow: u8,
    /// That time, in milliseconds.
    pub slow_for: Range,
    /// Runs with the words of others.
    pub equal: u8,
    /// Runs that are preceded by something malformed.
    pub malformed: u8,
    /// Runs that say far too much.
    pub oversize: u8,
    /// How much, in bytes.
    pub oversize_bytes: u32,
    /// Runs that are stopped by their user.
    pub stop: u8,
    /// Runs that another user tries to stop.
    pub stop_other: u8,
    /// Runs that another user tries to approve.
    pub approve_other: u8,
    /// How far runs go, once it is known.
    pub learnt: Option<Learnt>,
}

impl Faults {
    /// Whether plans become others once it is known how far runs go; `lost` of a hundred runs lose
    /// their connection.
    pub fn would_learn(&self, lost: u8) -> bool {
        let cut = [self.cancel, self.overlap, self.switch, self.stop, lost];
        let later = self.cut_at.iter().any(|point| *point != Point::First);
        self.learnt.is_none() && later && cut.iter().any(|percent| *percent > 0)
    }

    /// What plans do without, for the readers of a clean verdict; `lost` of a hundred runs lose their
    /// connection.
    pub fn left_out(&self, lost: u8) -> Vec<&'static str> {
        let all = [
            (self.cancel, "cancelled requests"),
            (self.time_out, "client time-outs"),
            (lost, "lost connections"),
            (self.overlap, "a new connection beside the old one"),
            (self.switch, "another user on the same connection"),
            (self.slow, "slow readers"),
            (self.equal, "equal messages"),
            (self.malformed, "malformed input"),
            (self.oversize, "oversize input"),
            (self.stop, "stops"),
            (self.stop_other, "stops by other users"),
        ];
        all.into_iter().filter(|(percent, _)| *percent == 0).map(|(_, what)| what).collect()
    }

    /// Requests and messages of one user at most, besides a request for each run and one
    /// connection with its set-up of that many steps.
    pub fn requests(&self, runs: u64, set_up: u64, disconnect: u8, approves: bool) -> u64 {
        let some = |percents: &[u8]| percents.iter().filter(|percent| **percent > 0).count() as u64;
        let one = some(&[self.malformed, self.stop, self.stop_other, self.approve_other]);
        let connections = some(&[self.overlap, self.oversize, disconnect]).min(1);
        let each = one + u64::from(approves) + connections * (1 + set_up);
        runs * each + u64::from(self.tabs - 1) * (1 + set_up) + u64::from(self.switch > 0)
    }
}
