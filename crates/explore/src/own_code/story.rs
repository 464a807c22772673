//! The message with which a test fails: what crossed, how, and the line that shows it again.

use std::path::PathBuf;

use super::isolation::Isolation;
use crate::store::error::CampaignError;
use partywall_core::text::interleaving;
use partywall_core::text::page::Style;
use partywall_core::verdict::Verdict;

/// Tells it. `saved` is what saving the new repros came to.
pub(super) fn tell(
    isolation: &Isolation,
    name: &str,
    saved: &[Result<PathBuf, CampaignError>],
) -> String {
    let mut lines = Vec::new();
    let level = isolation.level();
    if isolation.verdict() == Verdict::Leaked {
        lines.push(format!("LEAKED in trial {}:", level.first_leak_at_trial.unwrap_or_default()));
    } else {
        lines.push("INCONCLUSIVE, not a pass: nothing was shown either way.".to_owned());
    }
    for finding in isolation.findings() {
        lines.push(format!("  {} {}: {}", finding.oracle, finding.fingerprint, finding.summary));
        lines.extend(finding.chain.iter().map(|step| format!("    - {step}")));
    }
    if isolation.verdict() != Verdict::Leaked {
        lines.extend(isolation.reasons().iter().map(|reason| format!("  - {}", reason.text)));
    }
    for repro in isolation.repros() {
        let schedule = repro.schedule.as_deref().unwrap_or_default();
        lines.push(format!("  shrunk to {}: {schedule}", repro.size()));
    }
    let mut text = visible(&lines);
    if let Some(story) = isolation.story() {
        text.push('\n');
        text.push_str(&interleaving::render(story, Style::default()));
    }
    let mut last = vec![String::new()];
    for saved in saved {
        last.push(match saved {
            Ok(path) => format!("Saved as {}, which is replayed first.", path.display()),
            Err(error) => format!("The repro could not be saved: {error}"),
        });
    }
    // Inconclusive runs reproduce as well: plans and schedules come from the seed.
    last.push(format!("Reproduce with: cargo test {name}"));
    text + &visible(&last)
}

/// Lines without control characters: parts of them may have come from the code under test.
fn visible(lines: &[String]) -> String {
    let shown = |c: char| -> String {
        if c.is_control() { c.escape_default().collect() } else { c.to_string() }
    };
    lines.iter().map(|line| line.chars().map(shown).collect::<String>() + "\n").collect()
}
