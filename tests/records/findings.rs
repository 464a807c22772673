//! Two findings of the unmigrated reference back end.

use partywall::trial::finding::{Evidence, FindingKind, Fingerprint, OracleId};
use partywall::trial::plan::Via;
use partywall::trial::record::{FindingRecord, LevelName, Rate};

use super::{SCENARIO, folder};

/// bob sees alice's prompt.
pub(crate) fn crossing(level: LevelName) -> FindingRecord {
    let (victim_operation, observer_operation) = ("prompt of chat over websocket", "websocket");
    let wire = level == LevelName::Wire;
    let finding = FindingRecord {
        fingerprint: Fingerprint::of("", OracleId::Canary, FindingKind::Crossing, "", ""),
        oracle: OracleId::Canary,
        kind: FindingKind::Crossing,
        victim: "alice".into(),
        victim_run: Some(1),
        observer: "bob".into(),
        victim_operation: victim_operation.into(),
        victim_via: Some(Via::Socket),
        observer_operation: observer_operation.into(),
        summary: format!("bob saw data of alice ({victim_operation}) on {observer_operation}"),
        event: Some("agent_thinking of triage".into()),
        evidence: vec![
            Evidence { n: 4, shows: "alice starts run 1".into() },
            Evidence { n: 31, shows: "bob receives the prompt canary of alice's run 1".into() },
        ],
        chain: vec![
            "the process-wide factory was configured by alice at triage".into(),
            "it was reconfigured by bob at triage".into(),
            "it was used by alice at triage, and spoke to bob's socket".into(),
        ],
        mechanism: None,
        history: None,
        crossing: None,
        seen_in_trials: 17,
        first_trial: 1,
        reproduce_with: None,
        repro: None,
        repro_size: Some(String::from(if wire { "2 users" } else { "2 users, 2 deviations" })),
        reproduction_rate: wire.then_some(Rate { hit: 9, of: 10 }),
    };
    found_in(finding, "signoff", SCENARIO, level)
}

/// alice misses what bob saw.
pub(crate) fn loss(level: LevelName) -> FindingRecord {
    let (victim_operation, observer_operation) = ("chat over websocket", "websocket");
    let finding = FindingRecord {
        oracle: OracleId::Completeness,
        kind: FindingKind::Loss,
        observer: "alice".into(),
        summary: format!("alice lost events of {victim_operation} on {observer_operation}"),
        victim_operation: victim_operation.into(),
        observer_operation: observer_operation.into(),
        event: None,
        evidence: vec![
            Evidence { n: 4, shows: "alice starts run 1".into() },
            Evidence { n: 58, shows: "alice receives event 5; events 3 to 4 never come".into() },
        ],
        chain: vec![],
        seen_in_trials: 12,
        first_trial: 2,
        ..crossing(level)
    };
    found_in(finding, "signoff", SCENARIO, level)
}

/// The finding with the fingerprint and the files of that scenario and level, in that command's
/// run folder.
pub(super) fn found_in(
    found: FindingRecord,
    command: &str,
    scenario: &str,
    level: LevelName,
) -> FindingRecord {
    let FindingRecord { oracle, kind, ref victim_operation, ref observer_operation, .. } = found;
    let fingerprint = Fingerprint::of(scenario, oracle, kind, victim_operation, observer_operation);
    let repro = format!("repros/{}-{fingerprint}.json", level.as_str());
    let times = if level == LevelName::Wire { " --times 10" } else { "" };
    FindingRecord {
        fingerprint,
        reproduce_with: Some(format!("partywall replay {}/{repro}{times}", folder(command))),
        repro: Some(repro),
        ..found
    }
}
