//! The report for a pull request: below 60 lines, the details folded.

use std::fmt::Write as _;

use super::comparison::Measure;
use super::phrases::{self, capped};
use super::{advice, bounds, comparison, safe_text};
use crate::trial::record::{FindingRecord, Level, Record};

/// How many causes of one finding are told.
const MOST_CAUSES: usize = 8;

/// A longer text is not read in a pull request.
const MOST_LINES: usize = 59;

/// The whole report, with as many items in each list as fit.
pub fn render(record: &Record) -> String {
    (3..=10)
        .rev()
        .map(|most| render_with(record, most))
        .find(|text| text.lines().count() <= MOST_LINES)
        .unwrap_or_else(|| render_with(record, 2))
}

/// The report with at most that many items in each list, and twice as many rows in the table.
fn render_with(record: &Record, most: usize) -> String {
    let mut out = String::new();
    let headline = phrases::headline(record.verdict);
    let command = safe_text::markdown_name(&record.command);
    line(&mut out, &format!("### partywall {command}: {headline}"));
    line(&mut out, "");
    line(&mut out, &capitalised(&phrases::verdict(record)));
    line(&mut out, "");
    for (name, backend) in phrases::driven(record) {
        line(&mut out, &format!("- {name}: {}", safe_text::markdown(backend)));
    }
    items(&mut out, most, "Why: ", &advice::reasons(record, safe_text::markdown));
    items(&mut out, most, "What to do: ", &advice::next_steps(record, safe_text::markdown));
    items(&mut out, most, "", &bounds::bounds(record, safe_text::markdown_name));
    let lead = "After reached/needed (or a lock around everything would pass too), ";
    items(&mut out, most, lead, &comparison::needs(record, safe_text::markdown_name));
    line(&mut out, "");
    table(&mut out, most * 2, record);
    findings(&mut out, most, record);
    details(&mut out, most, record);
    line(&mut out, "");
    let origin = phrases::origin(record, safe_text::markdown_name);
    line(&mut out, &format!("{origin} {}", phrases::whereabouts(record, safe_text::code)));
    out
}

fn line(out: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}

/// The sentence with a capital letter, since nothing stands before it.
fn capitalised(sentence: &str) -> String {
    let mut rest = sentence.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

/// Items of a list, capped.
fn items(out: &mut String, most: usize, lead: &str, texts: &[String]) {
    let (shown, more) = capped(texts, most);
    for text in shown.iter().chain(&more) {
        line(out, &format!("- {lead}{text}"));
    }
}

/// A row for each side of each level; the sides of one level stand together.
fn table(out: &mut String, most: usize, record: &Record) {
    let measures = comparison::measures(record);
    let heads: Vec<_> =
        measures.iter().map(|measure| measure.label.trim_start_matches("- ")).collect();
    let rows: Vec<_> = comparison::pairs(record)
        .iter()
        .flat_map(|pair| pair.sides.iter().map(|(side, level)| row(&measures, side, level)))
        .collect();
    if rows.is_empty() {
        return;
    }
    line(out, &format!("| level | {} |", heads.join(" | ")));
    line(out, &format!("| --- |{}", " ---: |".repeat(heads.len())));
    let (shown, more) = capped(&rows, most);
    for row in shown {
        line(out, row);
    }
    if let Some(more) = more {
        line(out, "");
        line(out, &more);
    }
}

fn row(measures: &[&Measure], side: &str, level: &Level) -> String {
    let cells: Vec<_> = measures.iter().map(|measure| (measure.cell)(level)).collect();
    let place = phrases::place(side, level, safe_text::markdown_name);
    format!("| {place} | {} |", cells.join(" | "))
}

fn findings(out: &mut String, most: usize, record: &Record) {
    let groups = phrases::finding_groups(record);
    let all: Vec<_> = groups
        .iter()
        .flat_map(|group| group.found.iter().enumerate().map(move |found| (group, found)))
        .collect();
    if all.is_empty() {
        return;
    }
    let (shown, more) = capped(&all, most);
    let summary = format!("Findings ({})", all.len());
    fold(out, &summary, |out| {
        for (group, (at, (level, finding))) in shown {
            // Only the words before a bracket, which the terminal says once for all.
            let title = group.title.split(" (").next().unwrap_or(group.title);
            let title = title.replacen("Findings", "Found", 1);
            one_finding(out, &title, level, finding);
            if *at == 0 || !group.expected {
                causes(out, finding);
            }
            replay(out, finding);
        }
        if let Some(more) = more {
            line(out, &format!("- {more}"));
        }
    });
}

fn one_finding(out: &mut String, title: &str, level: &Level, finding: &FindingRecord) {
    let mut text = format!("- {title}: **{}**", safe_text::markdown(&finding.summary));
    let moment = phrases::moment(finding, safe_text::markdown, safe_text::markdown_name);
    if let Some(moment) = moment {
        let _ = write!(text, "; {moment}");
    }
    let by = phrases::found_by(finding, safe_text::markdown_name);
    let _ = write!(text, "; {by}; seen {}.", phrases::seen(level, finding));
    line(out, &text);
}

fn causes(out: &mut String, finding: &FindingRecord) {
    if finding.chain.is_empty() {
        return;
    }
    let (causes, more) = capped(&finding.chain, MOST_CAUSES);
    let causes = causes.iter().map(|cause| safe_text::markdown(cause)).chain(more);
    let causes: Vec<_> = causes.collect();
    line(out, &format!("  - Causes, in this order: {}", causes.join(" → ")));
}

fn replay(out: &mut String, finding: &FindingRecord) {
    if let Some(command) = phrases::replay_command(finding) {
        let facts = phrases::repro_facts(finding, safe_text::markdown);
        let facts = facts.map(|facts| format!(" ({facts})")).unwrap_or_default();
        line(out, &format!("  - Reproduce with: {}{facts}", safe_text::code(command)));
    }
}

fn details(out: &mut String, most: usize, record: &Record) {
    let lists = [
        ("Replayed after the migration: ", phrases::cross_checks(record, safe_text::markdown_name)),
        ("Control missed: ", advice::missed_controls(record, safe_text::markdown)),
        ("Could say nothing: ", phrases::blind_oracles(record, safe_text::markdown)),
        ("Not tried: ", advice::not_tried(record, safe_text::markdown)),
    ];
    if lists.iter().all(|(_, texts)| texts.is_empty()) {
        return;
    }
    fold(out, "Cross-checks, blind spots, what was not tried", |out| {
        for (lead, texts) in &lists {
            items(out, most, lead, texts);
        }
    });
}

/// A folded part; the empty lines make what is inside Markdown again.
fn fold(out: &mut String, summary: &str, inside: impl FnOnce(&mut String)) {
    line(out, "");
    line(out, &format!("<details><summary>{summary}</summary>"));
    line(out, "");
    inside(out);
    line(out, "");
    line(out, "</details>");
}
