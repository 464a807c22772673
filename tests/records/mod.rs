//! Fixed records for the tests of the reports: what runs of the reference back end come to, with
//! round figures.

mod detections;
pub(crate) mod findings;
mod flood;
mod models;
mod signoffs;
pub(crate) mod timelines;

use partywall::trial::control::{Controls, Drive, Tally};
use partywall::trial::finding::OracleId;
use partywall::trial::heard::{AnswerCount, Asked, Came, Heard, TypeCount};
use partywall::trial::measure::{LeakMatrix, LeakPair, Source, Spread, SpreadCount};
use partywall::trial::record::{
    Level, LevelName, OracleRow, PhaseCoverage, Record, Rule, SCHEMA_VERSION, SearchMethod,
    UpperBound,
};
use partywall::trial::timeline::TimeUnit;
use partywall::trial::verdict::{ExitCode, Outcome, Reason, ReasonCode, Verdict};

pub(crate) use detections::selftest;
use findings::found_in;
pub(crate) use findings::{crossing, loss};
pub(crate) use flood::flooded;
pub(crate) use signoffs::{baseline_clean, doubtful_model, fixed, still_leaks};
use timelines::drawn;

const SCENARIO: &str = "reference-golden-path";

/// The other scenario of a sign-off.
const OTHER: &str = "reference-reconnect";

/// The run folder of a command.
fn folder(command: &str) -> String {
    format!("reports/runs/{command}/2026-01-02T03-04-05Z")
}

/// Where the scenario says what is driven.
fn source() -> Source {
    Source {
        file: "scenarios/reference-golden-path.toml".into(),
        line: 14,
        sha256: "5c".repeat(32),
    }
}

/// A record without levels; the other records start from it.
pub(crate) fn empty(command: &str, verdict: Outcome, reasons: Vec<Reason>) -> Record {
    Record {
        schema_version: SCHEMA_VERSION,
        partywall: "0.1.0".into(),
        command: command.into(),
        name: command.into(),
        started_at: "2026-01-02T03:04:05Z".into(),
        seconds: 41.25,
        seed: 42,
        folder: Some(folder(command)),
        backend: None,
        verdict,
        exit_code: ExitCode::of(verdict, &reasons),
        reasons,
        before: None,
        after: None,
        cross_checks: vec![],
        saved_repros: Vec::new(),
        models: Vec::new(),
        comparison: vec![],
        levels: vec![],
        source: Some(source()),
        subjects: vec![],
        partition: None,
        migration: None,
        detection: None,
        audit: None,
        not_tried: vec![
            "Threads that interleave inside one step: an explored step is atomic.".into(),
            "Connections through a proxy, and back ends of more than one process.".into(),
        ],
        rules: vec![canary_rule()],
    }
}

/// The canary oracle's rule.
pub(crate) fn canary_rule() -> Rule {
    Rule {
        oracle: OracleId::Canary,
        short: "No user sees text that was made for another user.".into(),
        meaning:
            "Every text that a simulated user sends carries a mark that names its owner. This \
                  oracle fires when such a mark arrives at somebody else, in plain text or in one \
                  of the usual encodings."
                .into(),
        precondition: "The back end must send back part of what it was given. Where no mark ever \
                       comes back, nothing can be said."
            .into(),
        next: "Look at what is shared between the two runs at the named event: an instance that \
               one request configures and another one uses."
            .into(),
    }
}

