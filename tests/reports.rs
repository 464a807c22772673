//! What the reports say, held against committed snapshots; and that no text a server may have sent
//! breaks them.

#[path = "reports/latent.rs"]
mod latent;
#[path = "reports/warned.rs"]
mod warned;

use partywall::report::explain::explain;
use partywall::report::terminal::Style;
use partywall::report::{json, markdown, terminal};
use partywall::trial::record::{LevelName, Record};
use proptest::prelude::*;

fn plain(record: &Record) -> String {
    terminal::render(record, Style::default())
}

/// At most how many columns a line takes: from Hangul on, all but dashes and quotes count as wide.
fn columns(line: &str) -> usize {
    line.chars()
        .map(|c| match c {
            ..'\u{1100}' | '\u{2010}'..='\u{2027}' => 1,
            _ => 2,
        })
        .sum()
}

/// The text without the sequences that the report itself uses for colour.
fn without_colour(text: &str) -> String {
    ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[1;31m", "\x1b[1;32m", "\x1b[1;33m"]
        .iter()
        .fold(text.to_owned(), |text, sequence| text.replace(sequence, ""))
}

fn pipes(row: &str) -> usize {
    row.matches('|').count() - row.matches("\\|").count()
}

#[test]
fn terminal_reports_read_as_committed() {
    for (name, record) in crate::records::all() {
        insta::assert_snapshot!(format!("terminal_{name}"), plain(&record));
    }
}

#[test]
fn markdown_reports_read_as_committed() {
    for (name, record) in crate::records::all() {
        insta::assert_snapshot!(format!("markdown_{name}"), markdown::render(&record));
    }
}

#[test]
fn an_explanation_reads_as_committed() {
    insta::assert_snapshot!("explain_canary", explain(&crate::records::canary_rule()));
}

#[test]
fn a_record_survives_json() {
    for (name, record) in crate::records::all() {
        let text = json::render(&record);
        assert!(text.ends_with("}\n"), "{name}");
        assert_eq!(json::read(&text).expect("reads back"), record, "{name}");
    }
}

#[test]
fn json_has_the_promised_fields() {
    let fields = |value: &serde_json::Value, path: &str, names: &[&str]| {
        let part = value.pointer(path).unwrap_or_else(|| panic!("no {path}"));
        for name in names {
            assert!(part.get(name).is_some(), "no {path}/{name}");
        }
    };
    let parse = |record| serde_json::from_str(&json::render(&record)).expect("is JSON");
    let signoff: serde_json::Value = parse(crate::records::fixed());
    fields(&signoff, "", &["schema_version", "verdict", "reasons", "before", "after"]);
    for side in ["/before", "/after"] {
        fields(&signoff, side, &["verdict", "levels"]);
    }
    let level = [
        "level",
        "verdict",
        "trials",
        "runs_completed",
        "overlapping_pairs",
        "phase_coverage",
        "leak_probability_upper_bound",
        "controls",
        "findings",
    ];
    fields(&signoff, "/before/levels/1", &level);
    fields(&signoff, "/before/levels/1/controls", &["planted", "caught"]);
    let finding = ["fingerprint", "oracle", "victim", "observer", "summary", "evidence", "repro"];
    fields(&signoff, "/before/levels/1/findings/0", &finding);
    let run: serde_json::Value = parse(crate::records::clean_explore());
    fields(&run, "/levels/0", &level);
}

#[test]
fn a_seed_is_text_since_not_every_json_reader_keeps_64_bits() {
    for seed in [(1 << 53) + 1, u64::MAX] {
        let record = Record { seed, ..crate::records::clean_explore() };
        let text = json::render(&record);
        assert!(text.contains(&format!("\"seed\": \"{seed}\"")), "{text}");
        assert_eq!(json::read(&text).expect("reads back").seed, seed);
    }
}

#[test]
fn a_passed_signoff_can_be_read_at_once() {
    let text = plain(&crate::records::fixed());
    assert!(text.lines().count() <= 115, "{} lines", text.lines().count());
    // A few of the expected findings, each with its line, and that of a model; one in full.
    assert_eq!(text.matches("Reproduce with:").count(), 4 + 1);
    assert_eq!(text.matches("found by").count(), 1);
    assert_eq!(text.matches("causes ").count(), 1);
}

#[test]
fn rounds_that_only_after_was_driven_are_told() {
    let told = |record: &Record| plain(record).split_whitespace().collect::<Vec<_>>().join(" ");
    let mut record = crate::records::fixed();
    assert!(told(&record).contains("under the same plans, nothing crossed"));
    let after = record.after.as_mut().expect("a sign-off has two sides");
    let wire = after.levels.iter_mut().find(|level| level.level == LevelName::Wire);
    wire.expect("it was driven").trials += 3;
    assert!(told(&record).contains("under the same plans and 3 more, nothing crossed"));
}

#[test]
fn what_after_still_leaks_is_told_in_full() {
    let text = plain(&crate::records::still_leaks());
    let (after, before) = text.split_once("Findings before the migration").expect("both");
    assert_eq!(after.matches("evidence ").count(), 2);
    assert_eq!(before.matches("found by").count(), 1);
}

#[test]
fn what_after_did_not_reach_is_loud() {
    for text in
        [plain(&crate::records::still_leaks()), markdown::render(&crate::records::still_leaks())]
    {
        assert!(text.contains("15/80 NOT met"), "{text}");
        assert!(text.contains("100/80 met"), "{text}");
    }
}

#[test]
fn interleavings_are_no_trials() {
    let text = plain(&crate::records::fixed());
    let first = as_a_shell_reads(text.split("  before").next().unwrap_or_default());
    let tried = "nothing crossed in 4,040 trials and 12,863 thread interleavings";
    assert!(first.contains(tried), "{first}");
    assert!(!text.contains("scenario kernel"), "{text}");
}

#[test]
fn a_refuted_model_is_told_in_full() {
    let record = crate::records::still_leaks();
    let story = record.models[7].story.as_deref().expect("it is refuted");
    let (text, markdown) = (plain(&record), markdown::render(&record));
    for line in story.lines() {
        assert!(text.lines().any(|shown| shown == line), "{line:?} in\n{text}");
        assert!(markdown.lines().any(|shown| shown.trim() == line.trim()), "{line:?}");
    }
    for text in [text, markdown] {
        assert!(text.contains("partywall model two-tabs --replay 7"), "{text}");
        assert!(text.contains("1 REFUTED"), "{text}");
    }
}

#[test]
fn a_signoff_that_only_a_model_refutes_says_so() {
    let mut record = crate::records::still_leaks();
    record.after.as_mut().expect("is a sign-off").levels[1].findings.clear();
    let text = as_a_shell_reads(&plain(&record));
    assert!(!text.contains("0 distinct findings"), "{text}");
    assert!(text.starts_with("STILL LEAKS: after the migration 1 model of the kernel"), "{text}");
}

#[test]
fn colour_adds_nothing_but_colour() {
    for (name, record) in crate::records::all() {
        let coloured = terminal::render(&record, Style { colour: true, width: 80 });
        assert_ne!(coloured, plain(&record), "{name}");
        assert_eq!(without_colour(&coloured), plain(&record), "{name}");
    }
}

#[test]
fn a_doubtful_run_is_never_shown_as_a_pass() {
    for record in [crate::records::inconclusive(), crate::records::baseline_clean()] {
        for text in [plain(&record), markdown::render(&record)] {
            assert!(
                text.lines().next().is_some_and(|first| first.contains("NOT A PASS")),
                "{text}"
            );
            assert!(text.contains("What to do"), "{text}");
        }
    }
}

#[test]
fn many_findings_are_capped_with_a_pointer() {
    let mut record = crate::records::leaked_explore();
    record.levels[0].findings = vec![crate::records::crossing(LevelName::Explore); 37];
    let text = plain(&record);
    assert_eq!(text.matches("Reproduce with:").count(), 10);
    assert!(text.contains("… and 27 more findings in report.json."), "{text}");
}

#[test]
fn a_long_command_can_be_copied_whole() {
    let mut record = crate::records::leaked_explore();
    let path = format!("reports/runs/{}/repro.json", "deep/".repeat(40));
    let command = format!("partywall replay {path}");
    record.levels[0].findings[0].reproduce_with = Some(command.clone());
    assert!(as_a_shell_reads(&plain(&record)).contains(&command));
    let command = format!("partywall replay --times 10 {}.json", "x".repeat(66));
    record.levels[0].findings[0].reproduce_with = Some(command.clone());
    assert!(as_a_shell_reads(&plain(&record)).contains(&command));
}

/// Continued lines joined, and any number of spaces as one.
fn as_a_shell_reads(text: &str) -> String {
    text.replace("\\\n", "").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn even_a_flood_stays_short_in_a_pull_request() {
    let text = markdown::render(&crate::records::flooded("flood"));
    assert!(text.lines().count() < 60, "{}", text.lines().count());
}

/// Arbitrary text, rich in what is dangerous.
fn hostile_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        any::<String>(),
        "[a-z:| ]{0,200}",
        prop::sample::select(vec![
            "\u{1b}[2J",
            "\u{202e}",
            "\u{feff}",
            "\r\n",
            "::error::",
            "##[",
            "|",
            "`",
            "](",
            "</details>",
            "你好",
            "\\",
        ])
        .prop_map(String::from),
    ];
    prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

fn is_hidden(c: char) -> bool {
    c != '\n' && c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}')
        || matches!(c, '\u{feff}' | '\u{61c}' | '\u{2028}' | '\u{2029}')
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_figure_and_no_text_changes_in_json(
        text in any::<String>(),
        seconds in any::<f64>().prop_filter("JSON has no others", |seconds| seconds.is_finite()),
        value in 0.0..1.0_f64,
        seed in any::<u64>(),
    ) {
        let mut record = crate::records::clean_explore();
        record.seconds = seconds;
        record.seed = seed;
        record.reasons[0].text = text;
        let level = &mut record.levels[0];
        level.leak_probability_upper_bound.as_mut().expect("it is clean").value = value;
        prop_assert_eq!(json::read(&json::render(&record)).expect("reads back"), record);
    }

    #[test]
    fn nothing_a_server_sends_breaks_the_terminal(text in hostile_text(), width in 60_usize..120) {
        let record = crate::records::flooded(&text);
        let coloured = terminal::render(&record, Style { colour: true, width });
        let shown = without_colour(&coloured);
        prop_assert!(!shown.contains(is_hidden), "{shown:?}");
        for line in shown.lines() {
            prop_assert!(columns(line) <= width, "{line:?}");
            prop_assert!(!line.trim_start().starts_with("::"), "{line:?}");
            prop_assert!(!line.contains("##["), "{line:?}");
        }
    }

    #[test]
    fn nothing_a_server_sends_breaks_the_markdown(text in hostile_text()) {
        let shown = markdown::render(&crate::records::flooded(&text));
        prop_assert!(shown.lines().count() < 60);
        prop_assert!(!shown.contains(is_hidden), "{shown:?}");
        let rows: Vec<_> = shown.lines().filter(|line| line.starts_with("| ")).collect();
        prop_assert!(rows.len() > 2);
        for row in &rows {
            prop_assert_eq!(pipes(row), pipes(rows[0]), "{}", row);
        }
        let lines = |start: &str| shown.lines().filter(|line| line.starts_with(start)).count();
        prop_assert_eq!(lines("<details>"), lines("</details>"));
        prop_assert_eq!(shown.matches("<details>").count(), lines("<details>"));
    }
}
