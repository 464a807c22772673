//! What the reports of an audit have in common.

use super::page::{Page, Paint};
use super::phrases::{Quote, capped};
use super::safe_text;
use partywall_core::audit::{AuditRecord, BrokenFile, Code, Risk, SingletonSuspect, Use};
use partywall_core::record::Record;

/// So many of the call sites, and of the suspects, stand in a sign-off.
const MOST: usize = 10;

/// The headline: how many call sites remain.
pub(super) fn headline(audit: &AuditRecord) -> String {
    let (application, tests) = sites(audit);
    let names: Vec<_> = audit.symbols.iter().map(|symbol| safe_text::name(&symbol.name)).collect();
    let high = audit.remaining().filter(|found| found.risk == Risk::High).count();
    let risky = match high {
        0 => String::new(),
        high => format!(", {high} of them at high risk"),
    };
    format!(
        "{} of {} in application code{risky}; {} in tests",
        sites_remain(application),
        names.join(", "),
        tests
    )
}

fn sites_remain(count: usize) -> String {
    match count {
        0 => "no call site is left".into(),
        1 => "1 call site remains".into(),
        count => format!("{count} call sites remain"),
    }
}

/// Call sites in application code and in tests.
pub(super) fn sites(audit: &AuditRecord) -> (usize, usize) {
    let sites = audit.uses.iter().filter(|found| found.is_call_site());
    let (application, tests): (Vec<_>, Vec<_>) =
        sites.partition(|found| found.code == Code::Application);
    (application.len(), tests.len())
}

/// What was read, in one sentence.
pub(super) fn searched(audit: &AuditRecord) -> String {
    let files = &audit.files;
    let mut text = format!("{} files searched, {} parsed", files.found, files.parsed);
    if !files.broken.is_empty() {
        text.push_str(&format!(
            "; {} of them partly read, and searched all the same",
            files.broken.len()
        ));
    }
    if files.generated > 0 {
        text.push_str(&format!("; {} left out that programs made", files.generated));
    }
    if !files.skipped.is_empty() {
        text.push_str(&format!("; {} could not be read", files.skipped.len()));
    }
    text
}

/// Which lines of a file were not understood: `partly read; not understood: lines 3–5, 9`.
pub(super) fn partly_read(file: &BrokenFile) -> String {
    let lines = file.unread.iter().map(|range| match range.first == range.last {
        true => range.first.to_string(),
        false => format!("{}–{}", range.first, range.last),
    });
    let mut lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        lines.push(file.line.to_string());
    }
    format!("partly read; not understood: lines {}", lines.join(", "))
}

/// What is used how and where: `call in async chat (configured, stored on self)`.
pub(super) fn what(audit: &AuditRecord, found: &Use) -> String {
    let mut text = found.kind.as_str().to_owned();
    if audit.symbols.len() > 1 {
        text = format!("{text} of {}", safe_text::name(&found.symbol));
    }
    if let Some(alias) = &found.alias {
        text.push_str(&format!(" as {}", safe_text::name(alias)));
    }
    if let Some(function) = &found.function {
        let kind = if found.in_async { "async " } else { "" };
        text.push_str(&format!(" in {kind}{}", safe_text::name(function)));
    }
    if found.by_text {
        text.push_str(", by its text only: the syntax is broken there");
    }
    text
}

/// Why a use is at risk, in a few words.
pub(super) fn why(found: &Use) -> String {
    let mut whys: Vec<&str> = found.shown_by.iter().map(|shown| shown.what.as_str()).collect();
    whys.dedup();
    whys.join(", ")
}

/// What takes an accessor's place.
pub(super) fn remedy(audit: &AuditRecord, found: &Use) -> Option<String> {
    let row = audit.symbols.iter().find(|row| row.name == found.symbol)?;
    row.replacement.as_deref().map(safe_text::name)
}

/// A suspect in one sentence.
pub(super) fn suspect(suspect: &SingletonSuspect) -> String {
    let name = safe_text::name(&suspect.name);
    let mut text = format!("{}: {name}, score {}", suspect.kind.as_str(), suspect.score);
    if let Some(route) = &suspect.reached_from {
        text.push_str(&format!(", reached from {}", safe_text::terminal(route)));
    }
    if suspect.browser {
        text.push_str(" (browser code)");
    }
    text
}

/// `path:line:column`.
pub(super) fn place(place: &partywall_core::audit::Place) -> String {
    format!("{}:{}:{}", safe_text::terminal(&place.path), place.line, place.column)
}

/// A file as it is named from where the audit was started: code scanning and annotations take paths
/// of the repository, not of the folder that was searched.
pub(super) fn from_here(audit: &AuditRecord, path: &str) -> String {
    let root = audit.root.trim_end_matches('/');
    let root = root.strip_prefix("./").unwrap_or(root);
    let is_file = root.rsplit('/').next() == Some(path);
    match root {
        "" if audit.root.starts_with('/') => format!("/{path}"),
        "" | "." => path.to_owned(),
        root if is_file => root.to_owned(),
        root => format!("{root}/{path}"),
    }
}

/// The audit in the report of a sign-off, a line each: the remaining call sites, then suspects.
pub(super) fn lines(audit: &AuditRecord, quote: Quote) -> Vec<String> {
    let of_use = |found: &Use| {
        let risk = match found.risk {
            Risk::None => String::new(),
            risk => format!(", {} risk ({})", risk.as_str(), quote(&why(found))),
        };
        quote(&format!("{}: {}", place(&found.place), what(audit, found))) + &risk
    };
    let sites: Vec<String> = audit.remaining().map(of_use).collect();
    let of_suspect = |found: &SingletonSuspect| {
        quote(&format!("{}: suspect, {}", place(&found.place), suspect(found)))
    };
    let suspects: Vec<String> = audit.suspects.iter().map(of_suspect).collect();
    let mut lines = Vec::new();
    for items in [sites, suspects] {
        let (shown, more) = capped(&items, MOST);
        lines.extend(shown.iter().cloned().chain(more));
    }
    lines
}

/// The same on a terminal.
pub(super) fn section(page: &mut Page, record: &Record) {
    let Some(audit) = &record.audit else { return };
    page.heading(&format!("In the source: {}", headline(audit)));
    page.hanging(Paint::Faint, "  ", &searched(audit));
    for line in lines(audit, safe_text::terminal) {
        page.hanging(Paint::Plain, "  - ", &line);
    }
}
