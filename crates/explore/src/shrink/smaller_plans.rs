//! Plans that are one part smaller than another.

use partywall_core::plan::{Plan, RunPlan, Step, Twist, UserPlan, Via};

/// Whether every run that waits for an approval is given one once its events have begun: without it,
/// and before the back end has named the run, no back end ends it, and the finding would be of the
/// plan.
pub fn all_approved(plan: &Plan) -> bool {
    plan.users.iter().all(|user| {
        let approved = |run: u16| {
            let mut steps = user.steps.iter();
            let begun = |step: &Step| matches!(step, Step::AwaitEvents { run: own, count: 1.. } if *own == run);
            steps.any(|step| matches!(step, Step::Start(own) if own.run == run))
                && steps.any(begun)
                && steps.any(|step| matches!(step, Step::Approve { run: own } if *own == run))
        };
        user.runs().all(|run| !run.has(Twist::Approval) || approved(run.run))
    })
}

/// Every plan that is one part smaller: a user, a fault, a step, an agent, a delay.
pub fn smaller_plans(plan: &Plan) -> Vec<Plan> {
    let mut smaller = Vec::new();
    let mut with = |change: &dyn Fn(&mut Plan)| {
        let mut candidate = plan.clone();
        change(&mut candidate);
        if candidate != *plan && all_approved(&candidate) {
            smaller.push(candidate);
        }
    };
    for user in 0..plan.users.len() {
        with(&|plan| {
            let gone = plan.users.remove(user).name;
            plan.faults.retain(|fault| fault.user != gone);
        });
    }
    for fault in 0..plan.faults.len() {
        with(&|plan| {
            plan.faults.remove(fault);
        });
    }
    // Steps that only make sense together: who waits at a barrier alone waits for nobody.
    with(&|plan| {
        plan.users.iter_mut().for_each(|user| user.steps.retain(|step| !only_waits(step)));
    });
    with(&|plan| {
        let is_barrier = |step: &Step| matches!(step, Step::Barrier);
        plan.users.iter_mut().for_each(|user| user.steps.retain(|step| !is_barrier(step)));
    });
    for (user, who) in plan.users.iter().enumerate() {
        with(&|plan| plan.users[user].steps.retain(|step| !only_waits(step)));
        if let Some(run) = who.runs().find(|run| run.via == Via::Socket) {
            with(&|plan| over_http(&mut plan.users[user], run.run));
        }
    }
    for (user, who) in plan.users.iter().enumerate() {
        for (step, what) in who.steps.iter().enumerate() {
            // Without its start, a run has nothing to wait for either.
            match what {
                Step::Start(run) => with(&|plan| {
                    let number = run.run;
                    plan.users[user].steps.retain(|step| !concerns(step, number));
                }),
                _ => with(&|plan| {
                    plan.users[user].steps.remove(step);
                }),
            }
        }
    }
    for (user, who) in plan.users.iter().enumerate() {
        for (step, what) in who.steps.iter().enumerate() {
            let Step::Start(run) = what else { continue };
            if run.agents.len() > 1 {
                with(&|plan| edit_run(plan, user, step, |run| run.agents.truncate(1)));
            }
            if run.delays != [0] {
                with(&|plan| edit_run(plan, user, step, |run| run.delays = vec![0]));
            }
            if run.phantom {
                with(&|plan| edit_run(plan, user, step, |run| run.phantom = false));
            }
        }
    }
    smaller
}

/// Whether the step only lets time pass.
pub fn only_waits(step: &Step) -> bool {
    matches!(
        step,
        Step::Barrier | Step::Pause { .. } | Step::Await { .. } | Step::AwaitEvents { .. }
    )
}

/// Starts the run over HTTP, whose answer is its end, so that nothing else need be done for it. The
/// connection stays: opening it takes its time, and whether it is needed the next candidate says.
pub(super) fn over_http(user: &mut UserPlan, number: u16) {
    user.steps.retain(|step| matches!(step, Step::Start(_)) || !concerns(step, number));
    for step in &mut user.steps {
        if let Step::Start(run) = step
            && run.run == number
        {
            run.via = Via::Http;
        }
    }
}

/// Whether the step is about that run of its user.
pub fn concerns(step: &Step, number: u16) -> bool {
    match step {
        Step::Start(run) => run.run == number,
        Step::AwaitEvents { run, .. }
        | Step::Await { run }
        | Step::ReadRun { run }
        | Step::Abandon { run }
        | Step::Stop { run }
        | Step::Approve { run }
        | Step::Resume { run, .. } => *run == number,
        _ => false,
    }
}

fn edit_run(plan: &mut Plan, user: usize, step: usize, edit: impl Fn(&mut RunPlan)) {
    if let Step::Start(run) = &mut plan.users[user].steps[step] {
        edit(run);
    }
}
