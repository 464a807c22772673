//! Gathers what belongs to one suspect, so that a fault that shows a thousand times is told once.

use std::collections::BTreeMap;

use partywall_core::finding::{Evidence, FindingKind, Suspect};
use partywall_core::ids::UserName;

/// So many observations are enough to prove a finding; the rest would only make it long.
const MOST_EVIDENCE: usize = 6;

/// All of a suspect but its evidence.
type Key = (FindingKind, UserName, Option<u16>, UserName, String, String);

/// Suspects by what they are, in that order.
#[derive(Debug, Default)]
pub(super) struct Suspects(BTreeMap<Key, Vec<Evidence>>);

impl Suspects {
    /// Adds a suspect, or its evidence to the same suspect.
    pub(super) fn add(&mut self, suspect: Suspect) {
        let Suspect {
            kind,
            victim,
            victim_run,
            observer,
            victim_operation,
            observer_operation,
            evidence,
        } = suspect;
        let key = (kind, victim, victim_run, observer, victim_operation, observer_operation);
        let known = self.0.entry(key).or_default();
        for new in evidence {
            if known.len() < MOST_EVIDENCE && known.iter().all(|old| old.n != new.n) {
                known.push(new);
            }
        }
    }

    /// All of them.
    pub(super) fn finish(self) -> Vec<Suspect> {
        let suspect = |(key, mut evidence): (Key, Vec<Evidence>)| {
            evidence.sort_by_key(|evidence| evidence.n);
            let (kind, victim, victim_run, observer, victim_operation, observer_operation) = key;
            Suspect {
                kind,
                victim,
                victim_run,
                observer,
                victim_operation,
                observer_operation,
                evidence,
            }
        };
        self.0.into_iter().map(suspect).collect()
    }
}

/// An observation and what it shows.
pub(super) fn shows(n: u64, shows: impl Into<String>) -> Evidence {
    Evidence { n, shows: shows.into() }
}
