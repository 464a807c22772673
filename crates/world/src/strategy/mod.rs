//! Strategies: who goes on at a switch point of the simulated world.

mod exhaustive;
mod guided;
mod pct;
mod random;
mod replay;
mod switch_point;
mod twice;

pub use exhaustive::{Branch, Exhaustive};
pub use guided::{Guide, Guided};
pub use pct::Pct;
pub use random::Random;
pub use replay::{Mode, Replay};
pub use switch_point::{Choice, Mark, Strategy, SwitchPoint};
pub use twice::{Again, Twice};