/// A clean level.
pub(crate) fn clean_level(level: LevelName) -> Level {
    let wire = level == LevelName::Wire;
    let trials = if wire { 20 } else { 2000 };
    let unit = if wire { "barrier round" } else { "trial" };
    let method = if wire { SearchMethod::BarrierRounds } else { SearchMethod::RandomWalk };
    let n = if wire { 20 } else { 1984 };
    Level {
        claims: Vec::new(),
        level,
        scenario: SCENARIO.into(),
        verdict: Verdict::Clean,
        reasons: vec![Reason::new(ReasonCode::Shown, "nothing crossed, every control was caught")],
        method,
        users: if wire { [51, 51] } else { [3, 5] },
        trials,
        trials_planned: trials,
        trials_overlapping: n,
        runs_started: trials * 6,
        runs_completed: trials * 6,
        runs_unknown: 0,
        overlapping_pairs: trials * 7,
        time_together: trials * 70,
        phase_coverage: PhaseCoverage {
            phases: vec!["agent_started supervisor".into(), "agent_completed supervisor".into()],
            hit: 98,
            of: 100,
            share: 0.98,
            counts: vec![vec![3, 2], vec![0, 9]],
            mean_milliseconds: Vec::new(),
        },
        leak_probability_upper_bound: Some(UpperBound {
            value: 1.0 - 0.05_f64.powf(1.0 / n as f64),
            confidence: 0.95,
            unit: unit.into(),
            n,
            method,
            same_process: wire,
        }),
        controls: Controls::new(tally(46, &[]), tally(2, &[]), Drive::Absent),
        oracles: vec![OracleRow {
            oracle: OracleId::Canary,
            judged_trials: trials,
            judged_items: trials * 90,
            blind: None,
            findings: 0,
        }],
        findings: vec![],
        first_leak_at_trial: None,
        latent: None,
        warnings: Vec::new(),
        assumptions: Vec::new(),
        source: None,
        leak_matrix: LeakMatrix::default(),
        time_to_first_leak: None,
        latency: None,
        timelines: vec![],
        heard: Heard::default(),
    }
}

/// How these times are spread.
fn spread(times: &[u64]) -> Option<Spread> {
    let mut count = SpreadCount::default();
    times.iter().for_each(|time| count.add(*time));
    count.spread(TimeUnit::Step)
}

/// That many controls, of which the named ones were missed.
pub(crate) fn tally(planted: u64, missed: &[&str]) -> Tally {
    Tally {
        planted,
        caught: planted - missed.len() as u64,
        missed: missed.iter().map(|text| String::from(*text)).collect(),
        ..Tally::default()
    }
}

/// A level that leaked in its first trials.
pub(crate) fn leaked_level(level: LevelName) -> Level {
    let findings = vec![crossing(level), loss(level)];
    let reason = Reason::new(ReasonCode::Findings, "2 distinct findings");
    Level {
        claims: Vec::new(),
        verdict: Verdict::Leaked,
        reasons: vec![reason],
        trials: 20,
        trials_overlapping: 20,
        runs_started: 120,
        runs_completed: 119,
        runs_unknown: 1,
        overlapping_pairs: 140,
        time_together: 1_400,
        leak_probability_upper_bound: None,
        findings,
        first_leak_at_trial: Some(1),
        source: Some(source()),
        leak_matrix: LeakMatrix {
            users: vec!["alice".into(), "bob".into()],
            pairs: vec![
                LeakPair { owner: 0, observer: 1, trials: 17 },
                LeakPair { owner: 1, observer: 0, trials: 3 },
            ],
            left_out: 0,
        },
        latency: spread(&[31, 40, 44, 58, 190]),
        time_to_first_leak: spread(&[12, 31]),
        ..clean_level(level)
    }
}

/// The level in that command and scenario.
fn level_in(level: Level, command: &str, scenario: &str) -> Level {
    let name = level.level;
    let found = |finding| found_in(finding, command, scenario, name);
    Level {
        claims: Vec::new(),
        scenario: scenario.into(),
        findings: level.findings.into_iter().map(found).collect(),
        ..level
    }
}

/// A plain run that found nothing.
pub(crate) fn clean_explore() -> Record {
    let reason = Reason::new(ReasonCode::Shown, "nothing crossed, and 48 of 48 controls fired");
    Record {
        backend: Some("reference back end, migrated all".into()),
        levels: vec![clean_level(LevelName::Explore)],
        ..empty("explore", Outcome::Clean, vec![reason])
    }
}

/// A plain run that found leaks.
pub(crate) fn leaked_explore() -> Record {
    let reason = Reason::new(ReasonCode::Findings, "2 distinct findings, the first in trial 1");
    Record {
        backend: Some("reference back end, migrated none".into()),
        levels: vec![drawn(level_in(leaked_level(LevelName::Explore), "explore", SCENARIO))],
        ..empty("explore", Outcome::Leaked, vec![reason])
    }
}

