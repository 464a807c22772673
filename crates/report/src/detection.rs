//! The detection matrix, told: every known mechanism, and what found it.

use super::page::{Page, Paint};
use super::phrases::{Quote, count};
use super::safe_text;
use partywall_core::detection::{DetectionRecord, DetectionRow, OracleCell, QuietRow};
use partywall_core::record::Record;

/// The longest that is shown of a mechanism's name in a table for a terminal.
const LONGEST_NAME: usize = 30;

/// `24 of 24 known mechanisms found with each of 20 seeds`.
pub(super) fn title(matrix: &DetectionRecord) -> String {
    let always = matrix.rows.iter().filter(|row| row.found == matrix.seeds).count();
    let seeds = match matrix.seeds {
        1 => "one seed".into(),
        n => format!("each of {} seeds", count(n)),
    };
    format!("{always} of {} known mechanisms found with {seeds}", matrix.rows.len())
}

/// What the matrix comes to, in one sentence.
pub(super) fn verdict(matrix: &DetectionRecord) -> String {
    let mut text = title(matrix);
    let worst: Option<Vec<u64>> = matrix.rows.iter().map(|row| row.worst).collect();
    if let Some(worst) = worst.and_then(|all| all.into_iter().max()) {
        text.push_str(&format!(", at the latest in trial {}", count(worst)));
    }
    let driven: Vec<_> = matrix.rows.iter().filter_map(|row| row.wire.as_ref()).collect();
    if !driven.is_empty() {
        let found = driven.iter().filter(|wire| wire.found_in_round.is_some()).count();
        text.push_str(&format!("; {found} of the {} driven on the wire", driven.len()));
    }
    let findings: u64 = matrix.quiet.iter().map(|row| row.findings).sum();
    let trials: u64 = matrix.quiet.iter().map(|row| row.trials).sum();
    if trials > 0 {
        let (findings, trials) = (count(findings), count(trials));
        text.push_str(&format!("; {findings} findings in {trials} trials without a defect"));
    }
    text + "."
}

/// How it was looked for.
pub(super) fn how(matrix: &DetectionRecord) -> String {
    let share = match matrix.share {
        100 => String::new(),
        share => format!(", each defect on for {share} of a hundred requests"),
    };
    format!(
        "Looked for under {}, which is not told what is on, within {} trials{share}.",
        matrix.work,
        count(matrix.trials)
    )
}

/// A trial's number, or that there was none.
pub(super) fn trial(trial: Option<u64>) -> String {
    trial.map_or_else(|| "not found".into(), count)
}

/// `round 2, 1.5 s`, what else it came to on the wire, or why it was not driven there.
pub(super) fn wire(row: &DetectionRow, quote: Quote) -> String {
    match &row.wire {
        None if row.wire_expected == "found" => "not driven".into(),
        None => format!("not driven: {}", quote(&row.wire_expected)),
        Some(wire) => match wire.found_in_round {
            Some(round) => format!("round {}, {:.1} s", count(round), wire.seconds),
            None if row.wire_expected == "found" => {
                format!("NOT FOUND in {} rounds", count(wire.rounds))
            }
            None => {
                let rounds = count(wire.rounds);
                format!("not found in {rounds} rounds: {}", quote(&row.wire_expected))
            }
        },
    }
}

/// A line for each work without a defect.
pub(super) fn quiet(matrix: &DetectionRecord, quote: Quote) -> Vec<String> {
    let line = |row: &QuietRow| {
        let overlapping = match row.overlapping {
            Some(trials) => format!(", {} of them overlapping", count(trials)),
            None => String::new(),
        };
        format!(
            "{}: {} findings in {} trials{overlapping}",
            quote(&row.work),
            count(row.findings),
            count(row.trials)
        )
    };
    matrix.quiet.iter().map(line).collect()
}

/// The matrix on a terminal.
pub(super) fn section(page: &mut Page, record: &Record) {
    let Some(matrix) = &record.detection else { return };
    page.heading(&title(matrix));
    page.hanging(Paint::Faint, "  ", &how(matrix));
    page.preformatted(&format!(
        "  {:<31}{:>10}{:>10}{:>7}  found by",
        "mechanism", "median", "worst", "named"
    ));
    for row in &matrix.rows {
        let name = safe_text::terminal(&format!("{} {}", row.mechanism, row.name));
        let name: String = name.chars().take(LONGEST_NAME).collect();
        let (median, worst) = (trial(row.median), trial(row.worst));
        let named = named(row, matrix);
        page.preformatted(&format!("  {name:<31}{median:>10}{worst:>10}{named:>7}  {}", by(row)));
        if row.wire.is_some() {
            page.hanging(Paint::Faint, "      wire: ", &wire(row, safe_text::terminal));
        }
    }
    page.hanging(
        Paint::Faint,
        "  ",
        "median, worst: trials until it was found; named: seeds with which the diagnosis named it \
         first; found by: the oracles, those in brackets expected in vain",
    );
    for line in quiet(matrix, safe_text::terminal) {
        page.hanging(Paint::Plain, "  - without a defect: ", &line);
    }
}

/// `5 (36), 17/20`: the median and the latest trial in which an oracle found it, and with how many
/// seeds where it was not with all.
pub(super) fn times(cell: &OracleCell, seeds: u64) -> String {
    let trials = [cell.median, cell.worst].map(|trial| trial.map_or("-".into(), count));
    let part = match cell.seeds {
        all if all == seeds => String::new(),
        some => format!(", {some}/{seeds}"),
    };
    format!("{} ({}){part}", trials[0], trials[1])
}

/// `17/20`.
pub(super) fn named(row: &DetectionRow, matrix: &DetectionRecord) -> String {
    format!("{}/{}", row.named_first, matrix.seeds)
}

/// The codes of the oracles that found it.
pub(super) fn by(row: &DetectionRow) -> String {
    let code = |cell: &OracleCell| match cell.seeds {
        0 => format!("({})", cell.oracle.code()),
        _ => cell.oracle.code().to_owned(),
    };
    row.oracles.iter().map(code).collect::<Vec<_>>().join(" ")
}

/// A table in Markdown, a line each.
pub(super) fn markdown(matrix: &DetectionRecord) -> Vec<String> {
    let mut lines = vec![
        "| mechanism | median | worst | named first | found by | wire |".to_owned(),
        "| --- | --: | --: | --: | --- | --- |".to_owned(),
    ];
    lines.extend(matrix.rows.iter().map(|row| {
        format!(
            "| {} {} | {} | {} | {} | {} | {} |",
            safe_text::markdown_name(&row.mechanism),
            safe_text::markdown(&row.name),
            trial(row.median),
            trial(row.worst),
            named(row, matrix),
            by(row),
            wire(row, safe_text::markdown)
        )
    }));
    lines
}
