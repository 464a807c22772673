//! Which start each run of the plan has, and which number each user.

use super::keys::ByName;
use super::message::Place;

/// Places of starts, by user and the run's number in the plan. Users are numbered as they appear:
/// to look a name up costs more than all else that is done with it.
#[derive(Debug)]
pub(super) struct StartsByRun<'h> {
    users: ByName<'h>,
    starts: Vec<Vec<(u16, Place)>>,
    /// How many runs a user mostly has.
    runs: usize,
}

impl<'h> StartsByRun<'h> {
    /// None so far; `names` is empty, and a user mostly has so many runs.
    pub(super) fn new(names: ByName<'h>, runs: usize) -> Self {
        Self { users: names, starts: Vec::new(), runs }
    }

    /// The user's number.
    pub(super) fn number(&mut self, user: &'h str) -> usize {
        let next = self.starts.len();
        let number = self.users.get_or_add(user.into(), |_| next);
        if number == next {
            self.starts.push(Vec::with_capacity(self.runs));
        }
        number
    }

    /// The number of a user who has one.
    pub(super) fn number_of(&self, user: &str) -> Option<usize> {
        self.users.get(user)
    }

    /// How many users have a number.
    pub(super) fn users(&self) -> usize {
        self.starts.len()
    }

    /// The first start of a number stands; a plan has no second.
    pub(super) fn add(&mut self, user: usize, run: u16, start: usize) {
        let starts = &mut self.starts[user];
        // Mostly in order.
        if starts.last().is_none_or(|(last, _)| *last < run) {
            starts.push((run, Place::new(start)));
        } else if let Err(place) = starts.binary_search_by_key(&run, |(run, _)| *run) {
            starts.insert(place, (run, Place::new(start)));
        }
    }

    pub(super) fn get(&self, user: &str, run: u16) -> Option<usize> {
        let starts = &self.starts[self.number_of(user)?];
        let place = starts.binary_search_by_key(&run, |(run, _)| *run).ok()?;
        Some(starts[place].1.get())
    }
}

/// The runs of one user whose ends come in the order of their starts.
#[derive(Debug, Default)]
pub(super) struct InOrder {
    pub(super) starts: Vec<usize>,
    pub(super) ended: usize,
    /// Something was cut or given up: from there on nobody knows which answer is whose.
    pub(super) lost: bool,
}
