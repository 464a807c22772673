//! The models of the kernel: what loom searched, and what came of it.

use super::comparison::abbreviated;
use super::page::{MOST_LINES, Page, Paint, fitted};
use super::phrases::{Quote, capped, replay_command};
use super::safe_text::{self, columns};
use partywall_core::record::{ModelRow, Record};

/// For someone who has never seen the project.
pub(super) const SENTENCE: &str = "Loom ran the kernel, the very code that the server's threads \
                                   share, through every interleaving of a few threads (bound 2: \
                                   with up to 2 preemptions). Refuted: one of them breaks a rule, \
                                   as it must in each control.";

/// How many rows the table has where all is as it must be.
const MOST_ROWS: usize = 8;

/// How many it has where the unexpected alone are more.
const MOST_UNEXPECTED: usize = 40;

/// How many counterexamples are told in full.
const MOST_STORIES: usize = 3;

/// How many lines of one of them.
const MOST_STORY_LINES: usize = 80;

/// Narrower than this, no name says anything.
const NARROWEST_NAME: usize = 16;

/// Whether a model is refuted that must not be.
pub(super) fn unexpectedly_refuted(row: &ModelRow) -> bool {
    row.leaked && !row.must_leak
}

/// `Models of the kernel: 16 clean, 2 refuted as they must be`; what is not as it must be first.
pub(super) fn title(record: &Record) -> String {
    let counted = |wanted: &str, words: &str| {
        let n = record.models.iter().filter(|row| result(row) == wanted).count();
        (n > 0).then(|| format!("{n} {words}"))
    };
    let counts = [
        counted("REFUTED", "REFUTED"),
        counted("MISSED", "MISSED"),
        counted("doubtful", "doubtful"),
        counted("clean", "clean"),
        counted("refuted", "refuted as they must be"),
    ];
    let counts: Vec<_> = counts.into_iter().flatten().collect();
    format!("Models of the kernel: {}", counts.join(", "))
}

/// What a model came to; what is not as it must be is loud.
pub(super) fn result(row: &ModelRow) -> &'static str {
    match (row.leaked, row.must_leak) {
        (true, false) => "REFUTED",
        (false, true) => "MISSED",
        _ if !row.as_expected => "doubtful",
        (true, true) => "refuted",
        (false, false) => "clean",
    }
}

/// How far it was searched.
pub(super) fn search(row: &ModelRow) -> String {
    match row.preemption_bound {
        _ if row.leaked => "to first leak".into(),
        Some(bound) => format!("bound {bound}"),
        None => "complete".into(),
    }
}

/// The models in the order in which they matter: what is not as it must be, what must be refuted,
/// what was not searched completely; the largest first.
pub(super) fn ordered(record: &Record) -> Vec<&ModelRow> {
    let mut rows: Vec<_> = record.models.iter().collect();
    let rank = |row: &ModelRow| (row.as_expected, !row.must_leak, row.preemption_bound.is_none());
    rows.sort_by_key(|row| (rank(row), std::cmp::Reverse(row.interleavings)));
    rows
}

/// What is not as it must be, in words, beyond what the stories tell.
pub(super) fn doubts(record: &Record, name: Quote) -> Vec<String> {
    let mut lines = Vec::new();
    for row in &record.models {
        let named = name(&row.name);
        let missed = row.controls_planted.saturating_sub(row.controls_caught);
        if row.must_leak && !row.leaked {
            lines.push(format!("{named} was not refuted, though it must be"));
        }
        if missed > 0 {
            let planted = abbreviated(row.controls_planted);
            let missed = abbreviated(missed);
            lines.push(format!("{named}: {missed} of {planted} broken variants were not refuted"));
        }
        if !row.reached {
            lines.push(format!("{named} never came to the state that it is about"));
        }
    }
    lines
}

/// The counterexamples that ought not to be there, each with its model, and how many more.
pub(super) fn stories(record: &Record) -> (Vec<(&ModelRow, &str)>, usize) {
    let rows = ordered(record);
    let unexpected = rows.into_iter().filter(|row| !row.as_expected);
    let mut stories: Vec<_> =
        unexpected.filter_map(|row| Some((row, row.story.as_deref()?))).collect();
    let more = stories.len().saturating_sub(MOST_STORIES);
    stories.truncate(MOST_STORIES);
    (stories, more)
}

/// The line that tells the first of the expected counterexamples.
pub(super) fn example(record: &Record) -> Option<&str> {
    let mut rows = record.models.iter().filter(|row| row.must_leak && row.as_expected);
    rows.find_map(|row| replay_command(row.reproduce_with.as_deref()))
}

