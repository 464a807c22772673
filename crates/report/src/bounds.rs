//! How likely a leak could still be, in words that claim no more than the figures say.

use partywall_core::record::{Level, LevelName, Record, SearchMethod, UpperBound};
use partywall_core::verdict::{Outcome, Verdict};

use super::phrases::{Quote, capped, count, place};

/// How many scenarios are told in one sentence.
const MOST_SCENARIOS: usize = 6;
/// A bound above this one rests on few rounds: fewer than 59 of them overlapped.
const FEW_ROUNDS: f64 = 0.05;

/// Levels whose bounds differ in nothing but the scenario and the figures.
struct Group<'r> {
    level: LevelName,
    side: &'static str,
    kind: &'r UpperBound,
    members: Vec<(&'r str, &'r UpperBound, String)>,
    /// How many rounds halve each of the bounds, where one of them rests on few.
    rounds_to_halve: Option<u64>,
}

/// How likely a leak could still be at the clean levels. Nothing in a report that is no pass, where
/// it would read like one, and nothing for before, which is there to leak.
pub(super) fn bounds(record: &Record, quote: Quote, sentence_quote: Quote) -> Vec<String> {
    if matches!(record.verdict, Outcome::BaselineClean | Outcome::Inconclusive) {
        return Vec::new();
    }
    // A search of interleavings draws nothing at random: what it covers is said with the models.
    let counts = |side: &str, level: &Level| {
        side != "before" && level.verdict == Verdict::Clean && level.level != LevelName::Model
    };
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut unknown = Vec::new();
    for (side, level) in record.all_levels().filter(|(side, level)| counts(side, level)) {
        let bound = level.leak_probability_upper_bound.as_ref();
        let Some((bound, most)) = bound.and_then(|bound| Some((bound, at_most(bound.value)?)))
        else {
            let place = place(side, level, quote);
            let method = level.method;
            if level.claims.is_empty() {
                unknown.push(format!("{place}: no probability can be stated for {method}."));
            } else {
                let claims = level.claims.iter().map(|claim| sentence_quote(claim));
                let claims = claims.collect::<Vec<_>>().join("; ");
                unknown.push(format!("{place}, {method}: {claims}."));
            }
            continue;
        };
        let member = (level.scenario.as_str(), bound, most);
        let fits = |group: &&mut Group<'_>| {
            (group.level, group.side) == (level.level, side) && alike(group.kind, bound)
        };
        let more = rounds_to_halve(level, bound);
        match groups.iter_mut().find(fits) {
            Some(group) => {
                group.members.push(member);
                group.rounds_to_halve = group.rounds_to_halve.max(more);
            }
            None => groups.push(Group {
                level: level.level,
                side,
                kind: bound,
                members: vec![member],
                rounds_to_halve: more,
            }),
        }
    }
    groups.iter().map(|group| sentence(group, quote)).chain(unknown).collect()
}

/// How many rounds to drive for half the bound, where it rests on few. Some of them do not overlap, and
/// so do some of the further ones.
fn rounds_to_halve(level: &Level, bound: &UpperBound) -> Option<u64> {
    let is_of_few = level.level == LevelName::Wire && bound.value > FEW_ROUNDS;
    let driven = level.trials.max(bound.n);
    is_of_few.then(|| units_to_halve(bound).saturating_mul(driven).div_ceil(bound.n.max(1)))
}

/// The least n for which 1 − 0.05^(1/n) is at most half of the bound.
fn units_to_halve(bound: &UpperBound) -> u64 {
    let units = ((1.0 - bound.confidence).ln() / (1.0 - bound.value / 2.0).ln()).ceil();
    // Of a figure that is no probability nothing follows.
    if units.is_finite() && units >= 1.0 { units as u64 } else { bound.n.saturating_mul(2) }
}

/// The same in a few words: for each level the largest of its bounds.
pub(super) fn short(record: &Record) -> String {
    let mut levels: Vec<(LevelName, f64, u64)> = Vec::new();
    for (side, level) in record.all_levels() {
        let Some(bound) = &level.leak_probability_upper_bound else { continue };
        if side == "before" || level.verdict != Verdict::Clean {
            continue;
        }
        match levels.iter_mut().find(|(name, ..)| *name == level.level) {
            Some((_, value, n)) if bound.value > *value => (*value, *n) = (bound.value, bound.n),
            Some(_) => {}
            None => levels.push((level.level, bound.value, bound.n)),
        }
    }
    let words = |(level, value, n): &(LevelName, f64, u64)| {
        Some(format!("{}: {} would leak (n = {})", level.as_str(), at_most(*value)?, count(*n)))
    };
    let words: Vec<_> = levels.iter().filter_map(words).collect();
    format!("with 95 % confidence, {}", words.join("; "))
}

