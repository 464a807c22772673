//! What is known of a run id, and what messages say that accept a run.

use std::borrow::Cow;

use super::message::Place;
use partywall_core::ids::UserName;

/// What is known of a run id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFacts<'h> {
    /// The id; server text.
    pub id: Cow<'h, str>,
    /// Whether the id was made up here, for a run whose messages name none: it accuses nobody.
    pub made_up: bool,
    /// Whose run it is.
    pub user: Option<&'h UserName>,
    /// Which of the plan.
    pub run: Option<u16>,
    /// Whether the back end told whose it is; else canaries did.
    pub user_told: bool,
    /// Whether the back end told which it is; else canaries did.
    pub run_told: bool,
    /// To whom it was given first, by the number of the observation.
    pub given: Option<(u64, &'h UserName)>,
    /// To whom else: that is a fault.
    pub given_again: Vec<(u64, &'h UserName)>,
    /// Which start it answers, in [`Case::starts`](super::Case::starts), where the back end told.
    pub(super) start: Place,
}

impl<'h> RunFacts<'h> {
    pub(super) fn unknown(id: Cow<'h, str>) -> Self {
        let (user, run, given, given_again) = (None, None, None, Vec::new());
        let (user_told, run_told, start) = (false, false, Place::NONE);
        Self { id, made_up: false, user, run, user_told, run_told, given, given_again, start }
    }

    /// A run whose messages name no id.
    pub(super) fn made_up(id: Cow<'h, str>) -> Self {
        Self { made_up: true, ..Self::unknown(id) }
    }

    /// Whether the run is known to be that user's, or may be.
    pub fn may_be_of(&self, user: &UserName) -> bool {
        self.user.is_none_or(|owner| same(owner, user)) || self.was_given(user)
    }

    pub(super) fn tell(&mut self, user: &'h UserName, run: Option<u16>) {
        if self.user.is_none() {
            (self.user, self.user_told) = (Some(user), true);
        }
        if self.run.is_none() && self.user.is_some_and(|owner| same(owner, user)) {
            (self.run, self.run_told) = (run, run.is_some());
        }
    }

    pub(super) fn give(&mut self, n: u64, user: &'h UserName) {
        if self.given.is_none() {
            self.given = Some((n, user));
        } else if !self.was_given(user) {
            self.given_again.push((n, user));
        }
    }

    fn was_given(&self, user: &UserName) -> bool {
        self.given.iter().chain(&self.given_again).any(|(_, given)| same(given, user))
    }
}

/// Whether the two are equal; mostly they are the very same, which can be told without a look at them.
fn same(one: &UserName, other: &UserName) -> bool {
    std::ptr::eq(one, other) || one == other
}

/// A message that accepts a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accepting {
    /// It, in [`Case::messages`](super::Case::messages).
    pub(super) message: usize,
    /// The number of the request id that it names.
    pub(super) request: Place,
}

/// What became of a message that accepts a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Acceptance {
    /// The message, in [`Case::messages`](super::Case::messages).
    pub(super) message: usize,
    /// Which start it answers.
    pub(super) answers: Answers,
}

/// Which start an acceptance answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// That start.
    Start(usize),
    /// One of several with the same request id; which is not known.
    OneOfSeveral,
    /// It says so little, or of another user, that nothing follows.
    Unclear,
    /// No start that waits for an answer.
    None,
}
