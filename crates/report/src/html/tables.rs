//! Who saw whose data, and which step of one run met which step of another, as tables whose cells
//! say their number: colour only helps.

use std::collections::BTreeMap;

use super::markup::{add, name, put, text};
use crate::comparison::abbreviated;
use crate::detection::{named, times, trial, wire};
use crate::phrases;
use partywall_core::detection::{DetectionRecord, DetectionRow};
use partywall_core::finding::OracleId;
use partywall_core::measure::LeakMatrix;
use partywall_core::record::{LevelName, PhaseCoverage, Record};

/// So many users have a row each; more are told in groups of neighbours.
const MOST_USERS: usize = 50;
/// A matrix of more takes the whole width, in smaller cells.
const MOST_NARROW: usize = 14;
/// How many groups of users there are then.
const GROUPS: usize = 25;
/// The widest phase table that is drawn.
const MOST_PHASES: usize = 24;

pub(super) fn leak_matrices(page: &mut String, record: &Record) {
    add(page, "<section id=\"who\"><h2>Who saw whose data</h2>\n");
    let leaking = record.all_levels().filter(|(_, level)| !level.leak_matrix.is_empty());
    let leaking: Vec<_> = leaking.take(12).collect();
    if leaking.is_empty() {
        add(page, "<p class=\"card\">Nobody saw anybody else's.</p></section>\n");
        return;
    }
    add(
        page,
        "<p class=\"small\">A row is whose data it was, a column who saw it; a cell is in how many trials.</p><div class=\"two\">\n",
    );
    for (side, level) in leaking {
        let wide = if level.leak_matrix.users.len() > MOST_NARROW { " wide" } else { "" };
        put!(page, "<div class=\"card{wide}\"><h3>{}</h3>", phrases::place(side, level, name));
        matrix(page, &level.leak_matrix);
        add(page, "</div>\n");
    }
    add(page, "</div></section>\n");
}

fn matrix(page: &mut String, matrix: &LeakMatrix) {
    let width = match matrix.users.len() {
        n if n <= MOST_USERS => 1,
        n => n.div_ceil(GROUPS),
    };
    let labels: Vec<String> = matrix
        .users
        .chunks(width)
        .map(|users| match users {
            [first, .., last] => format!("{} … {}", name(first.as_str()), name(last.as_str())),
            [only] => name(only.as_str()),
            [] => String::new(),
        })
        .collect();
    let mut cells: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    for pair in &matrix.pairs {
        let place = (pair.owner as usize / width, pair.observer as usize / width);
        let cell = cells.entry(place).or_default();
        *cell = cell.saturating_add(pair.trials);
    }
    let most = cells.values().copied().max().unwrap_or(1);
    let dense = if labels.len() > MOST_NARROW { " dense" } else { "" };
    put!(
        page,
        "<div class=\"scroll\"><table class=\"heat{dense}\"><thead><tr><th scope=\"col\">owner ↓ observer →</th>"
    );
    for label in &labels {
        put!(page, "<th scope=\"col\"><span>{label}</span></th>");
    }
    add(page, "</tr></thead><tbody>");
    for (row, label) in labels.iter().enumerate() {
        put!(page, "<tr><th scope=\"row\">{label}</th>");
        for column in 0..labels.len() {
            match cells.get(&(row, column)) {
                Some(trials) => {
                    let class = if trials.saturating_mul(2) > most { "l2" } else { "l1" };
                    put!(page, "<td class=\"{class}\">{}</td>", abbreviated(*trials));
                }
                None if row == column && width == 1 => add(page, "<td class=\"own\">–</td>"),
                None => add(page, "<td></td>"),
            }
        }
        add(page, "</tr>");
    }
    add(page, "</tbody></table></div>");
    if width > 1 {
        put!(page, "<p class=\"small\">{} users, in groups of {width}.</p>", matrix.users.len());
    }
    if matrix.left_out > 0 {
        put!(
            page,
            "<p class=\"small\">{} more pairs were seen.</p>",
            phrases::count(matrix.left_out)
        );
    }
}

pub(super) fn phase_coverage(page: &mut String, record: &Record) {
    add(
        page,
        "<section id=\"phases\"><h2>Phase coverage</h2><p class=\"small\">A row is the phase that one user's run is in, a column what another user's run does meanwhile; a cell is how often they met. Hatched: never.</p><div class=\"two\">\n",
    );
    let levels = record.all_levels().filter(|(_, level)| level.level != LevelName::Model);
    for (side, level) in levels.take(16) {
        let coverage = &level.phase_coverage;
        put!(
            page,
            "<div class=\"card\"><h3>{}</h3><p class=\"small\">{} of {} pairs met</p>",
            phrases::place(side, level, name),
            phrases::count(coverage.hit),
            phrases::count(coverage.of)
        );
        phases(page, coverage);
        add(page, "</div>\n");
    }
    add(page, "</div></section>\n");
}

