//! Places in a table, by run, in two vectors: one for each run would cost more than to judge it.

use std::ops::Index;

use super::message::Place;

/// For each run its places, in order.
#[derive(Debug, Default)]
pub(super) struct ByRun {
    all: Vec<Place>,
    /// Where each run's places end.
    ends: Vec<Place>,
}

impl ByRun {
    /// Sorts the places by their runs, of which there are so many; those of one run stay in order.
    pub(super) fn new(runs: usize, places: &[(Place, Place)]) -> Self {
        let mut ends = vec![0_u32; runs];
        for (run, _) in places {
            ends[run.get()] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        // Now each holds where its run's begin, and goes on to where they end.
        let mut all = vec![Place::NONE; places.len()];
        for (run, place) in places {
            let end = &mut ends[run.get()];
            all[*end as usize] = *place;
            *end += 1;
        }
        let ends = ends.into_iter().map(|end| Place::new(end as usize)).collect();
        Self { all, ends }
    }

    /// Those of each run.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[Place]> {
        (0..self.ends.len()).map(|run| &self[run])
    }
}

impl Index<usize> for ByRun {
    type Output = [Place];

    fn index(&self, run: usize) -> &[Place] {
        let begin = run.checked_sub(1).map_or(0, |before| self.ends[before].get());
        &self.all[begin..self.ends[run].get()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_has_its_own_places_in_order() {
        let table = [(2, 10), (0, 11), (2, 12), (3, 13), (0, 14)];
        let table = table.map(|(run, place)| (Place::new(run), Place::new(place)));
        let table = ByRun::new(4, &table);
        let all: Vec<Vec<_>> =
            table.iter().map(|places| places.iter().map(|place| place.get()).collect()).collect();
        assert_eq!(all, [&[11, 14][..], &[], &[10, 12], &[13]]);
        assert_eq!(ByRun::new(0, &[]).iter().count(), 0);
    }
}
