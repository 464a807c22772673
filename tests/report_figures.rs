//! How long the forms of a large record take, and how big the page of the sample sign-off is.

use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use partywall::report::{attestation, github, html, json, junit, markdown, sarif, terminal};
use partywall::trial::measure::Subject;
use partywall::trial::record::{FindingRecord, Record};
use partywall::trial::timeline::{MOST_MARKS, Mark, MarkKind, Timeline};

/// Observations drawn in all.
const OBSERVATIONS: usize = 100_000;
const MOST_TIME: Duration = Duration::from_secs(3);
#[cfg(target_os = "linux")]
const MOST_KIB: u64 = 500 << 10;
const MOST_PAGE: usize = 1_000_000;

fn huge() -> Record {
    let mut record = crate::records::leaked_explore();
    let level = &mut record.levels[0];
    let mark = |n: u64| Mark {
        n,
        at: n,
        lane: (n % 50) as u32,
        what: MarkKind::Received,
        label: (n % 40) as u32,
        run: Some(1),
        owner: None,
    };
    let line = |at: usize| Timeline {
        history: format!("histories/{at}.jsonl"),
        observations: MOST_MARKS as u64,
        lanes: (0..50).map(|user| format!("user-{user}").as_str().into()).collect(),
        labels: vec!["agent_thinking of triage".into(); 40],
        marks: (0..MOST_MARKS as u64).map(mark).collect(),
        ..Timeline::default()
    };
    level.timelines = (0..OBSERVATIONS / MOST_MARKS).map(line).collect();
    let finding = |at: usize| FindingRecord {
        history: Some(format!("histories/{}.jsonl", at % 10)),
        ..level.findings[at % 2].clone()
    };
    level.findings = (0..200).map(finding).collect();
    record.subjects = vec![Subject { name: "app".into(), sha256: "ab".repeat(32) }];
    record
}

/// How long this thread was on a processor, so that what else the machine does is not counted;
/// where that is not told, the time since the first call.
fn busy() -> Duration {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.as_deref().and_then(|text| text.split_whitespace().next()?.parse().ok());
    nanos.map_or_else(|| FIRST.get_or_init(Instant::now).elapsed(), Duration::from_nanos)
}

/// The most memory that this process had.
#[cfg(target_os = "linux")]
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("there is one");
    let line = status.lines().find(|line| line.starts_with("VmHWM")).expect("a peak");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

/// Runs the test `name` in a process of its own, since the peak of a process counts all of its
/// tests. True in that process, false in the one that started it.
fn in_own_process(name: &str) -> bool {
    const ALONE: &str = "PARTYWALL_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let program = std::env::current_exe().expect("the path of this program");
    let ran = Command::new(program)
        .args(["--exact", name, "--nocapture"])
        .env(ALONE, "1")
        .output()
        .expect("this program starts once more");
    let [told, failed] = [&ran.stdout, &ran.stderr].map(|text| String::from_utf8_lossy(text));
    eprintln!("{failed}");
    assert!(ran.status.success(), "{}", ran.status);
    assert!(told.contains("1 passed"), "there is no test {name}");
    false
}

#[test]
fn all_forms_of_a_hundred_thousand_observations_take_three_seconds_at_most() {
    let test =
        "report_figures::all_forms_of_a_hundred_thousand_observations_take_three_seconds_at_most";
    if !in_own_process(test) {
        return;
    }
    let record = huge();
    let begun = busy();
    let sizes = [
        json::render(&record).len(),
        html::render(&record).len(),
        junit::render(&record, false).len(),
        sarif::render(&record).len(),
        markdown::render(&record).len(),
        github::annotations(&record).len(),
        terminal::render(&record, terminal::Style::default()).len(),
        attestation::render(&record, false).map_or(0, |text| text.len()),
    ];
    let took = busy().saturating_sub(begun);
    eprintln!("{took:?}: {sizes:?} bytes");
    assert!(sizes.iter().all(|size| *size > 100), "{sizes:?}");
    assert!(took <= MOST_TIME, "{took:?}");
    #[cfg(target_os = "linux")]
    assert!(peak_kib() <= MOST_KIB, "{} KiB", peak_kib());
}

#[test]
fn the_page_of_a_sign_off_is_small() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/reports/sample/report.json");
    let text = std::fs::read_to_string(path).expect("the sample");
    let mut all = crate::records::all().to_vec();
    let flood = html::render(&crate::records::flooded("<flood>"));
    assert!(flood.len() <= MOST_PAGE, "{} bytes", flood.len());
    all.push(("sample", json::read(&text).expect("a report")));
    for (name, record) in all {
        let page = html::render(&record);
        eprintln!("{name}: {} bytes", page.len());
        assert!(page.len() <= MOST_PAGE, "{name}: {} bytes", page.len());
    }
}
