//! The report for a pull request: below 60 lines, the details folded.

use std::fmt::Write as _;

use super::comparison::Measure;
use super::phrases::{self, capped};
use super::{
    advice, audit_phrases, bounds, comparison, detection, groups, heard, migration, models,
    safe_text, sentence,
};
use partywall_core::record::{FindingRecord, Level, ModelRow, Record};

/// How many models are named in one line.
const MOST_NAMES: usize = 20;

/// How many causes of one finding are told.
const MOST_CAUSES: usize = 8;

/// A longer text is not read in a pull request.
const MOST_LINES: usize = 59;

/// How much of the long parts is shown.
#[derive(Clone, Copy)]
struct Limits {
    /// Items of each list.
    items: usize,
    /// Rows of the table.
    rows: usize,
    /// Lines of the counterexample of a model.
    story: usize,
}

/// The whole report, with as many items in each list as fit.
pub fn render(record: &Record) -> String {
    let fewer_items = (2..=10).rev().map(|items| (items, items.max(4) * 2, 30));
    // The counterexample of a model matters more than a second item of anything.
    let less = [(2, 4, 30), (1, 4, 30), (1, 2, 30), (1, 2, 12), (1, 2, 4)];
    let mut text = String::new();
    for (items, rows, story) in fewer_items.chain(less) {
        text = render_with(record, Limits { items, rows, story });
        if text.lines().count() <= MOST_LINES {
            break;
        }
    }
    text
}

