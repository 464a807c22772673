//! Two reports beside each other: for the terminal, for a pull request, and for scripts.

use super::page::{Page, Paint, Style};
use super::phrases::{capped, replay_command};
use super::{safe_text, sentence};
use partywall_core::compared::{Compare, Compared, ComparedFinding, CoverageChange};
use partywall_core::verdict::Reason;

/// How many findings of one list are told.
const MOST: usize = 20;

/// The comparison as JSON, with a final newline.
pub fn json(compared: &Compared) -> String {
    let text = serde_json::to_string_pretty(compared)
        .expect("a comparison has string keys only, and nothing in it fails to serialise");
    text + "\n"
}

/// In one sentence.
fn headline(compared: &Compared) -> String {
    let Compared { appeared, remaining, known, gone, not_tried, .. } = compared;
    let parts = [
        (appeared.len(), "new"),
        (remaining.len(), "still there"),
        (known.len(), "known"),
        (gone.len(), "gone"),
        (not_tried.len(), "not tried again"),
    ];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(n, words)| *n > 0 || *words == "new")
        .map(|(n, words)| format!("{n} {words}"))
        .collect();
    let less = compared.coverage.iter().filter(|row| row.less).count();
    let less = match less {
        0 => String::new(),
        1 => "; 1 figure is clearly less than then".into(),
        n => format!("; {n} figures are clearly less than then"),
    };
    format!("findings: {}{less}", parts.join(", "))
}

type List<'c> = (&'static str, &'c [ComparedFinding]);

fn lists(compared: &Compared) -> [List<'_>; 5] {
    [
        ("New", &compared.appeared),
        ("Still there", &compared.remaining),
        ("Known, in the baseline", &compared.known),
        ("Gone", &compared.gone),
        ("Found then, not tried now", &compared.not_tried),
    ]
}

/// The comparison on a terminal.
pub fn terminal(compared: &Compared, style: Style) -> String {
    let mut page = Page::new(style);
    let is_good = compared.appeared.is_empty() && compared.other_leaks.is_empty();
    let (paint, word) = match (is_good, compared.appeared.is_empty()) {
        (true, _) if compared.doubts.is_empty() => (Paint::Good, "NOTHING NEW"),
        (true, _) => (Paint::Doubt, "IN DOUBT"),
        (false, false) => (Paint::Bad, "NEW FINDINGS"),
        (false, true) => (Paint::Bad, "OTHER LEAKS"),
    };
    page.hanging(paint, "", &format!("{word}: {}", headline(compared)));
    for (lead, report) in [("then", compared.old.as_ref()), ("now", Some(&compared.new))] {
        if let Some(report) = report {
            page.hanging(
                Paint::Plain,
                &format!("  {lead:<5} "),
                &one_report(report, safe_text::terminal),
            );
        }
    }
    for (title, found) in lists(compared) {
        if found.is_empty() {
            continue;
        }
        page.heading(&format!("{title}: {}", found.len()));
        let (shown, more) = capped(found, MOST);
        for one in shown {
            page.hanging(Paint::Plain, "  - ", &one_finding(one, safe_text::terminal));
            if let Some(command) =
                replay_command(one.reproduce_with.as_deref()).filter(|_| title == "New")
            {
                page.command("    Reproduce with: ", command);
            }
        }
        if let Some(more) = more {
            page.hanging(Paint::Faint, "  ", &more);
        }
    }
    let less: Vec<_> = compared.coverage.iter().filter(|row| row.less).collect();
    if !less.is_empty() {
        page.heading("Clearly less than then");
        for row in less.iter().take(MOST) {
            page.hanging(Paint::Doubt, "  - ", &change(row, safe_text::name));
        }
    }
    for (title, reasons) in beside_findings(compared) {
        if !reasons.is_empty() {
            page.heading(title);
        }
        for reason in reasons.iter().take(MOST) {
            page.hanging(Paint::Doubt, "  - ", &safe_text::terminal(&reason.text));
        }
    }
    if !compared.unneeded.is_empty() {
        page.heading("Baseline entries that nothing needs any more");
        for fingerprint in compared.unneeded.iter().take(MOST) {
            page.hanging(Paint::Plain, "  - ", &safe_text::name(fingerprint));
        }
    }
    page.finish()
}

/// The comparison for a pull request.
pub fn markdown(compared: &Compared) -> String {
    let mut out = format!("### partywall compare: {}\n\n", headline(compared));
    for (lead, report) in [("then", compared.old.as_ref()), ("now", Some(&compared.new))] {
        if let Some(report) = report {
            out.push_str(&format!("- {lead}: {}\n", one_report(report, safe_text::markdown)));
        }
    }
    for (title, found) in lists(compared) {
        if found.is_empty() {
            continue;
        }
        out.push_str(&format!("\n<details><summary>{title} ({})</summary>\n\n", found.len()));
        let (shown, more) = capped(found, 8);
        for one in shown {
            out.push_str(&format!("- {}\n", one_finding(one, safe_text::markdown)));
        }
        if let Some(more) = more {
            out.push_str(&format!("- {more}\n"));
        }
        out.push_str("</details>\n");
    }
    let less: Vec<_> = compared.coverage.iter().filter(|row| row.less).collect();
    if !less.is_empty() {
        out.push_str("\nClearly less than then:\n\n");
        for row in less.iter().take(8) {
            out.push_str(&format!("- {}\n", change(row, safe_text::markdown_name)));
        }
    }
    for (title, reasons) in beside_findings(compared) {
        if !reasons.is_empty() {
            out.push_str(&format!("\n{title}:\n\n"));
        }
        for reason in reasons.iter().take(MOST) {
            out.push_str(&format!("- {}\n", safe_text::markdown(&reason.text)));
        }
    }
    out
}

/// What a gate does not pass with besides new findings.
fn beside_findings(compared: &Compared) -> [(&'static str, &[Reason]); 2] {
    [
        ("Leaks that no baseline can accept", &compared.other_leaks),
        ("Why a gate does not pass, whatever is accepted", &compared.doubts),
    ]
}

fn one_report(report: &Compare, quote: fn(&str) -> String) -> String {
    format!(
        "{}, {}, {}",
        quote(&report.name),
        quote(&report.started_at),
        sentence::headline(report.verdict)
    )
}

fn one_finding(found: &ComparedFinding, quote: fn(&str) -> String) -> String {
    let note = found.note.as_deref().map(|note| format!(": {}", quote(note))).unwrap_or_default();
    format!(
        "{} ({}, {}, {} of {}){note}",
        quote(&found.summary),
        found.oracle,
        quote(found.fingerprint.as_str()),
        found.level.as_str(),
        quote(&found.scenario),
    )
}

fn change(row: &CoverageChange, quote: fn(&str) -> String) -> String {
    let figure = |value: f64| {
        if row.is_share { format!("{:.1} %", value * 100.0) } else { format!("{value:.0}") }
    };
    format!(
        "{} of {}: {} {}, then {}",
        row.level.as_str(),
        quote(&row.scenario),
        quote(&row.figure),
        figure(row.new),
        figure(row.old)
    )
}
