//! The findings on a terminal: those that matter in full, those that were expected in short.

use super::groups::{FindingGroup, Found, finding_groups};
use super::page::{MOST_LINES, Page, Paint};
use super::phrases::{self, capped, replay_command};
use super::safe_text;
use partywall_core::record::{FindingRecord, Level, Record};

/// All of them, what still leaks first.
pub(super) fn findings(page: &mut Page, record: &Record) {
    let mut number = 0;
    for group in finding_groups(record) {
        let FindingGroup { title, expected, ref found } = group;
        page.heading(&format!("{title}: {}", found.len()));
        let (in_full, others, left) = group.parts();
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
        if left > 0 {
            let more = format!("… and {left} more findings in report.json.");
            page.hanging(Paint::Strong, "  ", &more);
        }
    }
}

/// For each what it is, and how to see it again.
fn in_short(page: &mut Page, number: &mut usize, record: &Record, found: &[Found<'_>]) {
    if found.is_empty() {
        return;
    }
    let command_of = |(_, finding): &Found<'_>| {
        replay_command(finding.reproduce_with.as_deref()).map(String::from)
    };
    let commands: Vec<String> = found.iter().filter_map(command_of).collect();
    let folder = record.folder.as_deref().and_then(|folder| common_folder(folder, &commands));
    match &folder {
        Some(folder) => {
            page.command("  Others, in short; first: ", &format!("cd {folder}"));
        }
        None => page.hanging(Paint::Plain, "  ", "Others, in short:"),
    }
    for one in found {
        *number += 1;
        let lead = format!(" {number:>2}. ");
        let summary = safe_text::terminal(&one.1.summary);
        let Some(command) = command_of(one) else {
            page.hanging(Paint::Strong, &lead, &summary);
            continue;
        };
        page.noted(Paint::Strong, &lead, &summary, "Reproduce with:");
        let shorter = folder.as_deref().and_then(|folder| within(folder, &command));
        // Less indented, so that most lines need no second one.
        page.command("  ", &shorter.unwrap_or(command));
    }
}

/// The deepest folder from within which all of the commands work when they are shortened.
fn common_folder(run: &str, commands: &[String]) -> Option<String> {
    let run = run.strip_suffix('/').unwrap_or(run);
    let works = |folder: &String| {
        !commands.is_empty() && commands.iter().all(|command| within(folder, command).is_some())
    };
    [format!("{run}/repros"), run.to_owned()].into_iter().find(works)
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
    if let Some(mechanism) = &finding.mechanism {
        fact(page, "likely", &safe_text::terminal(mechanism));
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
    let facts = phrases::repro_facts(finding, safe_text::terminal);
    let command = replay_command(finding.reproduce_with.as_deref());
    let lead = format!("     {:<9}", "repro");
    match (facts, command) {
        (Some(facts), Some(command)) => {
            page.noted(Paint::Plain, &lead, &facts, "Reproduce with:");
            page.command("", command);
        }
        (Some(facts), None) => page.hanging(Paint::Plain, &lead, &facts),
        (None, Some(command)) => page.command("     Reproduce with: ", command),
        (None, None) => {}
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
        let commands = ["partywall replay r/1/repros/a.json", "partywall replay r/1/b.json"];
        let commands = commands.map(String::from);
        assert_eq!(common_folder("r/1/", &commands[..1]).as_deref(), Some("r/1/repros"));
        assert_eq!(common_folder("r/1", &commands).as_deref(), Some("r/1"));
        assert_eq!(common_folder("r/2", &commands), None);
        assert_eq!(common_folder("r/1", &[]), None);
    }
}
