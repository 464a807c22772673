//! The levels in the order in which they are compared: by scenario, before beside after.

use partywall_core::record::{Comparison, Level, LevelName, Record};
use partywall_core::verdict::Verdict;

use super::bounds::one_in;
use super::phrases::{Quote, capped, count, verdict_word};

/// One scenario at one level of evidence, on each side.
pub(super) struct Pair<'r> {
    pub(super) level: LevelName,
    pub(super) scenario: &'r str,
    /// The sides, each at most once; one nameless side for a plain run.
    pub(super) sides: Vec<(&'static str, &'r Level)>,
}

/// The levels of a record, the sides of each together, the scenarios of each together. Without the
/// models, which have no runs and no users to compare.
pub(super) fn pairs(record: &Record) -> Vec<Pair<'_>> {
    let mut pairs: Vec<Pair<'_>> = Vec::new();
    let levels = record.all_levels().filter(|(_, level)| level.level != LevelName::Model);
    for (side, level) in levels {
        let fits = |pair: &&mut Pair<'_>| {
            pair.level == level.level
                && pair.scenario == level.scenario
                && pair.sides.iter().all(|(name, _)| *name != side)
        };
        match pairs.iter_mut().find(fits) {
            Some(pair) => pair.sides.push((side, level)),
            None => pairs.push(Pair {
                level: level.level,
                scenario: &level.scenario,
                sides: vec![(side, level)],
            }),
        }
    }
    let order: Vec<_> = pairs.iter().map(|pair| pair.scenario).collect();
    // Stable: within a scenario, the levels keep their order.
    pairs.sort_by_key(|pair| order.iter().position(|scenario| *scenario == pair.scenario));
    pairs
}

/// One figure of a level.
pub(super) struct Measure {
    /// Its name in a table.
    pub(super) label: &'static str,
    /// What it means, for someone who has never seen the project; empty where the name says it.
    pub(super) meaning: &'static str,
    /// The figure.
    pub(super) cell: fn(&Level) -> String,
}

/// The figures that say something in this record, in the order in which they are read.
pub(super) fn measures(record: &Record) -> Vec<&'static Measure> {
    let none_unknown = record.all_levels().all(|(_, level)| level.runs_unknown == 0);
    MEASURES.iter().filter(|measure| measure.label != UNKNOWN || !none_unknown).collect()
}

/// The name of the bound.
pub(super) const BOUND: &str = "leak bound";

/// The name of the number of users.
pub(super) const USERS: &str = "users per trial";

const UNKNOWN: &str = "- end unknown";

const MEASURES: [Measure; 11] = [
    Measure { label: "verdict", meaning: "", cell: |level| verdict_word(level.verdict).into() },
    Measure { label: "findings", meaning: "", cell: |level| count(level.findings.len() as u64) },
    Measure { label: USERS, meaning: "", cell: users },
    Measure {
        label: "trials",
        meaning: "a plan for all users, driven once (n of m: stopped early)",
        cell: trials,
    },
    Measure {
        label: "- overlapping",
        meaning: "trials in which users' runs met in time (in so many pairs)",
        cell: |level| percent(level.trials_overlapping, level.trials),
    },
    Measure {
        label: "- run pairs",
        meaning: "",
        cell: |level| abbreviated(level.overlapping_pairs),
    },
    Measure {
        label: "runs completed",
        meaning: "",
        cell: |level| percent(level.runs_completed, level.runs_started),
    },
    Measure {
        label: UNKNOWN,
        meaning: "runs that were cut off: neither lost nor delivered",
        cell: |level| abbreviated(level.runs_unknown),
    },
    Measure {
        label: "phase coverage",
        meaning: "share of the ways two runs can meet, step against step",
        cell: |level| percent(level.phase_coverage.hit, level.phase_coverage.of),
    },
    Measure {
        label: BOUND,
        meaning: "how likely a leak could still be; - where that is unknown",
        cell: bound,
    },
    Measure {
        label: "controls caught",
        meaning: "faults planted on purpose; clean needs every one caught",
        cell: |level| {
            let controls = &level.controls;
            format!("{} of {}", abbreviated(controls.caught), abbreviated(controls.planted))
        },
    },
];

/// What the needs are called in a table.
pub(super) const NEEDS: &str = "reached/needed %";

/// What they mean.
pub(super) const NEEDS_MEANING: &str = "what after must reach, or a lock around all would pass too";

/// The name of a compared figure, as short as the row of the table that it is about.
pub(super) fn figure(name: &str) -> &str {
    match name {
        "overlapping trials" => "overlap",
        "overlapping pairs, of before's" => "run pairs",
        "phase coverage" => "phases",
        "runs completed" => "completed",
        other => other,
    }
}

/// Whether after reached what it must, in percent: `99.2/80 met`.
pub(super) fn need(comparison: &Comparison) -> String {
    // Rounded so that what is shown never contradicts the word behind it.
    let met = if comparison.met { "met" } else { "NOT met" };
    let needed = tenths(comparison.needed, !comparison.met);
    format!("{}/{needed} {met}", tenths(comparison.after, false))
}

