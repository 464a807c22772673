//! Tests that measure how long a server takes have the machine to themselves: no program of another
//! test runs meanwhile.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

static MACHINE: Mutex<Machine> = Mutex::new(Machine { programs: 0, is_alone: false });
static CHANGED: Condvar = Condvar::new();

thread_local! {
    /// Whether the test of this thread has the machine to itself.
    static IS_OWN: Cell<bool> = const { Cell::new(false) };
}

struct Machine {
    /// How many programs of tests that share the machine run.
    programs: usize,
    is_alone: bool,
}

fn machine() -> MutexGuard<'static, Machine> {
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait_while(is_closed: fn(&Machine) -> bool) -> MutexGuard<'static, Machine> {
    let waited = CHANGED.wait_while(machine(), |machine| is_closed(machine));
    waited.unwrap_or_else(PoisonError::into_inner)
}

/// The machine, as one test has it to itself. It stays on its thread.
#[derive(Debug)]
pub(crate) struct Alone(PhantomData<*const ()>);

impl Alone {
    /// Waits until no program of another test runs.
    pub(crate) fn new() -> Self {
        wait_while(|machine| machine.is_alone || machine.programs > 0).is_alone = true;
        IS_OWN.set(true);
        Self(PhantomData)
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        IS_OWN.set(false);
        machine().is_alone = false;
        CHANGED.notify_all();
    }
}

/// A program that runs; none of the machine's own where its test has that to itself.
#[derive(Debug)]
pub(super) struct Turn {
    is_counted: bool,
}

impl Turn {
    /// Waits while another test has the machine to itself.
    pub(super) fn new() -> Self {
        let is_counted = !IS_OWN.get();
        if is_counted {
            wait_while(|machine| machine.is_alone).programs += 1;
        }
        Self { is_counted }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.is_counted {
            machine().programs -= 1;
            CHANGED.notify_all();
        }
    }
}
