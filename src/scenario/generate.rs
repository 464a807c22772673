//! Plans from a workload and a seed: the one constructor, for campaigns and for property tests.

use fastrand::Rng;

use super::checked::{Range, Workload};
use crate::trial::canary::CampaignKey;
use crate::trial::ids::{RequestId, ThreadId, UserName};
use crate::trial::plan::{PLAN_VERSION, Plan, RunPlan, Step, UserPlan, Via};

/// One plan in that many carries the phantom's canaries (the path control); the first always does.
const PHANTOM_EVERY: u64 = 16;

impl Workload {
    /// The plan of that trial in the campaign of that seed: the same arguments, the same plan.
    pub fn plan(&self, seed: u64, trial: u64) -> Plan {
        // Wrapping multiplication by an odd number keeps trials of one seed apart.
        let mut rng =
            Rng::with_seed(seed ^ trial.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let active = draw(&mut rng, self.users);
        let mut users: Vec<UserPlan> =
            (0..active).map(|index| self.user(&mut rng, index)).collect();
        if trial.is_multiple_of(PHANTOM_EVERY) {
            carry_phantom(&mut users);
        }
        if self.bystander {
            let steps = vec![Step::Connect, Step::Barrier];
            users.push(UserPlan { name: user_name(active), index: active, steps });
        }
        Plan {
            version: PLAN_VERSION,
            scenario: self.scenario.clone(),
            campaign: CampaignKey::from_seed(seed),
            trial,
            users,
        }
    }

    fn user(&self, rng: &mut Rng, index: u32) -> UserPlan {
        let mut steps = vec![Step::Connect, Step::Barrier];
        for run in 1..=self.runs_per_user {
            steps.push(Step::Pause { turns: draw(rng, self.start_delay) });
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
        UserPlan { name: user_name(index), index, steps }
    }

    fn run(&self, rng: &mut Rng, run: u16) -> RunPlan {
        let via = self.via[rng.usize(..self.via.len())];
        let stub_calls = 0..self.agents.len() * 3 + 1;
        let delays = stub_calls.map(|_| draw(rng, self.stub_delay)).collect();
        RunPlan {
            run,
            via,
            // The same for every user, and one thread for several runs of a user now and then.
            thread: ThreadId::new(if rng.u8(0..4) == 0 { "thread-2" } else { "thread-1" }),
            request_id: RequestId::new(run.to_string()),
            agents: self.agents.clone(),
            delays,
            phantom: false,
        }
    }
}

fn draw(rng: &mut Rng, range: Range) -> u32 {
    rng.u32(range.least..=range.most)
}

/// Puts the phantom's canary into the first run of each kind.
fn carry_phantom(users: &mut [UserPlan]) {
    for via in [Via::Socket, Via::Http] {
        let runs =
            users.iter_mut().flat_map(|user| &mut user.steps).filter_map(|step| match step {
                Step::Start(run) if run.via == via => Some(run),
                _ => None,
            });
        if let Some(first) = runs.into_iter().next() {
            first.phantom = true;
        }
    }
}

/// The name of the user of that index. Prefixes of each other and names that hold the separators
/// of joined keys come first, so that even the smallest plan has some.
fn user_name(index: u32) -> UserName {
    const AWKWARD: [&str; 6] =
        ["user-1", "user-10", "user-1_thread-1", "acme:alice", "acme", "user-1:thread-1"];
    match AWKWARD.get(index as usize) {
        Some(name) => UserName::new(name),
        None => UserName::new(format!("user-1{index:02}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::built_in;
    use super::*;

    #[test]
    fn plans_depend_on_seed_and_trial_only() {
        let work = built_in("reference-golden-path").expect("valid").explore;
        assert_eq!(work.plan(7, 3), work.plan(7, 3));
        assert_ne!(work.plan(7, 3), work.plan(7, 4));
        assert_ne!(work.plan(7, 3), work.plan(8, 3));
    }

    #[test]
    fn user_names_are_unique_and_some_are_prefixes_of_others() {
        let names: Vec<UserName> = (0..5_000).map(user_name).collect();
        let mut sorted = names.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), names.len());
        assert!(names[1].as_str().starts_with(names[0].as_str()));
    }
}