/// Whether two bounds are of the same kind, whatever their figures.
fn alike(one: &UpperBound, other: &UpperBound) -> bool {
    let kind = |bound: &UpperBound| (bound.confidence.to_bits(), bound.same_process);
    kind(one) == kind(other) && one.unit == other.unit && one.method == other.method
}

fn sentence(group: &Group<'_>, quote: Quote) -> String {
    let kind = group.kind;
    let units = match kind.method {
        SearchMethod::RandomWalk => "random schedules".into(),
        SearchMethod::BarrierRounds => "barrier rounds".into(),
        _ => format!("{}s drawn in this way", quote(&kind.unit)),
    };
    let member = |(at, (scenario, bound, most)): (usize, &(&str, &UpperBound, String))| {
        let (units, leak) = match (at, most.ends_with('%')) {
            (0, false) => (format!(" {units}"), " would leak"),
            (0, true) => (format!(" of the {units}"), " would leak"),
            _ => (String::new(), ""),
        };
        format!("{most}{units} of {}{leak} (n = {})", quote(scenario), count(bound.n))
    };
    let (shown, more) = capped(&group.members, MOST_SCENARIOS);
    let members: Vec<_> = shown.iter().enumerate().map(member).chain(more).collect();
    let level = group.level.as_str();
    let place =
        if group.side.is_empty() { level.into() } else { format!("{level}, {}", group.side) };
    let process = if kind.same_process { "; not fully independent (one process)" } else { "" };
    let confidence = trimmed(kind.confidence * 100.0);
    let more = group.rounds_to_halve.map_or_else(String::new, |rounds| {
        format!(" That rests on few rounds: `--rounds {rounds}` would halve the bound.")
    });
    format!("{place}: with {confidence} % confidence, {}{process}.{more}", members.join(", "))
}

/// `at most 1 in 668`, rounded so that it never claims more than the figure; `None` for a figure
/// that is no probability.
fn at_most(value: f64) -> Option<String> {
    if !(value > 0.0 && value <= 1.0) {
        return None;
    }
    Some(match one_in(value) {
        Some(one_in) => format!("at most {one_in}"),
        None => format!("up to {} %", trimmed((value * 1000.0).ceil() / 10.0)),
    })
}

/// `1 in 668`, where that says something.
pub(super) fn one_in(value: f64) -> Option<String> {
    // Rounded down, and below 1 in 2 it would mislead: half is not "1 in 1".
    let whole = (1.0 / value).floor();
    // Beyond 2^53 a float is no exact count; no run is that long.
    (2.0..9e15).contains(&whole).then(|| format!("1 in {}", count(whole as u64)))
}

fn trimmed(percent: f64) -> String {
    let text = format!("{percent:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_units_that_halve_a_bound_are_the_fewest_that_do() {
        let value = |n: u64| 1.0 - 0.05_f64.powf(1.0 / n as f64);
        for (n, units) in [(1, 5), (3, 8), (8, 18), (58, 118), (3_000, 6_002)] {
            let bound = UpperBound {
                value: value(n),
                confidence: 0.95,
                unit: "barrier round".into(),
                n,
                method: SearchMethod::BarrierRounds,
                same_process: true,
            };
            assert_eq!(units_to_halve(&bound), units, "{n}");
            assert!(value(units) <= bound.value / 2.0 && value(units - 1) > bound.value / 2.0);
            // The same bound of no probability at all asks for no fewer than it has.
            assert_eq!(units_to_halve(&UpperBound { value: f64::NAN, ..bound }), 2 * n);
        }
    }

    #[test]
    fn a_bound_never_claims_more_than_its_figure() {
        let cases = [
            (1.0 - 0.05_f64.powf(1.0 / 2000.0), Some("at most 1 in 668")),
            (0.3935, Some("at most 1 in 2")),
            (0.6316, Some("up to 63.2 %")),
            (1.0, Some("up to 100 %")),
            (0.0, None),
            (f64::NAN, None),
            (-1.0, None),
        ];
        for (value, words) in cases {
            assert_eq!(at_most(value).as_deref(), words, "{value}");
        }
    }
}
