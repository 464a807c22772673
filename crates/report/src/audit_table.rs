//! An audit on a terminal: those at risk first, with the lines that show it.

use super::audit_phrases::{headline, partly_read, place, remedy, searched, suspect, what};
use super::page::{Page, Paint, Style};
use super::phrases::count;
use super::safe_text;
use partywall_core::audit::{AuditRecord, Code, Risk, Shown, Use, UseKind};

/// So many lines of one list are shown; JSON has them all.
const MOST: usize = 200;

/// So many suspects are shown.
const MOST_SUSPECTS: usize = 30;

/// The whole table.
pub fn render(audit: &AuditRecord, style: Style) -> String {
    let mut page = Page::new(style);
    let paint = if audit.remaining().next().is_none() { Paint::Good } else { Paint::Bad };
    page.hanging(paint, "", &capital(&headline(audit)));
    page.hanging(Paint::Plain, "  ", &searched(audit));
    for row in &audit.symbols {
        if let Some(replacement) = &row.replacement {
            let name = safe_text::name(replacement);
            let text = format!("{name} is called {} times already", count(row.replaced));
            page.hanging(Paint::Plain, "  ", &text);
        }
    }
    compared(&mut page, audit);
    let is_site = |found: &&Use| found.is_call_site();
    let is_high = |found: &&Use| found.code == Code::Application && found.risk == Risk::High;
    let sites = || audit.uses.iter().filter(is_site);
    list(&mut page, audit, "Call sites at high risk", sites().filter(is_high), true);
    let rest = sites().filter(|found| !is_high(found));
    let application = rest.clone().filter(|found| found.code == Code::Application);
    list(&mut page, audit, "Other call sites in application code", application, true);
    let tests = rest.filter(|found| found.code == Code::Test);
    list(&mut page, audit, "Call sites in tests", tests, false);
    let other = |found: &&Use| !found.is_call_site() && found.kind.is_counted();
    let other = audit.uses.iter().filter(other);
    list(&mut page, audit, "Imports, aliases, references and strings that name it", other, false);
    let rest = [UseKind::Definition, UseKind::Mention].map(|kind| {
        let number = audit.uses.iter().filter(|found| found.kind == kind).count();
        format!("{number} {}{}", kind.as_str(), if number == 1 { "" } else { "s" })
    });
    page.blank();
    page.hanging(Paint::Faint, "", &format!("Not counted: {}", rest.join(", ")));
    suspects(&mut page, audit);
    files(&mut page, audit);
    page.finish()
}

fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

fn compared(page: &mut Page, audit: &AuditRecord) {
    let Some(compared) = &audit.compared else { return };
    let text = format!(
        "{} uses, {} in {}: {} new, {} gone",
        compared.now,
        compared.before,
        safe_text::terminal(&compared.baseline),
        compared.new.len(),
        compared.gone
    );
    page.hanging(Paint::Plain, "  ", &text);
    let new = compared.new.iter().filter_map(|at| audit.uses.get(*at as usize));
    list(page, audit, "New since then", new, true);
}

fn list<'u>(
    page: &mut Page,
    audit: &AuditRecord,
    title: &str,
    uses: impl Iterator<Item = &'u Use>,
    with_source: bool,
) {
    let uses: Vec<_> = uses.collect();
    if uses.is_empty() {
        return;
    }
    page.heading(&format!("{title}: {}", uses.len()));
    for found in uses.iter().take(MOST) {
        page.hanging(Paint::Strong, "  ", &place(&found.place));
        page.hanging(Paint::Plain, "    ", &what(audit, found));
        if with_source {
            page.hanging(Paint::Faint, "    > ", &safe_text::terminal(&found.text));
            evidence(page, &found.shown_by);
            if let Some(remedy) = remedy(audit, found).filter(|_| found.risk == Risk::High) {
                page.hanging(Paint::Plain, "    ", &format!("use {remedy} instead"));
            }
        }
    }
    more(page, uses.len(), MOST);
}

fn evidence(page: &mut Page, shown: &[Shown]) {
    for Shown { what, path, line, text } in shown {
        let text = format!("{}: {}", safe_text::terminal(what), safe_text::terminal(text));
        let place = match path {
            Some(path) => format!("    {}:{line}: ", safe_text::terminal(path)),
            None => format!("    line {line}: "),
        };
        page.hanging(Paint::Plain, &place, &text);
    }
}

fn more(page: &mut Page, all: usize, shown: usize) {
    if let Some(more) = all.checked_sub(shown).filter(|more| *more > 0) {
        page.hanging(Paint::Faint, "  ", &format!("… and {more} more: --format json has them all"));
    }
}

fn suspects(page: &mut Page, audit: &AuditRecord) {
    if !audit.searched_singletons {
        return;
    }
    page.heading(&format!("What else all users may share (suspects): {}", audit.suspects.len()));
    for found in audit.suspects.iter().take(MOST_SUSPECTS) {
        page.hanging(Paint::Strong, "  ", &place(&found.place));
        page.hanging(Paint::Plain, "    ", &suspect(found));
        evidence(page, &found.shown_by);
    }
    more(page, audit.suspects.len(), MOST_SUSPECTS);
}

fn files(page: &mut Page, audit: &AuditRecord) {
    let broken = audit
        .files
        .broken
        .iter()
        .map(|file| format!("{}: {}", safe_text::terminal(&file.path), partly_read(file)));
    let skipped = audit.files.skipped.iter().map(|file| {
        format!("{}: {}", safe_text::terminal(&file.path), safe_text::terminal(&file.why))
    });
    let broken: Vec<_> = broken.collect();
    let skipped: Vec<_> = skipped.collect();
    for (title, lines) in [("Partly read", broken), ("Could not be searched", skipped)] {
        if lines.is_empty() {
            continue;
        }
        page.heading(&format!("{title}: {}", lines.len()));
        for line in lines.iter().take(MOST) {
            page.hanging(Paint::Plain, "  ", line);
        }
        more(page, lines.len(), MOST);
    }
}
