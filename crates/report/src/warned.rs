//! Findings that the scenario grades as warnings: told beside the verdict, never a leak.

use partywall_core::finding::FindingKind;
use partywall_core::record::{FindingRecord, Level, Record};
use partywall_core::severity::FindingClass;

use super::phrases::{self, Quote, count, place};

/// The warnings of all levels, but those of before, which is there to leak.
pub(super) fn seen(
    record: &Record,
) -> impl Iterator<Item = (&'static str, &Level, &FindingRecord)> {
    let levels = record.all_levels().filter(|(side, _)| *side != "before");
    levels.flat_map(|(side, level)| level.warnings.iter().map(move |found| (side, level, found)))
}

/// What it is called, in titles.
pub(super) fn title(kind: FindingKind) -> &'static str {
    match kind.class() {
        FindingClass::OwnData => "own data, wrong request",
        FindingClass::Ambiguous => "a canary cut too short",
        FindingClass::Delivery => "delivery",
        FindingClass::Leak => "warning",
    }
}

/// A line for each warning.
pub(super) fn warnings(record: &Record, quote: Quote) -> Vec<String> {
    seen(record).map(|(side, level, found)| line(side, level, found, quote)).collect()
}

/// A line for each thing that was taken for granted of a server.
pub(super) fn assumptions(record: &Record, quote: Quote) -> Vec<String> {
    let of_level = |(side, level): (&'static str, &Level)| {
        let place = place(side, level, quote);
        let line = |assumption| format!("Assumed, at {place}: {assumption}");
        level.assumptions.iter().map(line).collect::<Vec<_>>()
    };
    record.all_levels().flat_map(of_level).collect()
}

/// The warning in one line.
pub(super) fn line(side: &str, level: &Level, found: &FindingRecord, quote: Quote) -> String {
    let graded = match found.kind.class() {
        FindingClass::OwnData => ". No other user's data; `[severity] own_data` grades it",
        FindingClass::Delivery => ". No other user's data; `[severity] delivery` grades it",
        FindingClass::Ambiguous => "",
        FindingClass::Leak => return quote(&found.summary),
    };
    format!(
        "Warning, {}, at {}: {} ({}), seen {}{graded}",
        title(found.kind),
        place(side, level, quote),
        quote(&found.summary),
        found.oracle.code(),
        phrases::seen(level, found),
    )
}

/// What the sentence of a verdict adds.
pub(super) fn clause(record: &Record) -> String {
    match seen(record).count() as u64 {
        0 => String::new(),
        1 => "; with 1 warning".into(),
        warnings => format!("; with {} warnings", count(warnings)),
    }
}
