//! The leaks of a state, as the matrix lists them.

use partywall_core::finding::{FindingKind, OracleId};
use partywall_core::migration::LeakRow;

/// What a finding is, without the users: they differ from trial to trial.
pub(super) fn describe_leak(
    oracle: OracleId,
    kind: FindingKind,
    operation: &str,
    seen: &str,
) -> String {
    format!("{} {}: {operation} on {seen}", oracle.code(), kind.as_str())
}

/// The leaks, the most frequent first.
pub(super) fn sorted(rows: impl Iterator<Item = LeakRow>) -> Vec<LeakRow> {
    let mut rows: Vec<LeakRow> = rows.collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.trials));
    rows
}
