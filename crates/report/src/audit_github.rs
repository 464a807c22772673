//! An audit as annotations of GitHub Actions: what is new, where it was compared; else every call
//! site.

use std::fmt::Write as _;

use super::audit_phrases::{from_here, headline, remedy, what, why};
use super::github::{MOST_OF_A_KIND, command};
use super::safe_text;
use partywall_core::audit::{AuditRecord, Code, Risk, Use};

/// The lines to print on the runner.
pub fn render(audit: &AuditRecord) -> String {
    let mut uses: Vec<&Use> = match &audit.compared {
        Some(compared) => {
            compared.new.iter().filter_map(|at| audit.uses.get(*at as usize)).collect()
        }
        None => audit.uses.iter().filter(|found| found.is_call_site()).collect(),
    };
    uses.sort_by_key(|found| (level(audit, found) != "error", level(audit, found) == "notice"));
    let mut out = String::new();
    for level_name in ["error", "warning", "notice"] {
        let own = || uses.iter().filter(|found| level(audit, found) == level_name);
        for found in own().take(MOST_OF_A_KIND) {
            line(&mut out, level_name, audit, found);
        }
        if let Some(more) = own().count().checked_sub(MOST_OF_A_KIND).filter(|more| *more > 0) {
            let _ = writeln!(out, "{more} more of level {level_name}: see the JSON of the audit");
        }
    }
    let _ = writeln!(out, "{}", safe_text::visible(&headline(audit)));
    out
}

fn level(audit: &AuditRecord, found: &Use) -> &'static str {
    match (found.code, found.risk) {
        // What was compared has new ones only.
        _ if audit.compared.is_some() => "error",
        (Code::Application, Risk::High) => "error",
        (Code::Application, _) => "warning",
        (Code::Test, _) => "notice",
    }
}

fn line(out: &mut String, level: &str, audit: &AuditRecord, found: &Use) {
    let place = &found.place;
    let path = from_here(audit, &place.path);
    let mut message = what(audit, found);
    if !found.shown_by.is_empty() {
        let _ = write!(message, ": {}", why(found));
    }
    if let Some(remedy) = remedy(audit, found) {
        let _ = write!(message, "; use {remedy}");
    }
    let [line, column, end] =
        [place.line, place.column, place.end_column].map(|number| number.to_string());
    let properties = [
        ("file", path.as_str()),
        ("line", &line),
        ("col", &column),
        ("endColumn", &end),
        ("title", &found.symbol),
    ];
    let _ = writeln!(out, "{}", command(level, &properties, &safe_text::visible(&message)));
}
