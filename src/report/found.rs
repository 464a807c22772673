//! The findings on a terminal: those that matter in full, those that were expected in short.

use super::page::{Page, Paint};
use super::phrases::{self, FindingGroup, MOST_FINDINGS, capped};
use super::safe_text;
use super::terminal::MOST_LINES;
use crate::trial::record::{FindingRecord, Level, Record};

/// All of them, what still leaks first.
pub(super) fn findings(page: &mut Page, record: &Record) {
    let mut number = 0;
    for FindingGroup { title, expected, found } in phrases::finding_groups(record) {
        page.heading(&format!("{title}: {}", found.len()));
        let (shown, rest) = found.split_at(found.len().min(MOST_FINDINGS));
        let (in_full, others) = shown.split_at(if expected { 1 } else { shown.len() });
        for (at, (level, finding)) in in_full.iter().enumerate() {
            if at > 0 {
                page.blank();
            }
            number += 1;
            one_finding(page, number, level, finding);
            // The causes say more than the observations, and nobody doubts what was expected.
            if !expected || finding.chain.is_empty() {
                evidence(page, finding);
            }
            reproduction(page, finding);
        }
        in_short(page, &mut number, record, others);
        if !rest.is_empty() {
            let more = format!("… and {} more findings in report.json.", rest.len());
            page.hanging(Paint::Strong, "  ", &more);
        }
    }
}

/// Two lines for each: what it is, and how to see it again.
fn in_short(
    page: &mut Page,
    number: &mut usize,
    record: &Record,
    found: &[(&Level, &FindingRecord)],
) {
    if found.is_empty() {
        return;
    }
    let commands = found.iter().filter_map(|(_, finding)| phrases::replay_command(finding));
    let folder = record.folder.as_deref().filter(|folder| {
        // From within the folder all of the lines must work, or none is shortened.
        commands.clone().all(|command| within(folder, command).is_some())
    });
    match folder {
        Some(folder) if commands.clone().next().is_some() => {
            page.command("  The others; first do: ", &format!("cd {folder}"));
        }
        _ => page.hanging(Paint::Plain, "  ", "The others:"),
    }
    for (_, finding) in found {
        *number += 1;
        let lead = format!(" {number:>2}. ");
        page.hanging(Paint::Strong, &lead, &safe_text::terminal(&finding.summary));
        if let Some(command) = phrases::replay_command(finding) {
            let shorter = folder.and_then(|folder| within(folder, command));
            // Less indented, so that most lines need no second one.
            page.command("  Reproduce with: ", shorter.as_deref().unwrap_or(command));
        }
    }
}

/// The command as it is to be given inside the run folder: only where its file is the only path in
/// it, and where the folder's name needs no quotes.
fn within(folder: &str, command: &str) -> Option<String> {
    let is_simple = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    let folder = folder.strip_suffix('/').unwrap_or(folder);
    if folder.is_empty() || folder.starts_with('-') || !folder.chars().all(is_simple) {
        return None;
    }
    let rest = command.strip_prefix("partywall replay ")?;
    let file = rest.strip_prefix(folder)?.strip_prefix('/')?;
    let (file, options) = file.split_once(' ').unwrap_or((file, ""));
    (file.chars().all(is_simple) && !options.contains('/'))
        .then(|| format!("partywall replay {file} {options}").trim_end().into())
}

fn one_finding(page: &mut Page, number: usize, level: &Level, finding: &FindingRecord) {
    let lead = format!(" {number:>2}. ");
    page.hanging(Paint::Strong, &lead, &safe_text::terminal(&finding.summary));
    if let Some(moment) = phrases::moment(finding, safe_text::terminal, safe_text::name) {
        fact(page, "where", &moment);
    }
    fact(page, "found by", &phrases::found_by(finding, safe_text::name));
    fact(page, "seen", &phrases::seen(level, finding));
    let (causes, more) = capped(&finding.chain, MOST_LINES);
    for (at, cause) in causes.iter().enumerate() {
        // The back end reported them, in this order.
        let label = if at == 0 { "causes" } else { "" };
        let lead = format!("     {label:<9}{}. ", at + 1);
        page.hanging(Paint::Plain, &lead, &safe_text::terminal(cause));
    }
    if let Some(more) = more {
        fact(page, "", &more);
    }
}

fn fact(page: &mut Page, label: &str, text: &str) {
    page.hanging(Paint::Plain, &format!("     {label:<9}"), text);
}

fn evidence(page: &mut Page, finding: &FindingRecord) {
    let (shown, more) = capped(&finding.evidence, 4);
    for (at, observation) in shown.iter().enumerate() {
        let label = if at == 0 { "evidence" } else { "" };
        let shows = safe_text::terminal(&observation.shows);
        fact(page, label, &format!("observation {}: {shows}", observation.n));
    }
    if let Some(more) = more {
        fact(page, "", &more);
    }
}

fn reproduction(page: &mut Page, finding: &FindingRecord) {
    if let Some(facts) = phrases::repro_facts(finding, safe_text::terminal) {
        fact(page, "repro", &facts);
    }
    if let Some(command) = phrases::replay_command(finding) {
        page.command("     Reproduce with: ", command);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_shortened_only_where_it_still_works() {
        let cases = [
            ("r/1", "partywall replay r/1/repros/a.json", Some("partywall replay repros/a.json")),
            (
                "r/1/",
                "partywall replay r/1/a.json --times 10",
                Some("partywall replay a.json --times 10"),
            ),
            ("r/1", "partywall replay r/12/a.json", None),
            ("r/1", "partywall replay other/a.json", None),
            ("r/1", "partywall replay r/1/a.json --with ./x", None),
            ("r 1", "partywall replay r 1/a.json", None),
            ("r/1", "partywall replay 'r/1/a.json'", None),
            ("$r", "partywall replay $r/a.json", None),
            ("-", "partywall replay -/a.json", None),
        ];
        for (folder, command, shorter) in cases {
            assert_eq!(within(folder, command).as_deref(), shorter, "{command}");
        }
    }
}
