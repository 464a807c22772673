//! The sums of the parts of a shared campaign, added up: as those of one run over the same plans.

use super::level::LevelTally;
use partywall_core::measure::Partition;
use partywall_core::record::{FindingRecord, Latent, LevelName, SearchMethod};
use partywall_core::verdict::Reason;

impl LevelTally {
    /// What must be the same in all parts.
    pub fn work(&self) -> (LevelName, String, [u32; 2], SearchMethod, Vec<String>) {
        let phases = self.coverage.to_record().phases;
        (self.level, self.scenario.clone(), self.users, self.method, phases)
    }

    /// Adds what another part of the same campaign came to.
    pub fn merge(&mut self, other: Self) {
        let is_later = other.number() > self.number();
        for (oracle, (judged, items, blind)) in other.oracles {
            let row = self.oracles.entry(oracle).or_default();
            row.0 += judged;
            row.1 += items;
            // As in one run, the first trial's reason stands.
            if row.2.is_none() || (blind.is_some() && !is_later) {
                row.2 = blind;
            }
        }
        for (via, (planted, caught)) in other.path {
            let own = self.path.entry(via).or_default();
            *own = (own.0 + planted, own.1 + caught);
        }
        for (pair, trials) in other.pairs {
            *self.pairs.entry(pair).or_default() += trials;
        }
        self.planned += other.planned;
        self.trials += other.trials;
        self.trials_overlapping += other.trials_overlapping;
        self.overlapping_pairs += other.overlapping_pairs;
        self.pairs_by_events += other.pairs_by_events;
        self.in_flight.add(&other.in_flight);
        self.alone.merge(&other.alone);
        self.met_upstream = self.met_upstream.max(other.met_upstream);
        self.runs.add(other.runs);
        self.malformed += other.malformed;
        self.replies.merge(other.replies);
        self.expected.merge(other.expected);
        self.coverage.add(&other.coverage);
        self.first_leaks.merge(&other.first_leaks);
        self.latency.merge(&other.latency);
        self.first_leak = [self.first_leak, other.first_leak].into_iter().flatten().min();
        self.latent = match (self.latent.take(), other.latent) {
            (Some(one), Some(other)) => {
                let trials = one.trials + other.trials;
                let first = if other.first_trial < one.first_trial { other } else { one };
                Some(Latent { trials, ..first })
            }
            (one, other) => one.or(other),
        };
        self.merge_endings(other.endings);
        self.assumptions.extend(other.assumptions);
        merge_records(&mut self.warnings, other.warnings);
        merge_records(&mut self.findings, other.findings);
        self.places =
            self.findings.iter().map(|found| found.fingerprint.clone()).zip(0..).collect();
        // From here on the number of the last trial is that of the whole.
        self.partition = Partition::WHOLE;
    }

    fn merge_endings(&mut self, others: Vec<(u64, Reason)>) {
        self.endings.extend(others);
        self.endings.sort_by_key(|(number, _)| *number);
        let mut codes = Vec::new();
        self.endings.retain(|(_, reason)| {
            let new = !codes.contains(&reason.code);
            codes.push(reason.code);
            new
        });
    }
}

/// Of each finding what was told of it first, as in one run.
fn merge_records(own: &mut Vec<FindingRecord>, others: Vec<FindingRecord>) {
    for found in others {
        match own.iter_mut().find(|own| own.fingerprint == found.fingerprint) {
            Some(own) => {
                let seen_in_trials = own.seen_in_trials + found.seen_in_trials;
                if found.first_trial < own.first_trial {
                    *own = found;
                }
                own.seen_in_trials = seen_in_trials;
            }
            None => own.push(found),
        }
    }
    // Stable, and those of one trial are of one part: their order there stays.
    own.sort_by_key(|found| found.first_trial);
}
