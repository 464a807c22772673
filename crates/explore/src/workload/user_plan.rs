//! Plans for a described server: users who start together, some of whom go away.

use std::collections::BTreeSet;

use fastrand::Rng;

use super::names;
use super::spec::{ServerWork, Workload};
use super::strikes::{Strike, meddle};
use partywall_core::ids::{RequestId, ThreadId};
use partywall_core::plan::{RunPlan, Step, Twist, UserPlan, Via};

/// The round in which users work one after the other, so that what needs no race is found without.
const SEQUENTIAL: u64 = 1;
/// So many users are one row of a sequential round; rows go side by side.
const ROW: u32 = 5;

/// What a user does at a browser that another uses too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nothing: the browser is their own.
    Alone,
    /// Leaves it to the next.
    Before,
    /// Comes after the one before.
    After,
}

impl Workload {
    /// The users of one trial, without the bystander.
    pub(super) fn server_users(
        &self,
        rng: &mut Rng,
        trial: u64,
        work: &ServerWork,
    ) -> Vec<UserPlan> {
        let active = self.users.draw(rng);
        let sequential = work.sequential && trial == SEQUENTIAL;
        let mut users: Vec<UserPlan> = Vec::new();
        for index in 0..active {
            let place = match users.last() {
                Some(before) if before.browser == Some(index - 1) => Place::After,
                // The first user has all to themselves; the last has nobody after them.
                _ if index > 0 && index + 1 < active && rng.u8(0..100) < work.faults.switch => {
                    Place::Before
                }
                _ => Place::Alone,
            };
            let mut person = Person { load: self, work, rng, index, steps: Vec::new() };
            person.comes(active, sequential, place);
            person.works(trial, sequential, place);
            let steps = person.steps;
            let browser = match place {
                Place::Alone => None,
                Place::Before => Some(index),
                Place::After => Some(index - 1),
            };
            users.push(UserPlan { name: names::name(work, index), index, browser, steps });
        }
        if work.faults.equal > 0 && users.len() > 1 {
            pair_equal_messages(rng, &mut users);
        }
        meddle(rng, &mut users, work);
        users
    }
}

/// Lets at least two users say the same words in the run of one number, which has equal ids too: an
/// equal request that nobody else sends tries nothing. Where others are there, the first user is left
/// out, as is who would say nothing of their own then.
fn pair_equal_messages(rng: &mut Rng, users: &mut [UserPlan]) {
    let says_equal = |user: &UserPlan, number: u16| {
        user.runs().any(|run| run.run == number && run.has(Twist::EqualMessage))
    };
    let numbers: BTreeSet<u16> = users.iter().flat_map(UserPlan::runs).map(|run| run.run).collect();
    let speakers = |number: &u16| users.iter().filter(|user| says_equal(user, *number)).count();
    let Some(number) = numbers.into_iter().max_by_key(speakers) else { return };
    let lacking = 2_usize.saturating_sub(speakers(&number));
    let may_say = |at: &usize| {
        let user = &users[*at];
        let keeps_own = user.runs().count() > 1 || (*at > 0 && users.len() > 3);
        keeps_own && user.runs().any(|run| run.run == number && run.twists.is_empty())
    };
    let mut others: Vec<usize> = (0..users.len()).filter(may_say).collect();
    rng.shuffle(&mut others);
    others.sort_by_key(|at| *at == 0);
    for at in others.into_iter().take(lacking) {
        for step in &mut users[at].steps {
            if let Step::Start(run) = step
                && run.run == number
            {
                run.twists.push(Twist::EqualMessage);
            }
        }
    }
}

/// A user whose plan is being made.
pub(super) struct Person<'p> {
    pub(super) load: &'p Workload,
    pub(super) work: &'p ServerWork,
    pub(super) rng: &'p mut Rng,
    index: u32,
    pub(super) steps: Vec<Step>,
}

