//! What strikes a run of a described server, and what users do to each other's runs.

use fastrand::Rng;

use super::faults::{Learnt, Point};
use super::spec::{ServerWork, Workload};
use super::user_plan::Person;
use partywall_core::plan::{ControlAction, RunPlan, Step, Twist, UserPlan, Via};

/// The most events that are waited for before a run is cut, where it is not known how many it has.
const MOST_EVENTS: u32 = 6;
/// Milliseconds up to which a run that is answered whole is cut, where it is not known how long one
/// takes.
const MOST_MILLIS: u32 = 30;
/// Milliseconds for which a user holds their approval back, so that another's comes first.
const HELD_BACK: u32 = 300;

/// What strikes a run; of several the first does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strike {
    /// The user goes away from it.
    Cancel,
    /// The user gives it up after a time.
    TimeOut,
    /// The event connection is lost.
    Disconnect,
    /// A new event connection is opened beside the old one.
    Overlap,
    /// Nothing is read for a time.
    Slow,
    /// It says far too much.
    Oversize,
    /// The user stops it.
    Stop,
}

impl Strike {
    /// All of them, in the order in which they are drawn.
    pub(super) const ALL: [Self; 7] = [
        Self::Cancel,
        Self::TimeOut,
        Self::Disconnect,
        Self::Overlap,
        Self::Slow,
        Self::Oversize,
        Self::Stop,
    ];

    /// Of how many of a hundred runs.
    pub(super) fn percent(self, load: &Workload, work: &ServerWork) -> u8 {
        let faults = &work.faults;
        match self {
            Self::Cancel => faults.cancel,
            Self::TimeOut => faults.time_out,
            Self::Disconnect => load.vanish_percent,
            Self::Overlap => faults.overlap,
            Self::Slow => faults.slow,
            Self::Oversize => faults.oversize,
            Self::Stop => faults.stop,
        }
    }
}

impl Person<'_> {
    /// Starts the run and lets that befall it. Runs that go on are given up where the connection
    /// goes that they came on.
    pub(super) fn strike(&mut self, strike: Strike, mut plan: RunPlan, open: &mut Vec<u16>) {
        let (run, faults) = (plan.run, &self.work.faults);
        if strike == Strike::Oversize {
            plan.twists.push(Twist::Oversize { bytes: faults.oversize_bytes });
        }
        self.steps.push(Step::Start(plan));
        match strike {
            Strike::Cancel => {
                self.point(run);
                self.steps.push(Step::Abandon { run });
            }
            Strike::TimeOut => {
                let turns = faults.time_out_after.draw(self.rng);
                self.steps.extend([Step::Pause { turns }, Step::Abandon { run }]);
            }
            Strike::Disconnect => {
                self.point(run);
                let cursor = self.rng.choice(&faults.cursors).copied();
                match cursor {
                    Some(cursor) => self.steps.push(Step::Resume { run, cursor }),
                    None => self.steps.extend([Step::Vanish, Step::Connect]),
                }
                self.gives_up(run, open);
            }
            Strike::Overlap => {
                self.point(run);
                let keep = faults.keep_old.draw(self.rng);
                self.steps.push(Step::Reconnect { keep });
                self.gives_up(run, open);
            }
            Strike::Slow => {
                let turns = faults.slow_for.draw(self.rng);
                self.steps.push(Step::StopReading { turns });
                open.push(run);
            }
            Strike::Oversize if self.load.via[0] == Via::Socket => {
                // It ends, is refused, or costs the connection; nobody can say which.
                self.steps.push(Step::AwaitEvents { run, count: u32::MAX });
                self.gives_up(run, open);
                self.steps.push(Step::Connect);
            }
            Strike::Oversize => {
                self.steps.extend([Step::Await { run }, Step::Abandon { run }]);
            }
            Strike::Stop => {
                self.point(run);
                self.steps.push(Step::Stop { run });
                open.push(run);
            }
        }
    }

    fn gives_up(&mut self, run: u16, open: &mut Vec<u16>) {
        self.steps.extend(open.drain(..).chain([run]).map(|run| Step::Abandon { run }));
    }

    /// Waits for a point of the run at which something may be cut.
    pub(super) fn point(&mut self, run: u16) {
        let points = &self.work.faults.cut_at;
        let at = points[self.rng.usize(..points.len())];
        let learnt = self.work.faults.learnt;
        let whole = self.load.via[0] == Via::Http;
        let step = match (at, whole) {
            (Point::First, _) => Step::Pause { turns: self.rng.u32(0..3) },
            (Point::Middle, true) => {
                let most = learnt.map_or(MOST_MILLIS, |learnt| learnt.millis * 3 / 4);
                Step::Pause { turns: self.rng.u32(1..=most.max(1)) }
            }
            (Point::Middle, false) => {
                let most = learnt.map_or(MOST_EVENTS, |learnt| learnt.events.saturating_sub(2));
                Step::AwaitEvents { run, count: self.rng.u32(1..=most.max(1)) }
            }
            (Point::Last, true) => {
                let millis = learnt.map_or(MOST_MILLIS, |learnt| learnt.millis);
                Step::Pause { turns: millis.saturating_sub(self.rng.u32(0..4)) }
            }
            (Point::Last, false) => {
                let events = learnt.map_or(MOST_EVENTS, |Learnt { events, .. }| events);
                Step::AwaitEvents { run, count: events.saturating_sub(1).max(1) }
            }
        };
        self.steps.push(step);
    }
}

/// Lets some users ask that something be done to a run of the user before them, while both work.
pub(super) fn meddle(rng: &mut Rng, users: &mut [UserPlan], work: &ServerWork) {
    for (percent, action) in [
        (work.faults.stop_other, ControlAction::Stop),
        (work.faults.approve_other, ControlAction::Approve),
    ] {
        for place in (1..users.len()).filter(|_| percent > 0) {
            let (before, from) = users.split_at_mut(place);
            let (other, own) = (&mut before[place - 1], &mut from[0]);
            for run in other.runs().map(|run| run.run).collect::<Vec<_>>() {
                if rng.u8(0..100) >= percent {
                    continue;
                }
                let started = |step: &Step| matches!(step, Step::Start(own) if own.run == run);
                let Some(at) = own.steps.iter().position(started) else { continue };
                if action == ControlAction::Approve {
                    let approves = |step: &Step| *step == Step::Approve { run };
                    let Some(held) = other.steps.iter().position(approves) else { continue };
                    other.steps.insert(held, Step::Pause { turns: HELD_BACK });
                }
                let meddles = Step::ControlOther { action, user: other.index, run };
                own.steps.insert(at + 1, meddles);
            }
        }
    }
}
