//! How far a connection has come, as far as the next message on it is read by that: all of it in one
//! place, since thousands of connections take turns.

use super::message::Place;
use partywall_core::canary::Tail;
use partywall_core::json::same;

/// So long ids of runs are kept at hand; longer ones are looked up.
const LONGEST_ID: usize = 36;

/// How far one connection has come.
#[derive(Debug)]
pub(super) struct Course {
    /// How its bytes end so far.
    pub(super) end: Tail,
    /// Whether a canary may be cut in them.
    pub(super) may_be_cut: bool,
    /// The length of the last run's id; more than there is room for if there is none at hand.
    length: u8,
    id: [u8; LONGEST_ID],
    /// The run of the last message that named one.
    run: Place,
    /// Where the texts of the last message are, and of which run it was.
    texts: Place,
    texts_run: Place,
    /// How often the process of its user had been restarted when it was opened.
    pub(super) life: u32,
}

impl Course {
    pub(super) fn new(life: u32) -> Self {
        Self {
            end: Tail::default(),
            may_be_cut: false,
            length: u8::MAX,
            id: [0; LONGEST_ID],
            run: Place::NONE,
            texts: Place::NONE,
            texts_run: Place::NONE,
            life,
        }
    }

    /// The run of that id, if the last message named it too.
    pub(super) fn run_if_again(&self, id: &str) -> Option<usize> {
        let last = self.id.get(..usize::from(self.length))?;
        same(last, id.as_bytes()).then(|| self.run.get())
    }

    /// Where the texts of that run are: mostly where those of the last message are.
    pub(super) fn texts_of(
        &mut self,
        run: Place,
        find: impl FnOnce(Option<usize>) -> usize,
    ) -> Place {
        if self.texts == Place::NONE || self.texts_run != run {
            (self.texts, self.texts_run) = (Place::new(find(run.some())), run);
        }
        self.texts
    }

    /// A message names that run.
    pub(super) fn goes_on_with(&mut self, run: usize, id: &str) {
        self.run = Place::new(run);
        self.length = u8::MAX;
        if let Some(free) = self.id.get_mut(..id.len()) {
            free.copy_from_slice(id.as_bytes());
            self.length = id.len() as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_run_is_known_again_by_its_whole_id() {
        assert!(size_of::<Course>() <= 64, "{} bytes", size_of::<Course>());
        let mut course = Course::new(0);
        assert_eq!(course.run_if_again(""), None);
        for length in [0, 1, 35, 36] {
            let id = "r".repeat(length);
            course.goes_on_with(7, &id);
            assert_eq!(course.run_if_again(&id), Some(7));
            assert_eq!(course.run_if_again(&format!("{id}r")), None);
        }
        // It is looked up instead.
        let long = "r".repeat(37);
        course.goes_on_with(8, &long);
        for id in [&long[..], &long[..36], ""] {
            assert_eq!(course.run_if_again(id), None);
        }
    }
}
