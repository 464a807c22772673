//! Plans for a server of somebody's own: users who start together, some of whom go away.

use fastrand::Rng;

use super::checked::Workload;
use super::generate::draw;
use super::server::ServerWork;
use super::server_names;
use crate::trial::ids::{RequestId, ThreadId};
use crate::trial::plan::{CursorKind, RunPlan, Step, UserPlan, Via};

/// The round in which users work one after the other, so that what needs no race is found without.
const SEQUENTIAL: u64 = 1;
/// So many users are one row of a sequential round; rows go side by side.
const ROW: u32 = 5;
/// The most events that are waited for before a run is cut.
const MOST_EVENTS: u32 = 6;

impl Workload {
    /// The users of one trial, without the bystander.
    pub(super) fn server_users(
        &self,
        rng: &mut Rng,
        trial: u64,
        work: &ServerWork,
    ) -> Vec<UserPlan> {
        let active = draw(rng, self.users);
        let sequential = work.sequential && trial == SEQUENTIAL;
        (0..active).map(|index| self.server_user(rng, index, trial, sequential, work)).collect()
    }

    fn server_user(
        &self,
        rng: &mut Rng,
        index: u32,
        trial: u64,
        sequential: bool,
        work: &ServerWork,
    ) -> UserPlan {
        let mut steps = vec![Step::Connect];
        match sequential {
            true if !index.is_multiple_of(ROW) => steps.push(Step::AwaitUser { user: index - 1 }),
            true => {}
            false => steps.push(Step::Barrier),
        }
        let mut open = Vec::new();
        for run in 1..=self.runs_per_user {
            if !sequential {
                steps.push(Step::Pause { turns: draw(rng, self.start_delay) });
            }
            // Somebody must come through whole, or nothing would be shown.
            let strikes = |rng: &mut Rng, percent: u8| index > 0 && rng.u8(0..100) < percent;
            if self.via[0] == Via::Socket && strikes(rng, work.malformed_percent) {
                steps.push(Step::Malformed);
            }
            steps.push(Step::Start(self.server_run(work, index, run, trial)));
            if strikes(rng, work.cancel_percent) {
                steps.extend(point(rng, run));
                steps.push(Step::Abandon { run });
            } else if strikes(rng, self.vanish_percent) {
                steps.extend(point(rng, run));
                let resumes = work.protocol.events.as_ref().is_some_and(|on| !on.resume.is_empty());
                if resumes {
                    let kinds = [CursorKind::Own, CursorKind::Foreign, CursorKind::Nonsense];
                    let cursor = kinds[rng.usize(..kinds.len())];
                    steps.push(Step::Resume { run, cursor });
                } else {
                    steps.extend([Step::Vanish, Step::Connect]);
                }
                steps.push(Step::Abandon { run });
            } else {
                open.push(run);
            }
            if open.len() >= usize::from(work.parallel) {
                steps.extend(open.drain(..).map(|run| Step::Await { run }));
            }
        }
        steps.extend(open.into_iter().map(|run| Step::Await { run }));
        UserPlan { name: server_names::name(work, index), index, browser: None, steps }
    }

    fn server_run(&self, work: &ServerWork, index: u32, run: u16, trial: u64) -> RunPlan {
        let users = self.users.most + u32::from(self.bystander);
        let id = |number: u32, equal: String| server_names::id(work, users, index, number, &equal);
        RunPlan {
            run,
            via: self.via[0],
            // The same for all users; another in each trial, since one server may serve several.
            thread: ThreadId::new(id(0, format!("thread-of-{trial}"))),
            request_id: RequestId::new(id(run.into(), run.to_string())),
            agents: Vec::new(),
            delays: Vec::new(),
            phantom: false,
            twists: Vec::new(),
        }
    }
}

/// A point of a run at which something may be cut: before its first byte, or after some events.
fn point(rng: &mut Rng, run: u16) -> Vec<Step> {
    match rng.u32(0..3) {
        0 => vec![Step::Pause { turns: rng.u32(0..3) }],
        _ => vec![Step::AwaitEvents { run, count: rng.u32(1..=MOST_EVENTS) }],
    }
}
