//! What is new since an earlier audit. Lines move, so a use is known by what it is, not where.

use std::collections::BTreeMap;

use partywall_core::audit::{AuditRecord, Compared, Use, UseKind};

/// What two uses must have in common to be taken for the same.
type Key<'u> = (&'u str, UseKind, &'u str, &'u str, &'u str);

/// Ways in which a use of now may be one of then, the closest first: as it was; in the same file,
/// edited or in another function; the same line in another file, which was moved.
const WAYS: [fn(&Use) -> Key<'_>; 3] = [
    |found| (&found.symbol, found.kind, &found.place.path, function(found), &found.text),
    |found| (&found.symbol, found.kind, &found.place.path, "", ""),
    |found| (&found.symbol, found.kind, "", function(found), &found.text),
];

fn function(found: &Use) -> &str {
    found.function.as_deref().unwrap_or_default()
}

/// Compares what counts of an audit with an earlier one. Each use of then stands for one of now
/// at the most, so what is left over is new: the number may only fall.
pub fn compare(now: &AuditRecord, then: &AuditRecord, baseline: &str) -> Compared {
    let mut left: Vec<&Use> = then.counted().collect();
    let before = left.len() as u64;
    let counted = now.uses.iter().enumerate().filter(|(_, found)| found.kind.is_counted());
    let mut new: Vec<(usize, &Use)> = counted.collect();
    let count = new.len() as u64;
    for way in WAYS {
        let mut known: BTreeMap<Key<'_>, usize> = BTreeMap::new();
        for old in &left {
            *known.entry(way(old)).or_default() += 1;
        }
        let mut taken: BTreeMap<Key<'_>, usize> = BTreeMap::new();
        new.retain(|(_, found)| {
            let Some(rest) = known.get_mut(&way(found)).filter(|rest| **rest > 0) else {
                return true;
            };
            *rest -= 1;
            *taken.entry(way(found)).or_default() += 1;
            false
        });
        left.retain(|old| {
            let Some(rest) = taken.get_mut(&way(old)).filter(|rest| **rest > 0) else {
                return true;
            };
            *rest -= 1;
            false
        });
    }
    let position = |(at, _): (usize, &Use)| u32::try_from(at).unwrap_or(u32::MAX);
    Compared {
        baseline: baseline.to_owned(),
        before,
        now: count,
        new: new.into_iter().map(position).collect(),
        gone: left.len() as u64,
    }
}
