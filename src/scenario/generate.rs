//! Plans from a workload and a seed: the one constructor, for campaigns and for property tests.

use std::sync::Arc;

use fastrand::Rng;

use super::checked::{Range, Workload};
use crate::trial::canary::CampaignKey;
use crate::trial::ids::{RequestId, ThreadId, UserName};
use crate::trial::plan::{Fault, FaultKind, PLAN_VERSION, Plan, RunPlan, Step, UserPlan, Via};
use crate::trial::protocol::Protocol;

/// One plan in that many carries the phantom's canaries (the path control); the first always does.
const PHANTOM_EVERY: u64 = 16;
/// In how many users' runs of a kind it rides at most in each round on the wire: what leaks may as
/// well swallow, and one that comes back shows the path. Of so many users one carries it, so that the
/// others' work is as it is without.
const CARRIERS: usize = 4;
const USERS_PER_CARRIER: usize = 4;

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
            let active = draw(&mut rng, self.users);
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
                Some(work) => super::server_names::name(work, active),
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

    fn user(&self, rng: &mut Rng, index: u32) -> UserPlan {
        if index == 0 && self.heavy_runs > 0 {
            return self.heavy_user(rng);
        }
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
        (0..draw(rng, self.faults)).map(|_| fault(rng)).collect()
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

pub(super) fn draw(rng: &mut Rng, range: Range) -> u32 {
    rng.u32(range.least..=range.most)
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

/// The name of the user of that index. Prefixes of each other and names that hold the separators
/// of joined keys come first, so that even the smallest plan has some.
pub(super) fn user_name(index: u32) -> UserName {
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
    fn each_round_on_the_wire_carries_the_path_control_in_several_users_runs() {
        let work = built_in("reference-golden-path").expect("valid").wire;
        let carriers =
            |plan: &Plan, via| plan.runs().filter(|(_, run)| run.phantom && run.via == via).count();
        for round in 0..4 {
            let plan = work.round(7, round);
            for via in [Via::Socket, Via::Http] {
                assert_eq!(carriers(&plan, via), CARRIERS, "round {round}");
            }
            let [without, same] = [plan, work.plan(7, round)].map(|mut plan| {
                for step in plan.users.iter_mut().flat_map(|user| &mut user.steps) {
                    if let Step::Start(run) = step {
                        run.phantom = false;
                    }
                }
                plan
            });
            assert_eq!(without, same, "nothing else is changed");
        }
        assert_eq!(carriers(&work.plan(7, 0), Via::Socket), 1);
        assert_eq!(carriers(&work.plan(7, 1), Via::Socket), 0);
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
