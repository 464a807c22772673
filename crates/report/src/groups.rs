//! Which findings are told together, and in which order.

use super::phrases::findings_of;
use partywall_core::finding::{FindingKind, OracleId};
use partywall_core::record::{FindingRecord, Level, Record};

/// How many findings of a side are told; the rest is in `report.json`.
const MOST_FINDINGS: usize = 10;

/// How many are told of those that are there to be found.
const MOST_EXPECTED: usize = 4;

/// A finding with its level.
pub(super) type Found<'r> = (&'r Level, &'r FindingRecord);

/// Findings that are told together.
pub(super) struct FindingGroup<'r> {
    pub(super) title: &'static str,
    /// Whether they are there to be found, so that one in full is enough.
    pub(super) expected: bool,
    /// Each with its level.
    pub(super) found: Vec<Found<'r>>,
}

impl<'r> FindingGroup<'r> {
    /// Those that are told in full, those that are told in short, and how many are not told.
    pub(super) fn parts(&self) -> (&[Found<'r>], &[Found<'r>], usize) {
        let (most, in_full) =
            if self.expected { (MOST_EXPECTED, 1) } else { (MOST_FINDINGS, MOST_FINDINGS) };
        let (shown, rest) = self.found.split_at(self.found.len().min(most));
        let (in_full, in_short) = shown.split_at(shown.len().min(in_full));
        (in_full, in_short, rest.len())
    }
}

/// The findings in the order in which they matter, in groups with a title: what still leaks first.
pub(super) fn finding_groups(record: &Record) -> Vec<FindingGroup<'_>> {
    let groups = [
        ("Findings after the migration", "after", false),
        ("Findings", "", false),
        ("Findings before the migration (so these plans do provoke leaks)", "before", true),
    ];
    let group = |(title, side, expected)| {
        let found = findings_of(record, side).collect();
        let found = if expected { varied(found) } else { found };
        FindingGroup { title, expected, found }
    };
    groups.map(group).into_iter().filter(|group| !group.found.is_empty()).collect()
}

/// First one whose causes are known; then one of each kind by each oracle, crossings first; then a
/// second one of each, and so on.
fn varied(mut found: Vec<Found<'_>>) -> Vec<Found<'_>> {
    // The one that is told in full.
    let example = found.iter().position(|(_, finding)| !finding.chain.is_empty());
    if let Some(example) = example {
        found[..=example].rotate_right(1);
    }
    let mut seen: Vec<(FindingKind, OracleId, usize)> = Vec::new();
    let mut ranked: Vec<(usize, FindingKind, Found<'_>)> = Vec::new();
    for (level, finding) in found {
        let (kind, oracle) = (finding.kind, finding.oracle);
        let rank = match seen.iter_mut().find(|seen| (seen.0, seen.1) == (kind, oracle)) {
            Some((.., rank)) => {
                *rank += 1;
                *rank
            }
            None => {
                seen.push((kind, oracle, 0));
                0
            }
        };
        ranked.push((rank, kind, (level, finding)));
    }
    if let Some((_, others)) = ranked.split_first_mut() {
        // Stable: what was found first stays first.
        others.sort_by_key(|(rank, kind, _)| (*rank, *kind));
        // Of those that are shown, the worst first.
        let shown = others.len().min(MOST_EXPECTED - 1);
        others[..shown].sort_by_key(|(_, kind, _)| *kind);
    }
    ranked.into_iter().map(|(.., found)| found).collect()
}
