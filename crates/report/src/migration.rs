//! The migration matrix, told: the states, what leaks alone, and in which order to migrate.

use super::page::{Page, Paint};
use super::phrases::{Quote, count, is_signoff};
use super::safe_text;
use partywall_core::migration::{
    Exercise, MigrationRecord, SiteRow, StateRow, StateVerdict, StepRow,
};
use partywall_core::record::Record;

/// So many leaks of one step are told.
const MOST_LEAKS: usize = 2;
/// What the heads of a state's figures are, and what they mean.
pub(super) const HEADS: [&str; 5] = ["trials", "ended", "leaking", "first", "latent"];
pub(super) const LEGEND: &str =
    "# migrated, . legacy; ended: completed runs; first: first leaking or latent trial";
pub(super) const LISTED_LEGEND: &str = "# migrated; legacy: x exercised, s ran before the workload only, - not exercised, ? unknown; \
     trials are rounds; ended: completed runs; first: first leaking round";

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
    let listed = if matrix.is_listed() { " listed" } else { "" };
    format!("{}{listed} states of the migration: {}", matrix.states.len(), parts.join(", "))
}

/// What the matrix comes to, in one sentence.
pub(super) fn verdict(matrix: &MigrationRecord) -> String {
    let unit = if matrix.is_listed() { "rounds" } else { "trials" };
    let told = |migrated: usize, head: &str| {
        let row = matrix.states.iter().find(|row| row.migrated.len() == migrated);
        row.map(|row| match row.verdict {
            StateVerdict::Leaked => {
                format!("{head} {} of {} {unit} leak, ", count(row.leaking), count(row.trials))
            }
            verdict => format!("{head} {} {unit} are {}, ", count(row.trials), verdict.as_str()),
        })
    };
    let first = told(0, "with no call site migrated").unwrap_or_default();
    let last = told(matrix.sites.len(), "with all of them");
    let last = match last {
        Some(last) => last,
        None => "the state with all of them migrated is not listed, ".into(),
    };
    let ends = format!("{first}{last}");
    format!("{}; {}.", ends.trim_end_matches([',', ' ']), title(matrix))
}

/// What follows from all states together, a line each.
pub(super) fn summary(matrix: &MigrationRecord, quote: Quote) -> Vec<String> {
    let list = |sites: &[String]| match sites {
        [] => "none".to_owned(),
        sites => sites.iter().map(|site| quote(site)).collect::<Vec<_>>().join(", "),
    };
    let sets: Vec<String> = matrix.smallest_clean.iter().map(|set| list(set)).collect();
    let sets = if sets.is_empty() { "none".to_owned() } else { sets.join("; or ") };
    let listed = if matrix.is_listed() { ", as far as the listed states show" } else { "" };
    let mut lines: Vec<String> =
        matrix.site_rows.iter().map(|row| of_site(matrix, row, quote)).collect();
    lines.extend([
        format!("Leak although all others are migrated{listed}: {}", list(&matrix.leak_alone)),
        format!("Contaminate alone, without a leak on the wire: {}", list(&matrix.latent_alone)),
        format!("Smallest sets whose migration makes it clean{listed}: {sets}"),
    ]);
    lines.extend(matrix.order.iter().enumerate().map(|(at, step)| of_step(at, step, quote)));
    if matrix.is_listed() {
        lines.extend(matrix.states.iter().filter_map(|row| of_state(row, quote)));
    }
    let open = matrix.undetermined.iter();
    lines.extend(open.map(|text| format!("The listed states do not determine {}", quote(text))));
    lines
}

