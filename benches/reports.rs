//! Rendering: every form of a record with 100,000 observations drawn.

use criterion::{Criterion, criterion_group, criterion_main};
use partywall::report::{github, html, json, junit, markdown, sarif, terminal};
use partywall::trial::record::Record;
use partywall::trial::timeline::{MOST_MARKS, Mark, MarkKind, Timeline};

/// Observations in all.
const OBSERVATIONS: usize = 100_000;

/// The sample sign-off with ten full timelines.
fn record() -> Record {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/sample/report.json");
    let text = std::fs::read_to_string(path).expect("the sample");
    let mut record = json::read(&text).expect("a report");
    let level = record.before.as_mut().and_then(|side| side.levels.get_mut(1)).expect("a level");
    let lanes: Vec<_> = (0..50).map(|user| format!("user-{user}").as_str().into()).collect();
    level.timelines = (0..OBSERVATIONS / MOST_MARKS)
        .map(|at| Timeline {
            history: format!("histories/{at}.jsonl"),
            observations: MOST_MARKS as u64,
            lanes: lanes.clone(),
            labels: vec!["agent_thinking of triage".into(); 40],
            marks: (0..MOST_MARKS as u64).map(mark).collect(),
            ..Timeline::default()
        })
        .collect();
    let files: Vec<String> = level.timelines.iter().map(|line| line.history.clone()).collect();
    for (at, finding) in level.findings.iter_mut().enumerate() {
        finding.history = Some(files[at % files.len()].clone());
    }
    record
}

fn mark(n: u64) -> Mark {
    let lane = (n % 50) as u32;
    let label = (n % 40) as u32;
    Mark { n, at: n, lane, what: MarkKind::Received, label, run: Some(1), owner: None }
}

fn reports(criterion: &mut Criterion) {
    let record = record();
    let mut group = criterion.benchmark_group("reports of 100,000 observations");
    group.sample_size(10);
    type Form = fn(&Record) -> String;
    let forms: [(&str, Form); 7] = [
        ("json", json::render),
        ("html", html::render),
        ("junit", |record| junit::render(record, false)),
        ("sarif", sarif::render),
        ("markdown", markdown::render),
        ("github", github::annotations),
        ("terminal", |record| terminal::render(record, terminal::Style::default())),
    ];
    for (name, render) in forms {
        group.bench_function(name, |bench| bench.iter(|| render(&record).len()));
    }
    group.bench_function("all", |bench| {
        bench.iter(|| forms.iter().map(|(_, render)| render(&record).len()).sum::<usize>());
    });
    group.finish();
}

criterion_group!(benches, reports);
criterion_main!(benches);
