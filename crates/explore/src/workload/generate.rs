//! Plans from a workload and a seed: the one constructor, for campaigns and for property tests.

use std::sync::Arc;

use fastrand::Rng;

use super::names::{self, user_name};
use super::range::Range;
use super::spec::Workload;
use partywall_core::canary::CampaignKey;
use partywall_core::ids::{RequestId, ThreadId};
use partywall_core::plan::{Fault, FaultKind, PLAN_VERSION, Plan, RunPlan, Step, UserPlan, Via};
use partywall_core::protocol::Protocol;

/// One plan in that many carries the phantom's canaries (the path control); the first always does.
const PHANTOM_EVERY: u64 = 16;
/// In how many users' runs of a kind it rides at most in each round on the wire: what leaks may as
/// well swallow, and one that comes back shows the path. Of so many users one carries it, so that the
/// others' work is as it is without.
pub const CARRIERS: usize = 4;
const USERS_PER_CARRIER: usize = 4;

/// The number of the trial in which the first user is alone; no campaign has so many, and it is none
/// of those that carry the phantom.
const ALONE: u64 = u32::MAX as u64;

impl Workload {
    /// The plan of that trial in the campaign of that seed: the same arguments, the same plan.
    pub fn plan(&self, seed: u64, trial: u64) -> Plan {
        // Wrapping multiplication by an odd number keeps trials of one seed apart.
        let mut rng =
            Rng::with_seed(seed ^ trial.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut users = if let Some(work) = &self.server {
            self.server_users(&mut rng, trial, work)
        } else if self.mix {
            self.mixed_users(&mut rng, trial)
        } else {
            let active = self.users.draw(&mut rng);
            (0..active).map(|index| self.user(&mut rng, index)).collect()
        };
        if trial.is_multiple_of(PHANTOM_EVERY) {
            match self.mix {
                true => users.push(self.phantom_carrier(&mut rng, trial, index_after(&users))),
                false => carry_phantom(&mut users, 1),
            }
        }
        let active = index_after(&users);
        if self.bystander {
            let steps = vec![Step::Connect, Step::Barrier];
            let name = match &self.server {
                Some(work) => names::name(work, active),
                None => user_name(active),
            };
            users.push(UserPlan { name, index: active, browser: None, steps });
        }
        let faults = self.draw_faults(&mut rng, &users);
        Plan {
            version: PLAN_VERSION,
            scenario: self.scenario.clone(),
            campaign: CampaignKey::from_seed(seed),
            trial,
            users,
            faults,
            linger: 0,
            protocol: self.protocol(),
        }
    }

    /// How its users speak.
    pub(crate) fn protocol(&self) -> Arc<Protocol> {
        let own = self.server.as_ref().map(|work| Arc::clone(&work.protocol));
        own.unwrap_or_else(Protocol::reference)
    }

    /// The plan of that round on the wire. Rounds are few, and a part of a shared campaign may have
    /// one: so each carries the path control, and in several runs.
    pub fn round(&self, seed: u64, round: u64) -> Plan {
        let mut plan = self.plan(seed, round);
        if !self.mix {
            let carriers = (plan.users.len() / USERS_PER_CARRIER).clamp(1, CARRIERS);
            carry_phantom(&mut plan.users, carriers);
        }
        plan
    }

    /// The plan of the first user alone, who starts that many runs one after the other.
    pub fn alone(&self, seed: u64, runs: u16) -> Plan {
        self.few(seed, 1, runs)
    }

    /// The plan of the first users alone, each of whom starts that many runs one after the other; all
    /// begin at once, and none goes away.
    pub fn few(&self, seed: u64, users: u32, runs: u16) -> Plan {
        let none = Range { least: 0, most: 0 };
        let mut few = Self { bystander: false, mix: false, heavy_runs: 0, ..self.clone() };
        few.vanish_percent = 0;
        (few.start_delay, few.faults) = (none, none);
        few.runs_per_user = runs;
        few.users = Range { least: users, most: users };
        if let Some(work) = &mut few.server {
            (work.parallel, work.sequential) = (1, false);
            (work.faults.ramp, work.faults.equal) = (0, 0);
        }
        few.plan(seed, ALONE)
    }

    fn user(&self, rng: &mut Rng, index: u32) -> UserPlan {
        if index == 0 && self.heavy_runs > 0 {
            return self.heavy_user(rng);
        }
        let mut steps = vec![Step::Connect, Step::Barrier];
        for run in 1..=self.runs_per_user {
            steps.push(Step::Pause { turns: self.start_delay.draw(rng) });
            let plan = self.run(rng, run);
            let thread = plan.thread.clone();
            let vanishes = plan.via == Via::Socket && rng.u8(1..=100) <= self.vanish_percent;
            steps.push(Step::Start(plan));
            if vanishes {
                // From the first event to just before the last.
                let events = u32::try_from(self.agents.len()).unwrap_or(0) * 5 + 2;
                steps.push(Step::AwaitEvents { run, count: rng.u32(1..events) });
                steps.push(Step::Vanish);
                steps.push(Step::Connect);
            }
            steps.push(Step::Await { run });
            if rng.u8(0..4) == 0 {
                steps.push(Step::ReadThread { thread });
            }
            if rng.u8(0..4) == 0 {
                steps.push(Step::ReadRun { run });
            }
            if rng.u8(0..8) == 0 {
                steps.push(Step::Ping);
            }
        }
        UserPlan { name: user_name(index), index, browser: None, steps }
    }

    /// The first user, who starts many runs at once.
    fn heavy_user(&self, rng: &mut Rng) -> UserPlan {
        let mut steps = vec![Step::Connect, Step::Barrier];
        steps.extend((1..=self.heavy_runs).map(|run| Step::Start(self.run(rng, run))));
        steps.extend((1..=self.heavy_runs).map(|run| Step::Await { run }));
        UserPlan { name: user_name(0), index: 0, browser: None, steps }
    }

    /// Faults for users who have what they can strike, at a point that most runs come to.
    fn draw_faults(&self, rng: &mut Rng, users: &[UserPlan]) -> Vec<Fault> {
        let points = u32::try_from(self.agents.len()).unwrap_or(0) * 8 + 8;
        let fault = |rng: &mut Rng| {
            let user = &users[rng.usize(..users.len())];
            let has = |via: Via| user.runs().any(|run| run.via == via);
            let kinds = FaultKind::ALL.into_iter().filter(|kind| match kind {
                // A run whose approval is cut waits for ever, which is nobody's fault.
                FaultKind::Cancel => has(Via::Http) && !approves(user),
                FaultKind::TimeOut => has(Via::Http) || has(Via::Socket),
                FaultKind::Vanish => true,
            });
            let kinds: Vec<FaultKind> = kinds.collect();
            let kind = kinds[rng.usize(..kinds.len())];
            Fault { kind, user: user.name.clone(), at: rng.u32(1..=points) }
        };
        (0..self.faults.draw(rng)).map(|_| fault(rng)).collect()
    }

    fn run(&self, rng: &mut Rng, run: u16) -> RunPlan {
        let via = self.via[rng.usize(..self.via.len())];
        let stub_calls = 0..self.agents.len() * 3 + 1;
        let delays = stub_calls.map(|_| self.stub_delay.draw(rng)).collect();
        RunPlan {
            run,
            via,
            // The same for every user, and one thread for several runs of a user now and then.
            thread: ThreadId::new(if rng.u8(0..4) == 0 { "thread-2" } else { "thread-1" }),
            request_id: RequestId::new(run.to_string()),
            agents: self.agents.clone(),
            delays,
            phantom: false,
            twists: Vec::new(),
        }
    }
}

fn approves(user: &UserPlan) -> bool {
    user.steps.iter().any(|step| matches!(step, Step::Approve { .. }))
}

/// The index of the next user.
fn index_after(users: &[UserPlan]) -> u32 {
    u32::try_from(users.len()).unwrap_or(u32::MAX)
}

/// Puts the phantom's canary into the first run of each kind of so many users; of those that do
/// nothing odd, unless it is one only.
fn carry_phantom(users: &mut [UserPlan], carriers: usize) {
    for via in Via::ALL {
        let mut left = carriers;
        for user in users.iter_mut() {
            let of_kind = user.steps.iter_mut().find_map(|step| match step {
                Step::Start(run) if run.via == via && (carriers == 1 || run.twists.is_empty()) => {
                    Some(run)
                }
                _ => None,
            });
            let Some(run) = of_kind.filter(|_| left > 0) else { continue };
            run.phantom = true;
            left -= 1;
        }
    }
}