/// What is known of a call site of somebody's own system.
fn of_site(matrix: &MigrationRecord, row: &SiteRow, quote: Quote) -> String {
    let alone = match row.alone {
        _ if !matrix.sites.contains(&row.site) => "in no listed state".to_owned(),
        None => "no listed state has it legacy alone".to_owned(),
        Some(verdict) => format!("legacy alone: {}", verdict.as_str()),
    };
    let audited = match row.audited.as_slice() {
        [] => String::new(),
        [only] if *only == row.site => String::new(),
        [first, more @ ..] => {
            let more = if more.is_empty() { "" } else { " and elsewhere" };
            format!("; audited at {}{more}", quote(first))
        }
    };
    format!(
        "Call site {}: {} ({}); {alone}{audited}",
        quote(&row.site),
        row.exercised.as_str(),
        quote(&row.shown_by)
    )
}

/// How a listed state's leak is had again, or why it is inconclusive.
fn of_state(row: &StateRow, quote: Quote) -> Option<String> {
    let name = quote(row.name.as_deref()?);
    let leak = row.leaks.first().and_then(|leak| Some((leak, leak.reproduce_with.as_deref()?)));
    match (row.verdict, leak, row.doubts.as_slice()) {
        (StateVerdict::Leaked, Some((leak, line)), _) => Some(format!(
            "State {name} leaks {}. Reproduce with: {}",
            quote(&leak.what),
            quote(line)
        )),
        (_, _, []) => None,
        (verdict, _, doubts) => {
            let doubts: Vec<String> = doubts.iter().map(|doubt| quote(doubt)).collect();
            Some(format!("State {name} is {}: {}", verdict.as_str(), doubts.join("; ")))
        }
    }
}

fn of_step(at: usize, step: &StepRow, quote: Quote) -> String {
    let sites: Vec<String> = step.migrate.iter().map(|site| quote(site)).collect();
    let mut text =
        format!("Step {}: migrate {}; then {}", at + 1, sites.join(", "), step.verdict.as_str());
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

/// The matrix on a terminal: the states where the report is about them, else what follows.
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
    let width = matrix.sites.len() * 2 + 1;
    let narrow = |cells: [String; 5]| {
        let widths = [7, 6, 8, 6, 7].into_iter();
        cells.iter().zip(widths).map(|(cell, width)| format!("{cell:>width$}")).collect::<String>()
    };
    let heads = narrow(HEADS.map(String::from));
    page.preformatted(&format!("  {:<width$}{:<13}{heads}", "", ""));
    for row in &matrix.states {
        let marks = matrix.sites.iter().map(|site| mark(row, site)).collect::<Vec<_>>().join(" ");
        let cells = narrow(cells(row));
        let name = row.name.as_deref().map(safe_text::name).unwrap_or_default();
        let verdict = row.verdict.as_str();
        page.preformatted(&format!("  {marks:<width$}{verdict:<13}{cells}  {name}"));
    }
    page.hanging(Paint::Faint, "  ", legend(matrix));
}

pub(super) fn legend(matrix: &MigrationRecord) -> &'static str {
    if matrix.is_listed() { LISTED_LEGEND } else { LEGEND }
}

/// The figures of a state, as [`HEADS`] has them.
pub(super) fn cells(row: &StateRow) -> [String; 5] {
    let first = row.first_leak_at_trial.or(row.first_latent_at_trial);
    let latent = match (row.name.is_some(), row.contaminated) {
        (false, _) => count(row.latent),
        (true, None) => "?".into(),
        (true, Some(told)) => if told { "yes" } else { "no" }.into(),
    };
    [
        count(row.trials),
        format!("{} %", row.runs_completed * 100 / row.runs_started.max(1)),
        count(row.leaking),
        first.map_or_else(|| "-".to_owned(), count),
        latent,
    ]
}

/// What stands for a site in a state.
pub(super) fn mark(row: &StateRow, site: &String) -> &'static str {
    if row.migrated.contains(site) {
        return "#";
    }
    match row.legacy.iter().find(|own| own.site == *site).map(|own| own.exercised) {
        None => ".",
        Some(Exercise::Exercised) => "x",
        Some(Exercise::BeforeOnly) => "s",
        Some(Exercise::NotExercised) => "-",
        Some(Exercise::Unknown) => "?",
    }
}
