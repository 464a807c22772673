//! The work: every user connects, waits for the others, and runs one chat after the other.

use partywall::trial::canary::CampaignKey;
use partywall::trial::ids::UserName;
use partywall::trial::plan::{PLAN_VERSION, Plan, RunPlan, Step, UserPlan, Via};

pub(crate) fn chats(users: u32, runs: u16) -> Plan {
    Plan {
        version: PLAN_VERSION,
        scenario: "driving".into(),
        campaign: CampaignKey::from_seed(1),
        trial: 0,
        users: (0..users).map(|index| user(index, runs)).collect(),
        faults: Vec::new(),
        protocol: None,
    }
}

fn user(index: u32, runs: u16) -> UserPlan {
    let mut steps = vec![Step::Connect, Step::Barrier];
    for run in 1..=runs {
        steps.push(Step::Start(RunPlan {
            run,
            via: Via::Socket,
            thread: format!("thread-{run}").into(),
            request_id: format!("{run}").into(),
            agents: vec!["triage".into()],
            delays: Vec::new(),
            phantom: false,
            twists: Vec::new(),
        }));
        steps.push(Step::Await { run });
    }
    UserPlan { name: UserName::new(format!("user-{index}")), index, browser: None, steps }
}
