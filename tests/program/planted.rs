//! Leaks that the project does not know, in a server that it has never seen.

use partywall::trial::finding::FindingKind;
use partywall::trial::record::Record;
use partywall::trial::verdict::Outcome;

use crate::support::reports::{only_level, report};
use crate::support::toy::{Leak, serve};
use crate::support::{Scratch, ran};

fn driven(leak: Leak, code: i32) -> Record {
    let scratch = Scratch::new("planted");
    let url = serve(leak);
    let arguments = ["run", "--target", &url, "--users", "12", "--rounds", "2", "--no-fail-fast"];
    let shown = ran(&mut scratch.partywall(&arguments)).exits(code).stdout;
    let record = report(&scratch.run_folder("run"));
    assert_eq!(record.verdict == Outcome::Clean, shown.contains("CLEAN"), "{shown}");
    record
}

/// The crossings of what a user wrote, by where they were seen.
fn prompts_seen_on(record: &Record) -> Vec<&str> {
    let crossings = only_level(record).findings.iter().filter(|finding| {
        finding.kind == FindingKind::Crossing && finding.victim_operation.starts_with("prompt")
    });
    crossings.map(|finding| finding.observer_operation.as_str()).collect()
}

#[test]
fn an_event_that_goes_to_everybody_is_found() {
    let record = driven(Leak::Broadcast, 1);
    let crossings = prompts_seen_on(&record);
    assert!(crossings.contains(&"websocket"), "{crossings:?}");
    let events = only_level(&record).findings.iter().filter_map(|finding| finding.event.as_deref());
    assert!(events.clone().any(|event| event == "agent_thinking of triage"));
    // The bystander, who never wrote anything, sees it too.
    assert!(only_level(&record).trials == 2);
}

#[test]
fn an_answer_cache_keyed_by_thread_is_found() {
    let record = driven(Leak::AnswerCache, 1);
    let crossings = prompts_seen_on(&record);
    assert!(crossings.contains(&"http answer"), "{crossings:?}");
    assert!(!crossings.contains(&"websocket"), "{crossings:?}");
}

#[test]
fn the_same_server_without_a_leak_is_clean() {
    let record = driven(Leak::None, 0);
    let level = only_level(&record);
    assert!(level.findings.is_empty());
    assert_eq!(level.controls.planted, level.controls.caught);
    assert_eq!(level.runs_completed, level.runs_started);
}
