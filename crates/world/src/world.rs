//! The handle that code under test takes.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::live::Live;
use super::recorder::Recorder;
use super::simulation::Simulation;
use super::task::{Task, TaskPlace};
use super::turn::Turn;
use partywall_core::history::{Note, What, Whose};
use partywall_core::ids::{ConnectionId, TaskName, UserName};

/// A handle on the place where futures run; cheap to clone.
#[derive(Clone)]
pub struct World {
    pub(super) place: Place,
    recorder: Option<Recorder>,
}

#[derive(Clone)]
pub(super) enum Place {
    Live(Arc<Live>),
    Simulated(Arc<Simulation>),
}

impl World {
    /// The live world: tokio's tasks and time. Must be used inside a tokio runtime.
    ///
    /// What is observed goes to the recorder; without one it is dropped, as in a server.
    pub fn live(recorder: Option<Recorder>) -> Self {
        Self { place: Place::Live(Arc::new(Live::start())), recorder }
    }

    pub(super) fn simulated(simulation: Arc<Simulation>, recorder: Recorder) -> Self {
        Self { place: Place::Simulated(simulation), recorder: Some(recorder) }
    }

    /// Whether this is the simulated world.
    pub fn is_simulated(&self) -> bool {
        matches!(self.place, Place::Simulated(_))
    }

    /// Now: the step counter in the simulated world, milliseconds since its start in the live one.
    pub fn now(&self) -> u64 {
        match &self.place {
            Place::Live(live) => live.now(),
            Place::Simulated(simulation) => simulation.now(),
        }
    }

    /// One switch point. Nothing in the live world, where the scheduler switches as it likes.
    pub fn turn(&self) -> Turn {
        Turn { left: u32::from(self.is_simulated()) }
    }

    /// Waits that many turns: switch points (at least one) in the simulated world, milliseconds in
    /// the live one.
    pub async fn sleep(&self, turns: u32) {
        match &self.place {
            Place::Live(_) => tokio::time::sleep(Duration::from_millis(turns.into())).await,
            Place::Simulated(_) => Turn { left: turns.max(1) }.await,
        }
    }

    /// Starts a task that lives until it ends or is aborted. The name is its identity in
    /// schedules, so it must be the same in every trial of a plan; a name that is taken gets a
    /// number.
    pub fn spawn(
        &self,
        name: impl Into<TaskName>,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> Task {
        match &self.place {
            Place::Live(live) => Task(TaskPlace::Live(live.spawn(task))),
            Place::Simulated(simulation) => {
                let id = simulation.spawn(name.into(), Box::pin(task), false);
                Task(TaskPlace::Simulated(Arc::clone(simulation), id))
            }
        }
    }

    /// Records what a simulated user did or saw.
    pub fn observe(&self, by: &UserName, on: Option<&ConnectionId>, what: What) {
        if self.recorder.is_some() {
            self.observe_at(self.now(), by, on, what);
        }
    }

    /// The same, where it is known what the [time](Self::now) is: to ask takes a good part of what it
    /// takes to record.
    pub fn observe_at(&self, now: u64, by: &UserName, on: Option<&ConnectionId>, what: What) {
        if let Some(recorder) = &self.recorder {
            recorder.record(now, Some(by.clone()), on.cloned(), what);
        }
    }

    /// Takes a secret of that user out of all that is recorded from here on; see [`Recorder::hide`].
    pub fn hide(&self, user: &UserName, secret: &str, name: &str, whose: Option<Whose>) {
        if let Some(recorder) = &self.recorder {
            recorder.hide(self.now(), user, secret, name, whose);
        }
    }

    /// Notes that the work for that user has come to a milestone of that name, so that a search can
    /// prefer what it has not seen meet. Nothing in the live world.
    pub fn mark(&self, user: &UserName, milestone: &str) {
        if let Place::Simulated(simulation) = &self.place {
            simulation.mark(user, &[milestone]);
        }
    }

    /// Records what the back end reports of itself. An emitted event is a milestone, too.
    pub fn report(&self, note: Note) {
        if let (Place::Simulated(simulation), Note::Emitted { user, event, agent, .. }) =
            (&self.place, &note)
        {
            simulation.mark(user, &[event, agent]);
        }
        if let Some(recorder) = &self.recorder {
            recorder.record(self.now(), None, None, What::Backend { note: note.into() });
        }
    }

    /// Whether reports go anywhere, so that a back end need not make them for nothing.
    pub fn is_recorded(&self) -> bool {
        self.recorder.is_some()
    }
}

impl fmt::Debug for World {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.is_simulated() { "World::Simulated" } else { "World::Live" })
    }
}