impl Person<'_> {
    /// Whether the event connection passes from one user to the next.
    fn passes_on(&self) -> bool {
        self.load.via[0] == Via::Socket && self.work.protocol.switch.is_some()
    }

    fn tabs(&self, place: Place) -> u8 {
        let several = self.index % 2 == 1 && place == Place::Alone;
        if several { self.work.faults.tabs } else { 1 }
    }

    /// Comes, and waits for the others or for the one before.
    fn comes(&mut self, active: u32, sequential: bool, place: Place) {
        let ramp = self.work.faults.ramp;
        if ramp > 0 && !sequential {
            let turns = u64::from(ramp) * u64::from(self.index) / u64::from(active.max(1));
            self.steps.push(Step::Pause { turns: u32::try_from(turns).unwrap_or(ramp) });
        }
        if place == Place::After && self.passes_on() {
            return self.steps.push(Step::TakeOver);
        }
        self.steps.push(Step::Connect);
        for tab in 1..self.tabs(place) {
            self.steps.push(Step::Tab { tab });
        }
        let next = sequential && !self.index.is_multiple_of(ROW);
        if place == Place::After || next {
            self.steps.push(Step::AwaitUser { user: self.index - 1 });
        } else if !sequential && ramp == 0 {
            self.steps.push(Step::Barrier);
        }
    }

    fn works(&mut self, trial: u64, sequential: bool, place: Place) {
        let tabs = u16::from(self.tabs(place));
        let leaves = place == Place::Before && self.passes_on();
        let mut open = Vec::new();
        for run in 1..=self.load.runs_per_user {
            if !sequential {
                let turns = self.load.start_delay.draw(self.rng);
                self.steps.push(Step::Pause { turns });
            }
            if tabs > 1 {
                self.steps.push(Step::Tab { tab: u8::try_from(run % tabs).unwrap_or(0) });
            }
            if self.strikes(self.work.faults.malformed) {
                self.steps.push(Step::Malformed);
            }
            let last = run == self.load.runs_per_user;
            let plan = self.run(run, trial);
            if last && leaves && self.rng.bool() {
                // What is under way for the former user must not come to the next.
                self.steps.push(Step::Start(plan));
                self.point(run);
                self.steps.extend([Step::HandOver, Step::Abandon { run }]);
                break;
            }
            match self.draw_strike() {
                Some(strike) => self.strike(strike, plan, &mut open),
                None => {
                    self.steps.push(Step::Start(plan));
                    open.push(run);
                }
            }
            if open.len() >= usize::from(self.work.parallel) {
                self.await_all(&mut open);
            }
        }
        self.await_all(&mut open);
        if leaves && !self.steps.contains(&Step::HandOver) {
            self.steps.push(Step::HandOver);
        }
    }

    /// Waits for the ends of those runs, approving each where runs are approved.
    pub(super) fn await_all(&mut self, open: &mut Vec<u16>) {
        if self.work.protocol.controls.approve.is_some() {
            self.steps.extend(open.iter().map(|&run| Step::Approve { run }));
        }
        self.steps.extend(open.drain(..).map(|run| Step::Await { run }));
    }

    /// Whether it does with that many of a hundred. Somebody must come through whole, or nothing
    /// would be shown: the first user does.
    pub(super) fn strikes(&mut self, percent: u8) -> bool {
        percent > 0 && self.index > 0 && self.rng.u8(0..100) < percent
    }

    fn draw_strike(&mut self) -> Option<Strike> {
        Strike::ALL.into_iter().find(|strike| {
            let percent = strike.percent(self.load, self.work);
            self.strikes(percent)
        })
    }

    fn run(&mut self, run: u16, trial: u64) -> RunPlan {
        let twists = match self.strikes(self.work.faults.equal) {
            true => vec![Twist::EqualMessage],
            false => Vec::new(),
        };
        let users = self.load.users.most + u32::from(self.load.bystander);
        let id =
            |number: u32, equal: String| names::id(self.work, users, self.index, number, &equal);
        RunPlan {
            run,
            via: self.load.via[0],
            // The same for all users; another in each trial, since one server may serve several.
            thread: ThreadId::new(id(0, format!("thread-of-{trial}"))),
            request_id: RequestId::new(id(run.into(), run.to_string())),
            agents: Vec::new(),
            delays: Vec::new(),
            phantom: false,
            twists,
        }
    }
}
