//! The verdict, in a word and in a sentence.

use super::models::unexpectedly_refuted;
use super::phrases::{count, findings_of, is_signoff};
use super::{detection, latent, migration, warned};
use partywall_core::finding::FindingKind;
use partywall_core::record::{FindingRecord, Level, LevelName, Record, Side};
use partywall_core::verdict::Outcome;

/// The verdict in one or two words, for everyone who reads nothing else.
pub(super) fn headline(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Clean => "CLEAN",
        Outcome::Leaked => "LEAKED",
        Outcome::Fixed => "FIXED",
        Outcome::StillLeaks => "STILL LEAKS",
        Outcome::NotMigrated => "NOT MIGRATED",
        Outcome::BaselineClean => "BASELINE CLEAN, NOT A PASS",
        Outcome::Inconclusive => "INCONCLUSIVE, NOT A PASS",
    }
}

/// The verdict in one sentence.
pub(super) fn verdict(record: &Record) -> String {
    if let Some(matrix) = record.migration.as_ref().filter(|_| !is_signoff(record)) {
        return migration::verdict(matrix);
    }
    if let Some(matrix) = &record.detection {
        return detection::verdict(matrix);
    }
    match record.verdict {
        Outcome::Fixed => format!(
            "before the migration {}; after it, under {}, nothing crossed in {}{}{}{}.",
            harm(findings_of(record, "before")),
            plans(record),
            tried(record, "after"),
            controls_clause(record, "after"),
            latent::clause(record),
            warned::clause(record),
        ),
        Outcome::StillLeaks => format!("after the migration {}.", leaks(record, "after")),
        Outcome::NotMigrated => {
            "call sites of the deprecated accessor remain in application code, whatever was seen \
             while it ran."
                .into()
        }
        Outcome::BaselineClean => "the side that must leak did not, so these plans are too weak \
             to show that the migration cured anything."
            .into(),
        Outcome::Inconclusive if is_signoff(record) => {
            "this run shows neither that the migration is sound nor that it leaks.".into()
        }
        Outcome::Inconclusive => {
            "this run shows neither that users are kept apart nor that they are not.".into()
        }
        Outcome::Clean => format!(
            "nothing crossed from one user to another in {}{}{}{}.",
            tried(record, ""),
            controls_clause(record, ""),
            latent::clause(record),
            warned::clause(record),
        ),
        Outcome::Leaked => format!("{}.", leaks(record, "")),
    }
}

/// Which plans after was given.
fn plans(record: &Record) -> String {
    match record.after.as_ref().map_or(0, Side::trials_further) {
        0 => "the same plans".into(),
        further => format!("the same plans and {} more", count(further)),
    }
}

/// What leaked on that side, and in how much.
fn leaks(record: &Record, side: &str) -> String {
    let found = findings_of(record, side).count();
    let refuted = record.models.iter().filter(|row| unexpectedly_refuted(row)).count();
    let trials = in_words(trials(record, side));
    let models = match refuted {
        0 => String::new(),
        1 => "1 model of the kernel was refuted".into(),
        n => format!("{n} models of the kernel were refuted"),
    };
    match (found, refuted) {
        (0, 0) => format!("repros of before still show findings; no others in {trials}"),
        (0, _) => {
            format!("{models}: its threads can do wrong. Nothing in {trials} showed it")
        }
        (_, 0) => {
            format!("{}: {} in {trials}", harm(findings_of(record, side)), distinct(found))
        }
        (..) => {
            let harm = harm(findings_of(record, side));
            format!("{harm}: {} in {trials}, and {models}", distinct(found))
        }
    }
}

/// What the worst of the findings comes to.
fn harm<'r>(findings: impl Iterator<Item = (&'r Level, &'r FindingRecord)>) -> &'static str {
    let mut kinds: Vec<_> = findings.map(|(_, finding)| finding.kind).collect();
    kinds.sort();
    match kinds.first() {
        Some(FindingKind::Crossing) | None => "one user's data reached another",
        Some(FindingKind::Loss) => "users did not get all that was theirs",
        Some(FindingKind::NoEcho) => "users got answers that do not hold what they asked",
        Some(_) => "users got their own events in a wrong way (late, twice or mixed up)",
    }
}

fn distinct(findings: usize) -> String {
    match findings {
        1 => "1 distinct finding".into(),
        n => format!("{n} distinct findings"),
    }
}

fn controls_clause(record: &Record, side: &str) -> String {
    let of_side = || record.all_levels().filter(|(name, _)| *name == side);
    let planted: u64 = of_side().map(|(_, level)| level.controls.planted).sum();
    let caught: u64 = of_side().map(|(_, level)| level.controls.caught).sum();
    if planted > 0 && planted == caught {
        format!(", and all {} planted controls were caught", count(planted))
    } else {
        String::new()
    }
}

/// How much was tried on that side: `2,262 trials and 26,750 thread interleavings`.
fn tried(record: &Record, side: &str) -> String {
    let trials = in_words(trials(record, side));
    match sum(record, side, true) {
        0 => trials,
        n => format!("{trials} and {} thread interleavings", count(n)),
    }
}

fn in_words(trials: u64) -> String {
    match trials {
        1 => "1 trial".into(),
        n => format!("{} trials", count(n)),
    }
}

fn trials(record: &Record, side: &str) -> u64 {
    sum(record, side, false)
}

/// The trials of a side: a model's are interleavings, which are not to be added to the others.
fn sum(record: &Record, side: &str, of_models: bool) -> u64 {
    record
        .all_levels()
        .filter(|(name, level)| *name == side && (level.level == LevelName::Model) == of_models)
        .fold(0, |sum, (_, level)| sum.saturating_add(level.trials))
}