fn render_with(record: &Record, limits: Limits) -> String {
    let most = limits.items;
    let mut out = String::new();
    let headline = sentence::headline(record.verdict);
    let command = safe_text::markdown_name(&record.command);
    line(&mut out, &format!("### partywall {command}: {headline}"));
    line(&mut out, "");
    line(&mut out, &capitalised(&sentence::verdict(record)));
    line(&mut out, "");
    for (name, backend) in phrases::driven(record) {
        line(&mut out, &format!("- {name}: {}", safe_text::markdown(backend)));
    }
    items(&mut out, most, "Why: ", &advice::reasons(record, safe_text::markdown));
    items(&mut out, most, "The server said: ", &heard::lines(record, safe_text::markdown));
    items(&mut out, most, "What to do: ", &advice::next_steps(record, safe_text::markdown));
    items(&mut out, most, "Saved repro, ", &phrases::saved_repros(record, safe_text::markdown));
    items(
        &mut out,
        most,
        "Leak bound, ",
        &bounds::bounds(record, safe_text::markdown_name, safe_text::markdown),
    );
    let lead = "Reached/needed by after, in % (or a lock around all would pass too), ";
    items(&mut out, most, lead, &comparison::needs(record, safe_text::markdown_name));
    line(&mut out, "");
    table(&mut out, limits.rows, record);
    kernel(&mut out, limits, record);
    source(&mut out, most, record);
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

/// The states of the migration and what the source still has, each folded.
fn source(out: &mut String, most: usize, record: &Record) {
    if let Some(matrix) = &record.migration {
        fold(out, &migration::title(matrix), |out| {
            items(out, most, "", &migration::summary(matrix, safe_text::markdown));
        });
    }
    if let Some(matrix) = &record.detection {
        fold(out, &detection::title(matrix), |out| {
            detection::markdown(matrix).iter().for_each(|text| line(out, text));
            line(out, "");
            items(out, most, "Without a defect, ", &detection::quiet(matrix, safe_text::markdown));
        });
    }
    if let Some(audit) = &record.audit {
        let title = safe_text::markdown(&audit_phrases::headline(audit));
        fold(out, &format!("In the source: {title}"), |out| {
            items(out, most, "", &audit_phrases::lines(audit, safe_text::markdown));
        });
    }
}

/// The models of the kernel: those that came to the same in one line.
fn kernel(out: &mut String, limits: Limits, record: &Record) {
    if record.models.is_empty() {
        return;
    }
    let mut rows: Vec<(String, Vec<&ModelRow>)> = Vec::new();
    for row in models::ordered(record) {
        let came_to = format!("{}, {}", models::result(row), models::search(row));
        match rows.iter_mut().find(|(other, _)| *other == came_to) {
            Some((_, members)) => members.push(row),
            None => rows.push((came_to, vec![row])),
        }
    }
    fold(out, &models::title(record), |out| {
        line(out, models::SENTENCE);
        line(out, "");
        let rows: Vec<_> = rows.iter().map(|(came_to, rows)| alike(came_to, rows)).collect();
        items(out, limits.rows / 2, "", &rows);
        items(out, limits.items, "", &models::doubts(record, safe_text::markdown_name));
        let (stories, more) = models::stories(record);
        // One is enough here, and a longer report is not read.
        let more = more + stories.len().saturating_sub(1);
        if let Some((row, story)) = stories.first() {
            one_story(out, limits.story, row, story, more);
        }
        let example = models::example(record).filter(|_| stories.is_empty());
        if let Some(command) = example {
            line(out, &format!("- See one leak. Reproduce with: {}", safe_text::code(command)));
        }
    });
}

/// `clean, complete: two-tabs (572), …`.
fn alike(came_to: &str, rows: &[&ModelRow]) -> String {
    let member = |row: &&ModelRow| {
        format!("{} ({})", safe_text::markdown_name(&row.name), phrases::count(row.interleavings))
    };
    let names: Vec<_> = rows.iter().map(member).collect();
    let (shown, more) = capped(&names, MOST_NAMES);
    let names: Vec<_> = shown.iter().cloned().chain(more).collect();
    let sum = |of: fn(&ModelRow) -> u64| {
        phrases::count(rows.iter().fold(0, |sum: u64, row| sum.saturating_add(of(row))))
    };
    let (caught, planted) = (sum(|row| row.controls_caught), sum(|row| row.controls_planted));
    let seconds: f64 = rows.iter().map(|row| row.seconds).sum();
    let controls = match planted.as_str() {
        "0" => String::new(),
        _ => format!("; controls caught: {caught} of {planted}"),
    };
    let names = names.join(", ");
    format!("{came_to} (interleavings): {names}{controls}; {} s", models::seconds(seconds))
}

fn one_story(out: &mut String, most: usize, row: &ModelRow, story: &str, more: usize) {
    let name = safe_text::markdown_name(&row.name);
    line(out, &format!("- {name}: {}", safe_text::markdown(&row.about)));
    // Indented as a part of the item, so that no line of it can be taken for anything else.
    line(out, "  ```text");
    let (lines, left) = safe_text::lines(story, most);
    for text in lines.iter().chain(&left) {
        line(out, format!("  {}", safe_text::fenced(text)).trim_end());
    }
    line(out, "  ```");
    if let Some(command) = phrases::replay_command(row.reproduce_with.as_deref()) {
        line(out, &format!("  Reproduce with: {}", safe_text::code(command)));
    }
    if more > 0 {
        line(out, &format!("- … and {more} more counterexamples in report.json"));
    }
}

fn findings(out: &mut String, most: usize, record: &Record) {
    let groups = groups::finding_groups(record);
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
            let text = one_finding(&title, level, finding);
            let replay = replay(finding);
            // One of those that were expected is enough in full.
            if *at > 0 && group.expected {
                line(out, format!("{text} {}", replay.unwrap_or_default()).trim_end());
                continue;
            }
            line(out, &text);
            causes(out, finding);
            if let Some(replay) = replay {
                line(out, &format!("  - {replay}"));
            }
        }
        if let Some(more) = more {
            line(out, &format!("- {more}"));
        }
    });
}

fn one_finding(title: &str, level: &Level, finding: &FindingRecord) -> String {
    let mut text = format!("- {title}: **{}**", safe_text::markdown(&finding.summary));
    let moment = phrases::moment(finding, safe_text::markdown, safe_text::markdown_name);
    if let Some(moment) = moment {
        let _ = write!(text, "; {moment}");
    }
    let by = phrases::found_by(finding, safe_text::markdown_name);
    let _ = write!(text, "; {by}; seen {}.", phrases::seen(level, finding));
    text
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

fn replay(finding: &FindingRecord) -> Option<String> {
    let command = phrases::replay_command(finding.reproduce_with.as_deref())?;
    let facts = phrases::repro_facts(finding, safe_text::markdown);
    let facts = facts.map(|facts| format!(" ({facts})")).unwrap_or_default();
    Some(format!("Reproduce with: {}{facts}", safe_text::code(command)))
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

/// A folded part; the empty line makes what is inside Markdown again.
fn fold(out: &mut String, summary: &str, inside: impl FnOnce(&mut String)) {
    if !out.ends_with("</details>\n") {
        line(out, "");
    }
    line(out, &format!("<details><summary>{summary}</summary>"));
    line(out, "");
    inside(out);
    line(out, "</details>");
}
