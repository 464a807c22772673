//! Gathers what belongs to one suspect, so that a fault that shows a thousand times is told once.

use std::collections::BTreeMap;

use partywall_core::finding::{About, Evidence, FindingKind, Suspect};
use partywall_core::ids::UserName;

/// So many observations are enough to prove a finding; the rest would only make it long.
const MOST_EVIDENCE: usize = 6;

/// Suspects without their evidence, in that order, and the evidence.
#[derive(Debug, Default)]
pub(super) struct Suspects(BTreeMap<Suspect, Vec<Evidence>>);

impl Suspects {
    /// Adds a suspect, or its evidence to the same suspect.
    pub(super) fn add(&mut self, mut suspect: Suspect) {
        let evidence = std::mem::take(&mut suspect.evidence);
        let known = self.0.entry(suspect).or_default();
        for new in evidence {
            if known.len() < MOST_EVIDENCE && known.iter().all(|old| old.n != new.n) {
                known.push(new);
            }
        }
    }

    /// All of them.
    pub(super) fn finish(self) -> Vec<Suspect> {
        let whole = |(suspect, mut evidence): (Suspect, Vec<Evidence>)| {
            evidence.sort_by_key(|evidence| evidence.n);
            Suspect { evidence, ..suspect }
        };
        self.0.into_iter().map(whole).collect()
    }
}

/// Something is wrong with what a user got themselves: which run, what was done, where it was seen.
pub(super) fn own(
    kind: FindingKind,
    user: &UserName,
    run: Option<u16>,
    operation: impl Into<String>,
    seen_on: &str,
    evidence: Vec<Evidence>,
) -> Suspect {
    Suspect {
        kind,
        victim: user.clone(),
        victim_run: run,
        observer: user.clone(),
        victim_operation: operation.into(),
        observer_operation: seen_on.into(),
        evidence,
        about: About::default(),
    }
}

/// What is the victim's was seen by another.
pub(super) fn crossing(
    (victim, run): (&UserName, Option<u16>),
    operation: impl Into<String>,
    observer: &UserName,
    seen_on: &str,
    evidence: Vec<Evidence>,
) -> Suspect {
    let suspect = own(FindingKind::Crossing, victim, run, operation, seen_on, evidence);
    Suspect { observer: observer.clone(), ..suspect }
}

/// An observation and what it shows.
pub(super) fn shows(n: u64, shows: impl Into<String>) -> Evidence {
    Evidence { n, shows: shows.into() }
}
