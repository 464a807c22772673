//! What `partywall explain ORACLE` prints.

use super::page::{Page, Paint, Style};
use partywall_core::record::Rule;

/// What an oracle looks for, when it is blind, and what to check when it fires; at 80 columns.
pub fn explain(rule: &Rule) -> String {
    let mut page = Page::new(Style::default());
    page.hanging(Paint::Strong, "", &rule.oracle.to_string());
    page.hanging(Paint::Plain, "", &rule.short);
    let parts = [
        ("When it fires", &rule.meaning),
        ("When it can say nothing", &rule.precondition),
        ("What to check next", &rule.next),
    ];
    for (title, text) in parts {
        page.heading(title);
        // The rules are partywall's own text, so its paragraphs are kept.
        for paragraph in text.lines() {
            page.hanging(Paint::Plain, "  ", paragraph);
        }
    }
    page.finish()
}
