//! The work: every user connects, waits for the others, and runs one chat after the other.

use partywall::scenario::Scenario;
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
        linger: 0,
        protocol: partywall::trial::protocol::Protocol::reference(),
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

/// The same protocol, told as that of a server of somebody's own.
const OWN_SERVER: &str = r#"
version = 1
name = "driving-own-server"
title = "Idle users of a server of somebody's own"
[target]
url = "http://127.0.0.1:1"
[identity]
headers = { authorization = "Bearer key-{{ user }}" }
[start]
by = "message"
json = { type = "chat", message = "{{ prompt }}", thread_id = "{{ thread }}", request_id = "{{ request_id }}" }
[events]
connection = "websocket"
path = "/ws"
greeting = "connection_established"
accepted = "run_accepted"
type = "/type"
user = "/user_id"
thread = "/thread_id"
run = "/run_id"
sequence = "/sequence"
agent = "/agent_name"
request = "/request_id"
types = ["agent_started", "agent_thinking", "agent_completed"]
ends = [{ type = "agent_completed", agent = "supervisor" }]
[workload]
users = 2
"#;

/// The same users, of a server of somebody's own.
pub(crate) fn of_own_server(mut plan: Plan) -> Plan {
    let scenario = Scenario::parse(OWN_SERVER).expect("a scenario");
    plan.protocol = scenario.wire.plan(1, 0).protocol;
    plan
}
