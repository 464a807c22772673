//! The report on a terminal: for someone who has never seen the project, at 80 columns.
//!
//! The verdict comes first, in one sentence; then the figures, before beside after; then what was
//! found; then what a reader should know before believing it.

pub use super::page::Style;
use super::page::{MOST_LINES, Page, Paint};
use super::phrases::{self, capped};
use super::{
    advice, audit_phrases, bounds, detection, figures, found, heard, migration, models, safe_text,
    sentence,
};
use partywall_core::record::Record;
use partywall_core::verdict::Outcome;

/// The whole report.
pub fn render(record: &Record, style: Style) -> String {
    let mut page = Page::new(style);
    verdict(&mut page, record);
    let bounds = bounds::bounds(record, safe_text::name, safe_text::terminal);
    figures::figures(&mut page, record, !bounds.is_empty());
    list(&mut page, "Leak bound: how likely a leak could still be", &bounds);
    models::section(&mut page, record);
    migration::section(&mut page, record);
    detection::section(&mut page, record);
    audit_phrases::section(&mut page, record);
    found::findings(&mut page, record);
    list(&mut page, "Who saw whose data", &phrases::who_saw_whose(record, safe_text::name));
    list(
        &mut page,
        "Findings of before, replayed after the migration",
        &phrases::cross_checks(record, safe_text::name),
    );
    list(
        &mut page,
        "Saved repros, replayed first",
        &phrases::saved_repros(record, safe_text::terminal),
    );
    list(
        &mut page,
        "Controls that were missed",
        &advice::missed_controls(record, safe_text::terminal),
    );
    list(
        &mut page,
        "Oracles that could say nothing",
        &phrases::blind_oracles(record, safe_text::terminal),
    );
    list(&mut page, "What was not tried", &advice::not_tried(record, safe_text::terminal));
    page.blank();
    page.hanging(Paint::Plain, "", &phrases::whereabouts(record, safe_text::terminal));
    page.hanging(Paint::Faint, "", &phrases::origin(record, safe_text::name));
    page.finish()
}

fn verdict(page: &mut Page, record: &Record) {
    let paint = match record.verdict {
        Outcome::Clean | Outcome::Fixed => Paint::Good,
        Outcome::Leaked | Outcome::StillLeaks | Outcome::NotMigrated => Paint::Bad,
        Outcome::BaselineClean | Outcome::Inconclusive => Paint::Doubt,
    };
    let headline = sentence::headline(record.verdict);
    page.hanging(paint, "", &format!("{headline}: {}", sentence::verdict(record)));
    for (name, backend) in phrases::driven(record) {
        let lead = format!("  {name:<7} ");
        page.hanging(Paint::Plain, &lead, &safe_text::terminal(backend));
    }
    let reasons = advice::reasons(record, by_line);
    let (shown, more) = capped(&reasons, MOST_LINES);
    for (at, reason) in shown.iter().chain(&more).enumerate() {
        let lead = format!("  {:<7} - ", if at == 0 { "why" } else { "" });
        let mut lines = reason.split('\n');
        page.hanging(Paint::Plain, &lead, lines.next().unwrap_or_default());
        for line in lines {
            page.hanging(Paint::Plain, &" ".repeat(lead.len() + 2), line);
        }
    }
    list(page, "What the server said", &heard::lines(record, safe_text::terminal));
    list(page, "What to do", &advice::next_steps(record, safe_text::terminal));
}

/// A text whose line breaks mean something, such as the last lines that a server printed.
fn by_line(text: &str) -> String {
    text.split('\n').map(safe_text::terminal).collect::<Vec<_>>().join("\n")
}

/// A titled list, capped; nothing where it is empty.
fn list(page: &mut Page, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    page.heading(title);
    let (shown, more) = capped(lines, MOST_LINES);
    for line in shown {
        page.hanging(Paint::Plain, "  - ", line);
    }
    if let Some(more) = more {
        page.hanging(Paint::Faint, "  ", &more);
    }
}
