//! Which start each run of the plan has.

use std::collections::BTreeMap;

use super::keys::Key;

/// Places of starts, by user and the run's number in the plan.
#[derive(Debug, Default)]
pub(super) struct StartsByRun<'h>(BTreeMap<Key<'h>, Vec<(u16, usize)>>);

impl<'h> StartsByRun<'h> {
    /// The first start of a number stands; a plan has no second.
    pub(super) fn add(&mut self, user: &'h str, run: u16, start: usize) {
        let starts = self.0.entry(Key::of(user)).or_default();
        if let Err(place) = starts.binary_search_by_key(&run, |(run, _)| *run) {
            starts.insert(place, (run, start));
        }
    }

    pub(super) fn get(&self, user: &str, run: u16) -> Option<usize> {
        let starts = self.0.get(&Key::of(user))?;
        let place = starts.binary_search_by_key(&run, |(run, _)| *run).ok()?;
        Some(starts[place].1)
    }
}
