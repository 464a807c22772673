//! The migration matrix, told: every state, what leaks alone, and in which order to migrate.

use super::page::{Page, Paint};
use super::phrases::{Quote, count, is_signoff};
use super::safe_text;
use crate::trial::migration::{MigrationRecord, StateRow, StateVerdict, StepRow};
use crate::trial::record::Record;

/// So many leaks of one step are told.
const MOST_LEAKS: usize = 2;

/// How many states come to that.
fn states(matrix: &MigrationRecord, verdict: StateVerdict) -> usize {
    matrix.states.iter().filter(|row| row.verdict == verdict).count()
}

/// `64 states of the migration: 40 leak, 8 latent, 16 clean`.
pub(super) fn title(matrix: &MigrationRecord) -> String {
    let mut parts = vec![
        format!("{} leak", states(matrix, StateVerdict::Leaked)),
        format!("{} latent", states(matrix, StateVerdict::Latent)),
        format!("{} clean", states(matrix, StateVerdict::Clean)),
    ];
    let doubtful = states(matrix, StateVerdict::Inconclusive);
    if doubtful > 0 {
        parts.push(format!("{doubtful} inconclusive"));
    }
    format!("{} states of the migration: {}", matrix.states.len(), parts.join(", "))
}

/// What the matrix comes to, in one sentence.
pub(super) fn verdict(matrix: &MigrationRecord) -> String {
    let told = |row: Option<&StateRow>| {
        row.map_or_else(String::new, |row| match row.verdict {
            StateVerdict::Leaked => {
                format!("{} of {} trials leak", count(row.leaking), count(row.trials))
            }
            verdict => format!("{} trials are {}", count(row.trials), verdict.as_str()),
        })
    };
    format!(
        "with no call site migrated {}, with all of them {}; {}.",
        told(matrix.states.first()),
        told(matrix.states.last()),
        title(matrix)
    )
}

/// What follows from all states together, a line each.
pub(super) fn summary(matrix: &MigrationRecord, quote: Quote) -> Vec<String> {
    let list = |sites: &[String]| match sites {
        [] => "none".to_owned(),
        sites => sites.iter().map(|site| quote(site)).collect::<Vec<_>>().join(", "),
    };
    let sets: Vec<String> = matrix.smallest_clean.iter().map(|set| list(set)).collect();
    let sets = if sets.is_empty() { "none".to_owned() } else { sets.join("; or ") };
    let mut lines = vec![
        format!("Leak although all others are migrated: {}", list(&matrix.leak_alone)),
        format!("Contaminate alone, without a leak on the wire: {}", list(&matrix.latent_alone)),
        format!("Smallest sets whose migration makes it clean: {sets}"),
    ];
    lines.extend(matrix.order.iter().enumerate().map(|(at, step)| of_step(at, step, quote)));
    lines
}

fn of_step(at: usize, step: &StepRow, quote: Quote) -> String {
    let mut text = format!(
        "Step {}: migrate {}; then {}",
        at + 1,
        quote(&step.migrate),
        step.verdict.as_str()
    );
    let leaks: Vec<String> = step
        .leaks
        .iter()
        .take(MOST_LEAKS)
        .map(|leak| format!("{} ({} trials)", quote(&leak.what), count(leak.trials)))
        .collect();
    if !leaks.is_empty() {
        text.push_str(&format!(": {}", leaks.join("; ")));
    }
    let more = step.leaks.len().saturating_sub(MOST_LEAKS);
    if more > 0 {
        text.push_str(&format!("; and {more} more"));
    }
    text
}

/// The matrix on a terminal: every state where the report is about them, else what follows.
pub(super) fn section(page: &mut Page, record: &Record) {
    let Some(matrix) = &record.migration else { return };
    page.heading(&title(matrix));
    if !is_signoff(record) {
        table(page, matrix);
    }
    for line in summary(matrix, safe_text::terminal) {
        page.hanging(Paint::Plain, "  - ", &line);
    }
}

/// A line for each state: a column for each site, filled where it is migrated.
fn table(page: &mut Page, matrix: &MigrationRecord) {
    for (at, site) in matrix.sites.iter().enumerate() {
        page.preformatted(&format!("  {}{} {}", "| ".repeat(at), at + 1, safe_text::name(site)));
    }
    let heads = ["trials", "ended", "leaking", "first", "latent"].map(|head| format!("{head:>8}"));
    page.preformatted(&format!("  {:<14}{:<13}{}", "", "", heads.join("")));
    for row in &matrix.states {
        let marks: Vec<&str> = matrix
            .sites
            .iter()
            .map(|site| if row.migrated.contains(site) { "#" } else { "." })
            .collect();
        let first = row.first_leak_at_trial.or(row.first_latent_at_trial);
        let cells = [
            count(row.trials),
            format!("{} %", row.runs_completed * 100 / row.runs_started.max(1)),
            count(row.leaking),
            first.map_or_else(|| "-".to_owned(), count),
            count(row.latent),
        ];
        let cells = cells.map(|cell| format!("{cell:>8}")).join("");
        let (marks, verdict) = (marks.join(" "), row.verdict.as_str());
        page.preformatted(&format!("  {marks:<14}{verdict:<13}{cells}"));
    }
    page.preformatted(
        "  # migrated, . legacy; ended: completed runs; first: first leaking or latent trial",
    );
}
