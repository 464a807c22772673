//! The sentences that more than one report says.
//!
//! Text that a server may have sent goes through the report's own [`Quote`], so that each report
//! says the same words and each makes them harmless in its own way.

use partywall_core::measure::LeakPair;
use partywall_core::record::{
    CrossCheck, FindingRecord, Level, LevelName, OracleRow, Record, SavedRepro,
};
use partywall_core::replay_result::ReplayResult;
use partywall_core::verdict::Verdict;

/// How a report shows text that a server may have sent.
pub(super) type Quote = fn(&str) -> String;

/// Whether two sides are compared.
pub(super) fn is_signoff(record: &Record) -> bool {
    record.before.is_some() || record.after.is_some()
}

/// The findings of one side (`""`: of a plain run), each with its level.
pub(super) fn findings_of<'r>(
    record: &'r Record,
    side: &str,
) -> impl Iterator<Item = (&'r Level, &'r FindingRecord)> {
    record
        .all_levels()
        .filter(move |(name, _)| *name == side)
        .flat_map(|(_, level)| level.findings.iter().map(move |finding| (level, finding)))
}

/// What was driven: `driven` for a plain run, the sides of a sign-off.
pub(super) fn driven(record: &Record) -> impl Iterator<Item = (&'static str, &str)> {
    [
        ("driven", record.backend.as_deref()),
        ("before", record.before.as_ref().map(|side| side.backend.as_str())),
        ("after", record.after.as_ref().map(|side| side.backend.as_str())),
    ]
    .into_iter()
    .filter_map(|(name, backend)| Some((name, backend?)))
}

/// The word for a verdict in a table; a leak is loud without colour too.
pub(super) fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Clean => "clean",
        Verdict::Leaked => "LEAKED",
        Verdict::Inconclusive => "inconclusive",
    }
}

/// Where a level stands: `explore of golden-path, after`.
pub(super) fn place(side: &str, level: &Level, quote: Quote) -> String {
    let place = format!("{} of {}", level.level.as_str(), quote(&level.scenario));
    if side.is_empty() { place } else { format!("{place}, {side}") }
}

/// The repros of before on after: a line for each that is not gone, then for each level one line
/// for all that are.
pub(super) fn cross_checks(record: &Record, quote: Quote) -> Vec<String> {
    let is_gone =
        |check: &CrossCheck| check.replay == ReplayResult::Gone && check.findings_around == 0;
    let (gone, left): (Vec<_>, Vec<_>) =
        record.cross_checks.iter().partition(|check| is_gone(check));
    let mut lines: Vec<_> = left.into_iter().map(|check| not_gone(check, quote)).collect();
    let mut groups: Vec<(LevelName, bool, u64, u64)> = Vec::new();
    for check in gone {
        let (level, tried) = (check.level, check.schedules_around > 0);
        let group = groups.iter_mut().find(|group| (group.0, group.1) == (level, tried));
        match group {
            Some((.., repros, around)) => {
                *repros += 1;
                *around = around.saturating_add(check.schedules_around);
            }
            None => groups.push((level, tried, 1, check.schedules_around)),
        }
    }
    lines.extend(groups.into_iter().map(|(level, tried, repros, around)| {
        let level = level.as_str();
        let (found, them) = match repros {
            1 => ("1 repro, gone".into(), "it"),
            n => (format!("{} repros, all gone", count(n)), "them"),
        };
        match tried {
            true => {
                format!(
                    "{level}: {found}; nothing found in {} schedules around {them}",
                    count(around)
                )
            }
            false => format!("{level}: {found}; no schedules around {them} were tried"),
        }
    }));
    lines
}

/// What the saved repros came to: those that are not gone each, the others together.
pub(super) fn saved_repros(record: &Record, quote: Quote) -> Vec<String> {
    let (gone, left): (Vec<_>, Vec<_>) =
        record.saved_repros.iter().partition(|saved| saved.replay == ReplayResult::Gone);
    let line = |saved: &SavedRepro| {
        let came_to = match (saved.replay, saved.diverged_at) {
            (ReplayResult::Same, _) => "STILL THERE".to_owned(),
            (ReplayResult::Diverged, Some(at)) => format!("diverged at deviation {at}"),
            (other, _) => other.to_string(),
        };
        format!("{}: {came_to} ({})", quote(&saved.file), quote(&saved.summary))
    };
    let mut lines: Vec<String> = left.into_iter().map(line).collect();
    match gone.len() as u64 {
        0 => {}
        1 => lines.push("1 repro, gone".into()),
        many => lines.push(format!("{} repros, all gone", count(many))),
    }
    lines
}

/// A repro of before that still shows something on after, or could not be followed there.
fn not_gone(check: &CrossCheck, quote: Quote) -> String {
    let around = match (check.schedules_around, check.findings_around) {
        (0, _) => "no schedules around it were tried".into(),
        (tried, 0) => format!("nothing found in {} schedules around it", count(tried)),
        (tried, found) => {
            format!("{} findings in {} schedules around it", count(found), count(tried))
        }
    };
    let replay: String = match check.replay {
        ReplayResult::Gone => "gone, BUT".into(),
        ReplayResult::Same => "STILL THERE;".into(),
        ReplayResult::Diverged => "could not be followed (diverged);".into(),
        other => format!("{other};"),
    };
    let fingerprint = quote(check.fingerprint.as_str());
    format!("{} {fingerprint}: {replay} {around}", check.level.as_str())
}