/// A plain run whose clean result does not count: a control was missed, and too little overlapped.
pub(crate) fn inconclusive() -> Record {
    let missed = Reason::new(ReasonCode::ControlMissed, "47 of 48 controls were caught");
    let overlap = Reason::new(
        ReasonCode::TooLittleOverlap,
        "runs of different users overlapped in 3 of 20 rounds (at least 10 are needed)",
    );
    let reasons = vec![missed, overlap];
    let mut level = clean_level(LevelName::Wire);
    level.verdict = Verdict::Inconclusive;
    level.reasons = reasons.clone();
    level.trials_overlapping = 3;
    level.overlapping_pairs = 4;
    level.phase_coverage.hit = 11;
    level.controls = Controls::new(
        tally(46, &[]),
        tally(2, &["the phantom's mark did not come back through runs over http"]),
        Drive::Absent,
    );
    level.oracles.push(OracleRow {
        oracle: OracleId::Binding,
        judged_trials: 0,
        judged_items: 0,
        blind: Some("no answer names the request that it answers".into()),
        findings: 0,
    });
    level.heard = heard("{\"error\":\"show a token\"}");
    Record {
        backend: Some("the server at http://127.0.0.1:8080".into()),
        levels: vec![level],
        ..empty("run", Outcome::Inconclusive, reasons)
    }
}

/// A server that refused some of its users and said that.
fn heard(said: &str) -> Heard {
    let refused = AnswerCount {
        asked: Asked::Start,
        request: "POST /chat/{{ thread }}".into(),
        came: Came::Status { status: 401 },
        times: 7,
        users: 2,
        of_users: 20,
        names: Vec::new(),
        odd_names: false,
        location: Some(said.into()),
        said: said.into(),
    };
    let error = TypeCount { name: said.into(), times: 12, is_named: false, said: said.into() };
    Heard { answers: vec![refused], types: vec![error], unmatched: Vec::new() }
}

/// A run against a server that attacks whoever reads the report.
pub(crate) fn hostile() -> Record {
    let mut record = leaked_explore();
    let attack = "\u{1b}]0;owned\u{7}\r\n::error::fake\n| a | b |\n# pass <script>alert(1)</script> \
                  ]]> <img src=x onerror=alert(1)> @everyone #1 `x` [ok](http://evil.example) \u{202e}naelc ##[stop-commands]x";
    let level = &mut record.levels[0];
    level.scenario = attack.into();
    level.heard = heard(attack);
    level.reasons[0].text = attack.into();
    record.reasons[0].text = attack.into();
    record.folder = Some(attack.into());
    record.backend = Some(attack.into());
    let finding = &mut level.findings[0];
    finding.mechanism = Some(attack.into());
    finding.victim = attack.into();
    finding.summary = format!("bob saw data of {attack}");
    finding.event = Some("x".repeat(10_000_000));
    finding.chain = vec![attack.into(), "\u{feff}\u{2028}".into(), "::endgroup::".into()];
    finding.evidence[0].shows = attack.into();
    level.controls.path.missed.push(attack.into());
    level.oracles[0].blind = Some(attack.into());
    level.leak_matrix.users = vec![attack.into(), "bob".into()];
    level.phase_coverage.phases = vec![attack.into(), "x".repeat(100_000)];
    let timeline = &mut level.timelines[0];
    timeline.lanes[0] = attack.into();
    timeline.labels =
        vec![attack.into(), "]]></script><!--".into(), "\u{fffd}\0".into(), attack.into()];
    level.findings[0].reproduce_with = Some(format!("partywall replay '{attack}'"));
    record.not_tried = vec![attack.into()];
    record
}

/// All of the fixed records, by name.
pub(crate) fn all() -> [(&'static str, Record); 9] {
    [
        ("clean_explore", clean_explore()),
        ("leaked_explore", leaked_explore()),
        ("fixed", fixed()),
        ("still_leaks", still_leaks()),
        ("baseline_clean", baseline_clean()),
        ("inconclusive", inconclusive()),
        ("doubtful_model", doubtful_model()),
        ("hostile", hostile()),
        ("selftest", selftest()),
    ]
}