/// What after must reach of before, a line for each scenario.
pub(super) fn needs(record: &Record, quote: Quote) -> Vec<String> {
    type OfLevel = (LevelName, Vec<String>);
    let mut rows: Vec<(&str, Vec<OfLevel>)> = Vec::new();
    for one in &record.comparison {
        let at = rows.iter().position(|(scenario, _)| *scenario == one.scenario);
        let at = at.unwrap_or_else(|| {
            rows.push((&one.scenario, Vec::new()));
            rows.len() - 1
        });
        let text = format!("{} {}", quote(figure(&one.figure)), need(one));
        let levels = &mut rows[at].1;
        match levels.iter_mut().find(|(level, _)| *level == one.level) {
            Some((_, texts)) => texts.push(text),
            None => levels.push((one.level, vec![text])),
        }
    }
    let of_level = |(level, texts): &OfLevel| {
        let (shown, more) = capped(texts, MOST_FIGURES);
        let texts: Vec<_> = shown.iter().cloned().chain(more).collect();
        format!("{}: {}", level.as_str(), texts.join(", "))
    };
    let line = |(scenario, levels): &(&str, Vec<_>)| {
        let levels: Vec<_> = levels.iter().map(of_level).collect();
        format!("{}, {}", quote(scenario), levels.join("; "))
    };
    rows.iter().map(line).collect()
}

/// How the trials of a level are made, for someone who has never seen the project.
pub(super) fn level_meaning(level: LevelName) -> &'static str {
    match level {
        LevelName::Model => "threads of the kernel in every order",
        LevelName::Explore => "simulated users, and a search that chooses the order of all steps",
        LevelName::Wire => "real connections to a server process, all users at once",
        LevelName::Recorded => "a recorded history, judged again",
    }
}

/// How many figures are compared in one report.
pub(super) const MOST_FIGURES: usize = 6;

/// A share in percent, with one decimal where there is one.
fn tenths(share: f64, up: bool) -> String {
    // 0.98 * 0.8 is not quite 0.784.
    const NOISE: f64 = 1e-9;
    let tenths = share * 1000.0;
    let tenths = if up { (tenths - NOISE).ceil() } else { (tenths + NOISE).floor() };
    if !(0.0..1e6).contains(&tenths) {
        return "-".into();
    }
    let text = format!("{:.1}", tenths / 10.0);
    text.strip_suffix(".0").map_or_else(|| text.clone(), String::from)
}

/// How many simulated users a trial has: `3 to 5`.
pub(super) fn users(level: &Level) -> String {
    let [fewest, most] = level.users.map(|users| abbreviated(users.into()));
    if fewest == most { most } else { format!("{fewest} to {most}") }
}

fn trials(level: &Level) -> String {
    if level.trials_of_plan() == level.trials_planned {
        abbreviated(level.trials)
    } else {
        format!("{} of {}", abbreviated(level.trials), abbreviated(level.trials_planned))
    }
}

fn bound(level: &Level) -> String {
    // A bound that was computed for a level that proves nothing would read like a pass.
    let bound = level.leak_probability_upper_bound.as_ref();
    match bound.filter(|_| level.verdict == Verdict::Clean) {
        None => "-".into(),
        Some(bound) => one_in(bound.value).unwrap_or_else(|| "over half".into()),
    }
}

/// A share in percent, rounded down: only all of them are 100 %.
pub(super) fn percent(hit: u64, of: u64) -> String {
    if of == 0 {
        return "-".into();
    }
    let permille = u128::from(hit) * 1000 / u128::from(of);
    match (permille / 10, permille % 10) {
        (whole @ 100.., _) => format!("{whole} %"),
        (whole, 0) => format!("{whole} %"),
        (whole, tenth) => format!("{whole}.{tenth} %"),
    }
}

/// A count that fits a table: exact below ten millions.
pub(super) fn abbreviated(n: u64) -> String {
    const STEPS: [(u64, &str); 4] = [
        (1_000_000_000_000_000, "P"),
        (1_000_000_000_000, "T"),
        (1_000_000_000, "G"),
        (1_000_000, "M"),
    ];
    if n < 10_000_000 {
        return count(n);
    }
    let (step, sign) = STEPS.into_iter().find(|(step, _)| n >= *step).unwrap_or((1, ""));
    format!("{}.{} {sign}", count(n / step), n % step * 10 / step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_down_and_big_counts_stay_short() {
        assert_eq!(percent(1999, 2000), "99.9 %");
        assert_eq!(percent(19_999, 20_000), "99.9 %");
        assert_eq!(percent(2000, 2000), "100 %");
        assert_eq!(percent(0, 0), "-");
        assert_eq!(abbreviated(9_999_999), "9,999,999");
        assert_eq!(abbreviated(12_345_678), "12.3 M");
        assert_eq!(abbreviated(u64::MAX), "18,446.7 P");
    }

    #[test]
    fn what_after_reached_never_contradicts_the_word_behind_it() {
        let compared = |after, needed, met| {
            need(&Comparison {
                level: LevelName::Wire,
                scenario: String::new(),
                figure: String::new(),
                before: None,
                after,
                needed,
                met,
            })
        };
        assert_eq!(compared(0.992, 0.98 * 0.8, true), "99.2/78.4 met");
        assert_eq!(compared(0.78456, 0.78456, true), "78.4/78.4 met");
        assert_eq!(compared(0.7999, 0.79991, false), "79.9/80 NOT met");
        assert_eq!(compared(1.0, 0.9, true), "100/90 met");
        assert_eq!(compared(f64::NAN, 0.9, false), "-/90 NOT met");
    }
}
