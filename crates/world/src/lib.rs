//! Where futures run: live on tokio, or simulated, one task at a time.
//!
//! Code under test takes a cloneable [`World`] instead of calling tokio's spawn and time itself.
//! In the simulated world a switch point is a poll that returned `Pending`; every primitive here
//! (turn, sleep, channel) has one, and code between two of them is atomic.

pub mod backend;
pub mod box_future;
pub mod channel;
mod executor;
mod fault_line;
mod live;
mod patience;
pub mod recorder;
pub mod simulated;
mod simulation;
pub mod strategy;
mod task;
mod turn;
mod world;

pub use fault_line::{Dropped, FaultLine};
pub use live::{Timer, unconstrained};
pub use patience::{AtRest, Wait};
pub use task::{AbortOnDrop, Task};
pub use turn::Turn;
pub use world::World;
