//! What is drawn of the trial in which bob sees alice's prompt.

use partywall::trial::plan::Via;
use partywall::trial::record::Level;
use partywall::trial::timeline::{Crossing, Mark, MarkKind, RunBar, RunEnd, TimeUnit, Timeline};

const HISTORY: &str = "histories/explore-reference-golden-path.jsonl";

fn mark(n: u64, lane: u32, what: MarkKind, label: u32) -> Mark {
    Mark { n, at: n * 2, lane, what, label, run: Some(1), owner: None }
}

/// Two users, a run each, and the event that left through the wrong socket.
pub(crate) fn timeline() -> Timeline {
    let run = |lane, from, to, end| RunBar { lane, run: 1, via: Via::Socket, from, to, end };
    let foreign = Mark { owner: Some(0), ..mark(31, 1, MarkKind::Received, 3) };
    Timeline {
        history: HISTORY.into(),
        unit: TimeUnit::Step,
        observations: 64,
        left_out: 0,
        lanes: vec!["alice".into(), "bob".into()],
        labels: [
            "starts run 1: chat over websocket",
            "the process-wide factory is configured",
            "emits agent_thinking of triage",
            "agent_thinking of triage",
        ]
        .map(String::from)
        .to_vec(),
        runs: vec![run(0, 4, 58, RunEnd::Lost), run(1, 9, 60, RunEnd::Completed)],
        marks: vec![
            mark(4, 0, MarkKind::Start, 0),
            mark(6, 0, MarkKind::Internal, 1),
            mark(9, 1, MarkKind::Start, 0),
            mark(12, 1, MarkKind::Internal, 1),
            mark(30, 0, MarkKind::Emitted, 2),
            foreign,
            mark(58, 0, MarkKind::Received, 3),
            mark(60, 1, MarkKind::Received, 3),
        ],
        deviations: vec!["after step 4 of alice/run1, bob/run1 goes on".into()],
    }
}

/// The level with that timeline, and its findings made in that trial.
pub(super) fn drawn(mut level: Level) -> Level {
    level.timelines = vec![timeline()];
    for (at, finding) in level.findings.iter_mut().enumerate() {
        finding.history = Some(HISTORY.into());
        finding.crossing = (at == 0).then_some(Crossing { from: 30, to: 31 });
        finding.mechanism = (!finding.chain.is_empty())
            .then(|| "a process-wide instance: the last writer wins".to_owned());
    }
    level
}
