//! Drives a scenario of a test's own and reads what was recorded.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use partywall::campaign::budget::{Silent, Stop};
use partywall::campaign::repro::Repro;
use partywall::campaign::store::RunFolder;
use partywall::campaign::wire::shrink::ShrinkBudget;
use partywall::campaign::wire::{Driven, Rounds, drive_rounds};
use partywall::scenario::{Scenario, Target};
use partywall::swarm::transport::TargetUrl;
use partywall::swarm::{Allowance, Servers};
use partywall::trial::history::{History, Observation, What};
use partywall::trial::ids::UserName;
use partywall::trial::record::Level;

/// A scenario of `steered_chat`.
pub(crate) fn steered(say: &str, workload: &str) -> String {
    format!(
        r#"version = 1
name = "steered"
title = "A chat that is steered"
[target]
url = "http://127.0.0.1:1"
[identity]
headers = {{ authorization = "Bearer {{{{ user }}}}" }}
[start]
by = "message"
json = {{ op = "say", ref = "{{{{ request_id }}}}", body = "{{{{ prompt }}}}"{say} }}
[events]
connection = "websocket"
path = "/chat"
greeting = "welcome"
accepted = "accepted"
type = "/event"
run = "/job"
request = "/ref"
sequence = "/idx"
types = ["step"]
ends = ["final"]
ignore = ["error", "ask", "hello"]
resume = {{ job = "{{{{ run }}}}", after = "{{{{ cursor }}}}" }}
[controls]
stopped = {{ at = "/state", is = "stopped" }}
asks = "ask"
[controls.stop]
path = "/jobs/{{{{ run }}}}/stop"
[controls.approve]
json = {{ op = "approve", job = "{{{{ run }}}}" }}
[switch]
leave = {{ json = {{ op = "logout" }} }}
enter = {{ json = {{ op = "login", token = "{{{{ user }}}}" }} }}
until = "hello"
[workload]
bystander = false
sequential = false
{workload}
[limits]
run_seconds = 5
"#
    )
}

/// What a drive came to.
pub(crate) struct Came {
    pub(crate) level: Level,
    pub(crate) repros: Vec<Repro>,
    pub(crate) histories: Vec<History>,
}

pub(crate) fn scenario(text: &str) -> Scenario {
    Scenario::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Drives the scenario against that server.
pub(crate) fn drive(url: &str, text: &str) -> Came {
    drive_with(url, text, ShrinkBudget::NONE, 1, &Stop::default())
}

pub(crate) fn drive_with(
    url: &str,
    text: &str,
    shrink: ShrinkBudget,
    replays: u64,
    stop: &Stop,
) -> Came {
    let scenario = scenario(text);
    let allowance = Allowance::new(scenario.limits.requests, scenario.limits.runs_per_second);
    driven(url, &scenario, allowance, (shrink, replays), None, stop)
}

/// Drives the scenario as the side that must reach what that level did.
pub(crate) fn drive_after(url: &str, text: &str, before: &Level) -> Came {
    let allowance = Allowance::default();
    driven(url, &scenario(text), allowance, (ShrinkBudget::NONE, 0), Some(before), &Stop::default())
}

/// Drives the scenario with no more than so many requests and messages, which need not suffice.
pub(crate) fn drive_within(url: &str, text: &str, requests: u64) -> Came {
    let allowance = Allowance::new(Some(requests), None);
    driven(url, &scenario(text), allowance, (ShrinkBudget::NONE, 0), None, &Stop::default())
}

fn driven(
    url: &str,
    scenario: &Scenario,
    allowance: Allowance,
    (shrink, replays): (ShrinkBudget, u64),
    before: Option<&Level>,
    stop: &Stop,
) -> Came {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("workload-{}-{number}", std::process::id()));
    let folder = RunFolder::create(&home, "run", SystemTime::now()).expect("it can be written");
    let servers = Arc::new(Servers {
        urls: vec![TargetUrl::parse(url).expect("a URL")],
        allowance,
        ..Servers::default()
    });
    let target = Target::at(url);
    let mut rounds =
        Rounds::new(&scenario.wire, servers, target, 1, scenario.wire_rounds, &folder, stop);
    (rounds.shrink, rounds.replays, rounds.before) = (shrink, replays, before);
    let Driven { level, repros, .. } = drive_rounds(&rounds, &Silent).expect("it is driven");
    let mut histories = Vec::new();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder.path().join("histories"))
        .expect("there are histories")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(file).expect("a history");
        histories.push(History::from_file(&text).expect("a history"));
    }
    let _ = std::fs::remove_dir_all(home);
    Came { level, repros, histories }
}

impl Came {
    /// The codes of the oracles that found something.
    pub(crate) fn codes(&self) -> Vec<&'static str> {
        let mut codes: Vec<_> =
            self.level.findings.iter().map(|finding| finding.oracle.code()).collect();
        codes.dedup();
        codes
    }

    #[track_caller]
    pub(crate) fn is_clean(&self) {
        assert_eq!(self.level.findings, []);
        assert!(self.level.runs_completed > 0, "{:?}", self.level.reasons);
        assert_eq!(self.level.controls.judge.missed, [""; 0]);
    }

    #[track_caller]
    pub(crate) fn is_found_by(&self, code: &str) {
        assert!(self.codes().contains(&code), "{:#?}", self.level.findings);
    }
}

/// What that user did and saw, in order.
pub(crate) fn of<'h>(
    history: &'h History,
    user: &'h UserName,
) -> impl Iterator<Item = &'h Observation> {
    history.observations.iter().filter(move |seen| seen.by.as_ref() == Some(user))
}

/// Whether text came in with it that holds that.
pub(crate) fn holds(seen: &Observation, text: &str) -> bool {
    matches!(&seen.what, What::Received { raw } if raw.text().contains(text))
}
