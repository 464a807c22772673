//! Places in a table, by run, in two vectors: one for each run would cost more than to judge it.

use std::ops::Index;

/// For each run its places, in order.
#[derive(Debug, Default)]
pub(super) struct ByRun {
    all: Vec<usize>,
    /// Where each run's places end.
    ends: Vec<usize>,
}

impl ByRun {
    /// Sorts the places by their runs, of which there are so many; those of one run stay in order.
    pub(super) fn new(runs: usize, places: &[(usize, usize)]) -> Self {
        let mut ends = vec![0; runs];
        for &(run, _) in places {
            ends[run] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        // Now each holds where its run's begin, and goes on to where they end.
        let mut all = vec![0; places.len()];
        for &(run, place) in places {
            all[ends[run]] = place;
            ends[run] += 1;
        }
        Self { all, ends }
    }

    /// Those of each run.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[usize]> {
        (0..self.ends.len()).map(|run| &self[run])
    }
}

impl Index<usize> for ByRun {
    type Output = [usize];

    fn index(&self, run: usize) -> &[usize] {
        let begin = run.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.all[begin..self.ends[run]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_has_its_own_places_in_order() {
        let table = ByRun::new(4, &[(2, 10), (0, 11), (2, 12), (3, 13), (0, 14)]);
        let all: Vec<_> = table.iter().collect();
        assert_eq!(all, [&[11, 14][..], &[], &[10, 12], &[13]]);
        assert_eq!(ByRun::new(0, &[]).iter().count(), 0);
    }
}