/// Which oracles could say nothing, and why.
pub(super) fn blind_oracles(record: &Record, quote: Quote) -> Vec<String> {
    let blind_at = |side: &'static str, level: &Level, row: &OracleRow| {
        let why = row.blind.as_deref()?;
        Some(format!("{} at {}: {}", row.oracle, place(side, level, quote), quote(why)))
    };
    record
        .all_levels()
        .flat_map(|(side, level)| {
            level.oracles.iter().filter_map(move |row| blind_at(side, level, row))
        })
        .collect()
}

/// The first `most` of the items, and how many are left out; a single one is not, since its note
/// would take as much room.
pub(super) fn capped<T>(items: &[T], most: usize) -> (&[T], Option<String>) {
    let left = items.len().saturating_sub(most);
    if left <= 1 {
        return (items, None);
    }
    (&items[..most], Some(format!("… and {left} more in report.json")))
}

/// Which oracle found it, and the fingerprint by which it is found again.
pub(super) fn found_by(finding: &FindingRecord, quote: Quote) -> String {
    let FindingRecord { oracle, kind, fingerprint, .. } = finding;
    format!("oracle {oracle} ({}), fingerprint {}", kind.as_str(), quote(fingerprint.as_str()))
}

/// At which event it was seen first, and which of the victim's runs it is about.
pub(super) fn moment(finding: &FindingRecord, quote: Quote, name: Quote) -> Option<String> {
    let event = finding.event.as_deref().map(|event| format!("at {}", quote(event)));
    let run =
        finding.victim_run.map(|run| format!("{}'s run {run}", name(finding.victim.as_str())));
    match (event, run) {
        (Some(event), Some(run)) => Some(format!("{event}; it is about {run}")),
        (event, run) => event.or(run),
    }
}

/// How often a finding was seen.
pub(super) fn seen(level: &Level, finding: &FindingRecord) -> String {
    format!(
        "in {} of {} trials of {}, first in trial {}",
        count(finding.seen_in_trials),
        count(level.trials),
        level.level.as_str(),
        count(finding.first_trial)
    )
}

/// The command of a line that reproduces something, without the words before it.
pub(super) fn replay_command(line: Option<&str>) -> Option<&str> {
    let line = line?;
    let command = line.strip_prefix("Reproduce with:").unwrap_or(line).trim();
    (!command.is_empty()).then_some(command)
}

/// How small a repro is, and how often it reproduces where that is a rate.
pub(super) fn repro_facts(finding: &FindingRecord, quote: Quote) -> Option<String> {
    let size = finding.repro_size.as_deref().map(|size| format!("shrunk to {}", quote(size)));
    let rate = finding
        .reproduction_rate
        .map(|rate| format!("reproduced in {} of {} tries", count(rate.hit), count(rate.of)));
    match (size, rate) {
        (Some(size), Some(rate)) => Some(format!("{size}; {rate}")),
        (size, rate) => size.or(rate),
    }
}

/// Which call the report is of.
pub(super) fn origin(record: &Record, quote: Quote) -> String {
    format!(
        "partywall {} {}, seed {}, {}, {:.1} s, exit code {}.",
        quote(&record.partywall),
        quote(&record.command),
        record.seed,
        quote(&record.started_at),
        record.seconds,
        record.exit_code as u8,
    )
}

/// Who saw whose data, those seen most first, and when; nothing of a side that is there to leak.
pub(super) fn who_saw_whose(record: &Record, name: Quote) -> Vec<String> {
    const MOST_PAIRS: usize = 4;
    let leaking = record
        .all_levels()
        .filter(|(side, level)| *side != "before" && !level.leak_matrix.is_empty());
    let line = |(side, level): (&str, &Level)| {
        let matrix = &level.leak_matrix;
        let user = |at: u32| matrix.users.get(at as usize).map_or("?", |user| user.as_str());
        let mut pairs: Vec<_> = matrix.pairs.iter().collect();
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.trials));
        let pair = |pair: &&LeakPair| {
            let (owner, observer) = (name(user(pair.owner)), name(user(pair.observer)));
            format!("{owner}'s at {observer} in {} trials", count(pair.trials))
        };
        let mut told: Vec<String> = pairs.iter().take(MOST_PAIRS).map(pair).collect();
        let left = pairs.len().saturating_sub(MOST_PAIRS) as u64 + matrix.left_out;
        if left > 0 {
            told.push(format!("and {} more pairs", count(left)));
        }
        let first = level.time_to_first_leak.as_ref().map(|spread| {
            format!(", {} {} into it in the median", count(spread.median), spread.unit.as_str())
        });
        let trial = count(level.first_leak_at_trial.unwrap_or_default());
        format!(
            "{}: {}; first in trial {trial}{}",
            place(side, level, name),
            told.join(", "),
            first.unwrap_or_default()
        )
    };
    leaking.map(line).collect()
}

/// Where everything is that was recorded.
pub(super) fn whereabouts(record: &Record, quote: Quote) -> String {
    match &record.folder {
        Some(folder) => format!(
            "Everything is in {}: report.json, the repros, the histories (`partywall check \
             HISTORY` judges one again).",
            quote(folder)
        ),
        None => "All of it is in report.json.".into(),
    }
}

/// A count with its thousands apart.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let cases = [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")];
        for (n, text) in cases {
            assert_eq!(count(n), text);
        }
    }
}