/// The section on a terminal.
pub(super) fn section(page: &mut Page, record: &Record) {
    if record.models.is_empty() {
        return;
    }
    page.heading(&title(record));
    page.hanging(Paint::Plain, "  ", SENTENCE);
    let rows = ordered(record);
    let unexpected = rows.iter().filter(|row| !row.as_expected).count();
    // All that is not as it must be is shown, up to a flood.
    let (shown, rest) = rows.split_at(rows.len().min(unexpected.clamp(MOST_ROWS, MOST_UNEXPECTED)));
    table(page, shown);
    if !rest.is_empty() {
        page.hanging(Paint::Plain, "  ", &left_out(rest));
    }
    if let Some(command) = example(record) {
        page.command("  See one leak. Reproduce with: ", command);
    }
    let doubts = doubts(record, safe_text::name);
    let (told, more) = capped(&doubts, MOST_LINES);
    for line in told.iter().chain(&more) {
        page.hanging(Paint::Doubt, "  - ", line);
    }
    let (stories, more) = stories(record);
    for (row, story) in stories {
        page.blank();
        one_story(page, row, story);
    }
    if more > 0 {
        let more = format!("… and {more} more counterexamples in report.json.");
        page.hanging(Paint::Strong, "  ", &more);
    }
}

/// Models that are not in the table: by their names, and what all of them came to.
fn left_out(rest: &[&ModelRow]) -> String {
    let names: Vec<_> = rest.iter().map(|row| safe_text::name(&row.name)).collect();
    let (names, more) = capped(&names, 2 * MOST_LINES);
    let names: Vec<_> = names.iter().cloned().chain(more).collect();
    let alike = |row: &&ModelRow| (result(row), search(row)) == (result(rest[0]), search(rest[0]));
    let came_to = if rest.iter().all(alike) {
        format!(", each {} and {}", result(rest[0]), search(rest[0]))
    } else {
        String::new()
    };
    format!("… and {} more{came_to}: {}", rest.len(), names.join(", "))
}

fn table(page: &mut Page, rows: &[&ModelRow]) {
    let heads = ["model", "result", "interleavings", "search", "controls", "s"];
    let cells = |row: &&ModelRow| {
        [
            safe_text::name(&row.name),
            result(row).into(),
            abbreviated(row.interleavings),
            search(row),
            controls(row),
            seconds(row.seconds),
        ]
    };
    let lines: Vec<[String; 6]> =
        std::iter::once(heads.map(String::from)).chain(rows.iter().map(cells)).collect();
    let mut widths = [0; 6];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(columns(cell));
        }
    }
    // A narrow terminal does without the last columns rather than without the names.
    let taken = |shown: usize| widths[1..shown].iter().map(|width| width + 2).sum::<usize>() + 2;
    let fits = |shown: &usize| taken(*shown) + NARROWEST_NAME.min(widths[0]) <= page.width();
    let shown = (2..=6).rev().find(fits).unwrap_or(2);
    widths[0] = widths[0].min(page.width().saturating_sub(taken(shown)));
    for (at, line) in lines.iter().enumerate() {
        let paint = match line[1].as_str() {
            _ if at == 0 => Paint::Strong,
            "REFUTED" => Paint::Bad,
            "MISSED" | "doubtful" => Paint::Doubt,
            _ => Paint::Plain,
        };
        let mut text = String::from("  ");
        for (column, cell) in line.iter().enumerate().take(shown) {
            let cell = fitted(cell, widths[column]);
            let padding = " ".repeat(widths[column].saturating_sub(columns(&cell)));
            let is_number = matches!(column, 2 | 4 | 5);
            let gap = if column == 0 { "" } else { "  " };
            let (left, right) = if is_number { (padding, "".into()) } else { ("".into(), padding) };
            text.push_str(&format!("{gap}{left}{cell}{right}"));
        }
        page.line(&[(paint, text.trim_end())]);
    }
}

fn controls(row: &ModelRow) -> String {
    match row.controls_planted {
        // A model that must be refuted is its own control.
        0 => "-".into(),
        planted => format!("{} of {}", abbreviated(row.controls_caught), abbreviated(planted)),
    }
}

/// Hundredths of a second; a figure that is no time is a dash.
pub(super) fn seconds(seconds: f64) -> String {
    if (0.0..1e6).contains(&seconds) { format!("{seconds:.2}") } else { "-".into() }
}

/// What happened in one interleaving, in full.
fn one_story(page: &mut Page, row: &ModelRow, story: &str) {
    let name = safe_text::name(&row.name);
    let about = safe_text::terminal(&row.about);
    page.hanging(Paint::Strong, "  ", &format!("{name}: {about}"));
    let (lines, more) = safe_text::lines(story, MOST_STORY_LINES);
    for line in &lines {
        page.preformatted(line);
    }
    if let Some(more) = more {
        page.hanging(Paint::Faint, "  ", &more);
    }
    if let Some(command) = replay_command(row.reproduce_with.as_deref()) {
        page.command("  Reproduce with: ", command);
    }
}
