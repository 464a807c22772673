//! The gate: no run starts once the process shuts down, and those in flight are counted.

use super::lock;
use super::sync::Mutex;

#[derive(Debug)]
pub(crate) struct Gate {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    open: bool,
    in_flight: u64,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State { open: true, in_flight: 0 }) }
    }

    /// Lets a run in; false once closed. Each run that was let in must [`leave`](Self::leave).
    pub(crate) fn enter(&self) -> bool {
        let mut state = lock(&self.state);
        state.in_flight += u64::from(state.open);
        state.open
    }

    /// A run that was let in has ended.
    pub(crate) fn leave(&self) {
        let mut state = lock(&self.state);
        state.in_flight -= 1;
    }

    /// Lets nobody in any more.
    pub(crate) fn close(&self) {
        lock(&self.state).open = false;
    }

    /// How many runs are in flight.
    pub(crate) fn in_flight(&self) -> u64 {
        lock(&self.state).in_flight
    }
}
