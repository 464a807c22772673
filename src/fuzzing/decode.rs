//! Any bytes as a small plan, and as the choices of a strategy.

use super::bytes::Bytes;
use crate::trial::canary::CampaignKey;
use crate::trial::ids::{RequestId, ThreadId, UserName};
use crate::trial::plan::{PLAN_VERSION, Plan, RunPlan, Step, UserPlan, Via};
use crate::world::strategy::{Choice, Strategy, SwitchPoint};

/// Prefixes of each other and one with a separator, as in the plans of real campaigns.
const NAMES: [&str; 3] = ["user-1", "user-10", "user-1:thread-1"];

/// Steps of one user after the opening ones; small plans leave the fuzzer more of its input for the
/// schedule, which is where the leaks are.
const MOST_STEPS: usize = 8;

/// Runs that a user starts at most: fewer than the back end's limit for one user, so that none
/// waits for another.
const MOST_RUNS: u16 = 3;

/// The campaign of every fuzzed plan.
pub(super) fn campaign() -> CampaignKey {
    CampaignKey::from_seed(1)
}

/// The plan that the front of the input stands for; every input has one.
pub(super) fn plan(bytes: &mut Bytes<'_>) -> Plan {
    let users = 2 + bytes.below(2);
    let users = (0..users).map(|place| user(bytes, place)).collect();
    Plan {
        version: PLAN_VERSION,
        scenario: "fuzzed".into(),
        campaign: campaign(),
        trial: 0,
        users,
        faults: Vec::new(),
        linger: 0,
        protocol: crate::trial::protocol::Protocol::reference(),
    }
}

fn user(bytes: &mut Bytes<'_>, place: usize) -> UserPlan {
    let mut maker = StepMaker { started: 0, last: 0 };
    let mut steps = match bytes.below(4) {
        // Without a connection from the start, and without waiting for the others.
        3 => Vec::new(),
        2 => vec![Step::Connect],
        _ => vec![Step::Connect, Step::Barrier],
    };
    let count = bytes.below(MOST_STEPS + 1);
    steps.extend((0..count).map(|_| maker.step(bytes)));
    if maker.started > 0 {
        steps.push(Step::Await { run: maker.last });
    }
    UserPlan { name: UserName::new(NAMES[place]), index: place as u32, browser: None, steps }
}

struct StepMaker {
    started: u16,
    /// The run that was started last, which the steps after it are about.
    last: u16,
}

impl StepMaker {
    fn step(&mut self, bytes: &mut Bytes<'_>) -> Step {
        let run = self.last.max(1);
        match bytes.below(12) {
            0..=2 if self.started < MOST_RUNS => Step::Start(self.run(bytes)),
            0..=3 => Step::Await { run },
            4 => Step::Pause { turns: bytes.below(32) as u32 },
            5 => Step::AwaitEvents { run, count: bytes.below(14) as u32 },
            6 => Step::Vanish,
            7 => Step::Connect,
            8 => Step::Close,
            9 => Step::ReadRun { run },
            10 => Step::ReadThread { thread: thread(bytes) },
            _ => Step::Ping,
        }
    }

    fn run(&mut self, bytes: &mut Bytes<'_>) -> RunPlan {
        self.started += 1;
        self.last = self.started;
        let shape = bytes.next();
        let agents = match shape & 3 {
            0 => &["triage"][..],
            1 => &["triage", "data"],
            2 => &["reporting", "reporting"],
            // A run that fails, for there is no such agent.
            _ => &["triage", "nobody"],
        };
        RunPlan {
            run: self.started,
            via: if shape & 4 == 0 { Via::Socket } else { Via::Http },
            thread: thread(bytes),
            request_id: RequestId::new(self.started.to_string()),
            agents: agents.iter().map(|agent| (*agent).to_owned()).collect(),
            delays: (0..4).map(|_| bytes.below(8) as u32).collect(),
            phantom: shape & 8 != 0,
            twists: Vec::new(),
        }
    }
}

fn thread(bytes: &mut Bytes<'_>) -> ThreadId {
    ThreadId::new(bytes.pick(&["thread-1", "thread-2", "1"]))
}

/// Chooses by the rest of the input, a byte for each switch point: that many places after the
/// default choice, so that zeros, and the end of the input, are the default policy.
pub(super) struct ByBytes<'d>(pub(super) Bytes<'d>);

impl Strategy for ByBytes<'_> {
    fn choose(&mut self, at: &SwitchPoint<'_>) -> Choice {
        if self.0.is_empty() {
            return Choice::Ready(at.default);
        }
        Choice::Ready((at.default + usize::from(self.0.next())) % at.ready.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_is_a_plan_that_can_be_driven() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut steps = std::collections::BTreeSet::new();
        for length in 0..400 {
            let data: Vec<u8> = (0..length).map(|_| rng.u8(..)).collect();
            let plan = plan(&mut Bytes::new(&data));
            assert_eq!(plan.check(), Ok(()), "{plan:?}");
            assert!((2..=3).contains(&plan.users.len()));
            let named = plan.users.iter().flat_map(|user| &user.steps).map(|step| {
                let text = format!("{step:?}");
                text.split([' ', '(']).next().map(str::to_owned)
            });
            steps.extend(named);
        }
        assert_eq!(steps.len(), 11, "a kind of step never comes: {steps:?}");
    }
}
