//! How often the findings of the wire reproduce, and from how small a plan.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::wire::reproduce::{Reproducer, named, time_for};
use crate::wire::rounds::Rounds;
use crate::wire::shrink::{ShrinkBudget, Wanted, keeps_the_floor, shrink_on_wire};
use partywall_core::finding::{Finding, Fingerprint};
use partywall_core::history::History;
use partywall_core::ids::UserName;
use partywall_core::plan::Plan;
use partywall_core::record::{FindingRecord, Rate};
use partywall_explore::store::budget::Progress;
use partywall_explore::store::error::CampaignError;
use partywall_explore::store::repro::Repro;

/// Of the smaller plans that were taken so many are driven for a rate, the smallest first, before
/// the whole one stands.
const MEASURED: usize = 3;
/// How long the drives of a plan may take that state its rate, if none shows its findings: one that waits
/// for an answer that is lost takes as long as its users' patience.
const MEASURE_TIME: Duration = Duration::from_secs(50);

/// A finding of a round, with its repro.
pub(crate) struct Leak {
    pub(crate) repro: Repro,
    named: Vec<UserName>,
    limit: Duration,
}

impl Leak {
    pub(crate) fn new(repro: Repro, finding: &Finding, history: &History) -> Self {
        Self { repro, named: named(history, finding), limit: time_for(history, finding) }
    }

    fn fingerprint(&self) -> &Fingerprint {
        &self.repro.fingerprint
    }
}

/// The places of the leaks, those of one plan together.
fn places_by_plan(leaks: &[Leak]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (place, leak) in leaks.iter().enumerate() {
        match groups.iter_mut().find(|group| leaks[group[0]].repro.plan == leak.repro.plan) {
            Some(group) => group.push(place),
            None => groups.push(vec![place]),
        }
    }
    groups
}

/// How many drives of that length fit into the time; one at least.
fn times_within(time: Duration, drive: Duration) -> u64 {
    let times = time.as_millis() / drive.as_millis().max(1);
    u64::try_from(times).unwrap_or(u64::MAX).max(1)
}

impl Rounds<'_> {
    /// States how often each finding reproduces, and makes the leaking plans small while the budget
    /// lasts. Findings of one plan share their drives.
    pub(crate) fn settle(
        &self,
        runtime: &tokio::runtime::Runtime,
        records: &mut [FindingRecord],
        leaks: &mut [Leak],
        progress: &dyn Progress,
    ) -> Result<(), CampaignError> {
        let reproducer = Reproducer {
            servers: RefCell::new(Arc::clone(&self.servers)),
            launched: self.launched,
            keys: &self.keys,
            runtime,
            drives: Cell::new(0),
        };
        let mut rates: BTreeMap<Fingerprint, Rate> = BTreeMap::new();
        let groups = places_by_plan(leaks);
        for (at, group) in groups.iter().enumerate() {
            progress.say(&format!("driving leaking plan {} of {} again", at + 1, groups.len()));
            let plan = leaks[group[0]].repro.plan.clone();
            rates.extend(self.measure(&reproducer, &plan, leaks, group)?);
        }
        let until = Instant::now() + self.shrink.time;
        let most = reproducer.drives.get() + self.shrink.drives;
        for group in groups {
            let mut left = group;
            left.retain(|&place| rates.get(leaks[place].fingerprint()).is_some_and(|r| r.hit > 0));
            while let Some(&first) = left.first() {
                let budget = ShrinkBudget {
                    time: until.saturating_duration_since(Instant::now()),
                    drives: most.saturating_sub(reproducer.drives.get()),
                };
                if budget.time.is_zero() || budget.drives == 0 || self.stop.reason().is_some() {
                    break;
                }
                progress.say("making a leaking plan small");
                let served = self.make_small(&reproducer, leaks, &left, &mut rates, budget)?;
                left.retain(|place| *place != first && !served.contains(place));
            }
        }
        for leak in &*leaks {
            let own = records.iter_mut().find(|own| own.fingerprint == *leak.fingerprint());
            let Some(record) = own else { continue };
            record.reproduction_rate = rates.get(leak.fingerprint()).copied();
            record.repro_size = Some(leak.repro.size());
            if let Some(relative) = &record.repro {
                self.folder.write(relative, &leak.repro.to_file())?;
            }
        }
        Ok(())
    }

    /// In how many drives of the plan each of those findings shows.
    fn measure(
        &self,
        reproducer: &Reproducer<'_>,
        plan: &Plan,
        leaks: &[Leak],
        places: &[usize],
    ) -> Result<Vec<(Fingerprint, Rate)>, CampaignError> {
        let wanted: Vec<_> = places.iter().map(|&place| leaks[place].fingerprint()).collect();
        let limit = places.iter().map(|&place| leaks[place].limit).max().unwrap_or_default();
        let times = self.replays.min(times_within(MEASURE_TIME, limit));
        let rates = reproducer.rates(plan, &wanted, times, limit, self.stop)?;
        let measured = wanted.into_iter().cloned().zip(rates);
        Ok(measured.filter(|(_, rate)| rate.of > 0).collect())
    }

    /// Makes the plan of the first of those leaks small; the others take it too where it shows them
    /// as well. Gives the places of those that have it now.
    fn make_small(
        &self,
        reproducer: &Reproducer<'_>,
        leaks: &mut [Leak],
        places: &[usize],
        rates: &mut BTreeMap<Fingerprint, Rate>,
        budget: ShrinkBudget,
    ) -> Result<Vec<usize>, CampaignError> {
        let first = &leaks[places[0]];
        let wanted = Wanted {
            fingerprint: first.fingerprint(),
            whole: rates[first.fingerprint()],
            named: &first.named,
            limit: first.limit,
        };
        let taken = shrink_on_wire(&first.repro.plan, &wanted, reproducer, budget, self.stop)?;
        for small in taken.iter().skip(1).rev().take(MEASURED) {
            let measured: BTreeMap<_, _> =
                self.measure(reproducer, small, leaks, places)?.into_iter().collect();
            let keeps = |place: &usize| {
                let fingerprint = leaks[*place].fingerprint();
                let (whole, small) = (rates.get(fingerprint), measured.get(fingerprint));
                matches!((whole, small), (Some(whole), Some(small)) if keeps_the_floor(*whole, *small))
            };
            if !keeps(&places[0]) {
                continue;
            }
            let served: Vec<usize> = places.iter().copied().filter(keeps).collect();
            for &place in &served {
                leaks[place].repro.plan.clone_from(small);
                let fingerprint = leaks[place].fingerprint().clone();
                rates.extend(measured.get_key_value(&fingerprint).map(|(f, r)| (f.clone(), *r)));
            }
            return Ok(served);
        }
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_stated_on_one_drive_where_each_waits_for_long() {
        let seconds = Duration::from_secs;
        let times = [1, 2, 21, 60].map(|drive| times_within(MEASURE_TIME, seconds(drive)));
        assert_eq!(times, [50, 25, 2, 1]);
        assert_eq!(times_within(MEASURE_TIME, Duration::ZERO), 50_000);
    }
}