fn phases(page: &mut String, coverage: &PhaseCoverage) {
    let most = coverage.counts.iter().flatten().copied().max().unwrap_or(0);
    let shown = |at: &usize| *at < MOST_PHASES;
    add(
        page,
        "<div class=\"scroll\"><table class=\"heat\"><thead><tr><th scope=\"col\">in ↓ while →</th>",
    );
    for phase in coverage.phases.iter().take(MOST_PHASES) {
        put!(page, "<th scope=\"col\"><span>{}</span></th>", short(phase));
    }
    add(page, "</tr></thead><tbody>");
    for (row, counts) in coverage.counts.iter().enumerate().take_while(|(at, _)| shown(at)) {
        let phase = coverage.phases.get(row).map_or("", String::as_str);
        put!(page, "<tr><th scope=\"row\">{}</th>", short(phase));
        for count in counts.iter().take(MOST_PHASES) {
            match *count {
                0 => add(page, "<td class=\"h0\" title=\"never\">0</td>"),
                n => {
                    put!(page, "<td class=\"h{}\">{}</td>", heat(n, most), abbreviated(n));
                }
            }
        }
        add(page, "</tr>");
    }
    add(page, "</tbody></table></div>");
}

/// Every mechanism with every oracle: in which trial each found it.
pub(super) fn detection(page: &mut String, matrix: &DetectionRecord) {
    add(
        page,
        "<p class=\"small\">A cell is the trial in which that oracle found the mechanism: the median and, in brackets, the latest of all seeds, and how many of them where it was not with all. Hatched: expected, and found with none.</p><div class=\"scroll\"><table class=\"heat\"><thead><tr><th scope=\"col\">mechanism</th>",
    );
    for oracle in OracleId::ALL {
        put!(page, "<th scope=\"col\" title=\"{oracle}\">{}</th>", oracle.code());
    }
    for head in ["median trial", "worst trial", "named first", "wire", "model"] {
        put!(page, "<th scope=\"col\">{head}</th>");
    }
    add(page, "</tr></thead><tbody>");
    for row in &matrix.rows {
        let (code, called) = (name(&row.mechanism), text(&row.name));
        put!(page, "<tr><th scope=\"row\">{code} {called}</th>");
        for oracle in OracleId::ALL {
            oracle_cell(page, row, oracle, matrix.seeds);
        }
        let figures = [trial(row.median), trial(row.worst), named(row, matrix)];
        for figure in figures {
            put!(page, "<td>{figure}</td>");
        }
        let model = row.model.as_deref().map(name).unwrap_or_default();
        put!(page, "<td>{}</td><td>{model}</td></tr>", wire(row, text));
    }
    add(page, "</tbody></table></div>");
}

fn oracle_cell(page: &mut String, row: &DetectionRow, oracle: OracleId, seeds: u64) {
    match row.oracles.iter().find(|cell| cell.oracle == oracle) {
        None => add(page, "<td></td>"),
        Some(cell) if cell.seeds == 0 => add(page, "<td class=\"h0\" title=\"expected\">0</td>"),
        Some(cell) => {
            let class = heat(cell.seeds, seeds);
            put!(page, "<td class=\"h{class}\">{}</td>", times(cell, seeds));
        }
    }
}

/// `tool_executing of triage` as `triage: tool_executing`, so that those of one agent line up.
fn short(phase: &str) -> String {
    match phase.split_once(" of ") {
        Some((kind, agent)) => {
            format!("{}: {}", name(agent), name(kind.trim_start_matches("agent_")))
        }
        None => name(phase),
    }
}

/// From 1 to 5, by orders of magnitude of the most.
fn heat(count: u64, most: u64) -> u64 {
    if most <= 1 {
        return 3;
    }
    let share = (count.max(1) as f64).ln() / (most as f64).ln();
    1 + (share.clamp(0.0, 1.0) * 4.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heat_grows_with_the_count() {
        let heats: Vec<u64> = [1, 5, 30, 200, 1_000].map(|count| heat(count, 1_000)).to_vec();
        assert_eq!(heats, [1, 2, 3, 4, 5]);
        assert_eq!(heat(1, 1), 3);
    }
}
