//! GitHub Actions: annotations beside the scenario's line, and the step summary.

use super::groups::finding_groups;
use super::safe_text::{name, terminal};
use super::{advice, latent, markdown, phrases, sentence, warned};
use partywall_core::record::{FindingRecord, Level, Record};
use partywall_core::verdict::Outcome;

/// GitHub shows no more of one kind.
pub(super) const MOST_OF_A_KIND: usize = 10;
/// A longer summary is refused.
const LONGEST_SUMMARY: usize = 1 << 20;

/// Text in which no line is taken for a command: commands are off around it, and `token` ends that.
/// Nobody who sends text here may know it.
pub fn guarded(text: &str, token: &str) -> String {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("::stop-commands::{token}\n{text}{end}::{token}::\n")
}

/// The annotations, each a line of its own, at most ten of a kind.
pub fn annotations(record: &Record) -> String {
    let mut errors = Vec::new();
    let mut notices = Vec::new();
    for group in finding_groups(record) {
        let kind = if group.expected { "notice" } else { "error" };
        let out = if group.expected { &mut notices } else { &mut errors };
        out.extend(group.found.iter().map(|(level, finding)| of_finding(kind, level, finding)));
    }
    let mut warnings = Vec::new();
    if matches!(record.verdict, Outcome::Inconclusive | Outcome::BaselineClean) {
        let title = sentence::headline(record.verdict);
        for reason in advice::reasons(record, terminal) {
            warnings.push(command("warning", &[("title", title)], &reason));
        }
    }
    warnings.extend(warned::seen(record).map(|(side, level, found)| {
        let title = [("title", warned::title(found.kind))];
        command("warning", &title, &warned::line(side, level, found, terminal))
    }));
    let latent = latent::warnings(record, terminal);
    warnings
        .extend(latent.iter().map(|line| command("warning", &[("title", latent::TITLE)], line)));
    let mut text = String::new();
    for (kind, mut lines) in [("error", errors), ("warning", warnings), ("notice", notices)] {
        let left = lines.len().saturating_sub(MOST_OF_A_KIND);
        if left > 0 {
            // The last place says how many are left, the one that it took included.
            lines.truncate(MOST_OF_A_KIND - 1);
            let more = format!("{} more in the report", left + 1);
            lines.push(command(kind, &[("title", "partywall")], &more));
        }
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

fn of_finding(kind: &str, level: &Level, finding: &FindingRecord) -> String {
    let title = format!("{} ({})", finding.oracle, finding.kind.as_str());
    let line = level.source.as_ref().map(|source| source.line.to_string());
    let mut properties = Vec::new();
    if let (Some(source), Some(line)) = (&level.source, &line) {
        properties.push(("file", source.file.as_str()));
        properties.push(("line", line.as_str()));
    }
    properties.push(("title", &title));
    let mut message = terminal(&finding.summary);
    if let Some(moment) = phrases::moment(finding, terminal, name) {
        message.push_str(&format!("; {moment}"));
    }
    if let Some(replay) = phrases::replay_command(finding.reproduce_with.as_deref()) {
        message.push_str(&format!("\nReproduce with: {}", super::safe_text::command(replay)));
    }
    command(kind, &properties, &message)
}

/// A workflow command, everything in it escaped.
pub(super) fn command(kind: &str, properties: &[(&str, &str)], message: &str) -> String {
    let message = message.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |(key, value): &(&str, &str)| {
        let value = terminal(value).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
        format!("{key}={}", value.replace(':', "%3A").replace(',', "%2C"))
    };
    let properties: Vec<_> = properties.iter().map(property).collect();
    format!("::{kind} {}::{message}", properties.join(","))
}

/// The step summary: the report for a pull request, below what GitHub takes.
pub fn step_summary(record: &Record) -> String {
    let text = markdown::render(record);
    if text.len() <= LONGEST_SUMMARY {
        return text;
    }
    let headline = sentence::headline(record.verdict);
    format!("### partywall: {headline}\n\nThe whole is too long for here; see report.md.\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_command_ends_it() {
        let line =
            command("error", &[("file", "a,b:c\n"), ("title", "50 %")], "one\r\ntwo ::x:: %");
        assert_eq!(line, "::error file=a%2Cb%3Ac\\n,title=50 %25::one%0D%0Atwo ::x:: %25");
    }
}
