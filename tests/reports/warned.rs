//! Warnings stand beside the verdict in every report, and none calls them a leak.

use partywall::report::terminal::Style;
use partywall::report::{github, html, json, junit, markdown, sarif, terminal};
use partywall::trial::assumption::Assumption;
use partywall::trial::finding::{FindingKind, OracleId};
use partywall::trial::record::{LevelName, OracleRow, Record};

/// The text without its line breaks.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn warned() -> Record {
    let mut record = crate::records::clean_explore();
    let mut found = crate::records::findings::crossing(LevelName::Explore);
    (found.kind, found.oracle) = (FindingKind::OwnData, OracleId::Binding);
    found.summary = "bob got <b>their</b> own data".into();
    (found.seen_in_trials, found.first_trial) = (12, 3);
    let level = &mut record.levels[0];
    level.oracles.push(OracleRow { oracle: OracleId::Binding, ..level.oracles[0].clone() });
    level.warnings = vec![found];
    level.assumptions = vec![Assumption::AtLeastOnce];
    record
}

#[test]
fn every_report_shows_warnings_beside_the_verdict_and_none_calls_them_a_leak() {
    let record = warned();
    let [terminal, markdown, html, sarif, github, junit, json] = [
        one_line(&terminal::render(&record, Style::default())),
        markdown::render(&record),
        html::render(&record),
        sarif::render(&record),
        github::annotations(&record),
        junit::render(&record, false),
        json::render(&record),
    ];
    for text in [&terminal, &markdown, &html, &sarif, &github] {
        assert!(text.contains("12 of 2,000 trials"), "{text}");
    }
    assert!(terminal.starts_with("CLEAN: ") && terminal.contains("with 1 warning"), "{terminal}");
    for text in [&terminal, &markdown, &html] {
        assert!(text.contains("delivers events at least once"), "{text}");
    }
    assert!(json.contains("at_least_once"), "{json}");
    let above = terminal.find("Figures").expect("figures");
    assert!(terminal.find("own data, wrong request").is_some_and(|at| at < above), "{terminal}");
    assert!(html.contains("own data, wrong request") && !html.contains("<b>their</b>"));
    assert!(sarif.contains("\"level\":\"warning\"") && !sarif.contains("\"level\":\"error\",\"m"));
    assert!(github.starts_with("::warning title=own data%2C wrong request::"), "{github}");
    assert!(!github.contains("::error"), "{github}");
    assert!(junit.contains("warning: bob got"), "{junit}");
    assert!(!junit.contains("<failure") && !junit.contains("<error"), "{junit}");
    assert!(json.contains("\"kind\": \"own_data\""), "{json}");
    // Nothing of it where there is none.
    let clean = crate::records::clean_explore();
    assert!(!one_line(&terminal::render(&clean, Style::default())).contains("warning"));
}
