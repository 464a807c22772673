//! The self-test: every mechanism is switched on in turn, and must be found by what should find it.
//!
//! One kind of work is used for all, the mix, which is not told what is on; beside it the back end
//! without a defect must come out clean under the same work and under that of the scenarios.

pub mod driven;
pub mod explored;
pub mod matrix;
pub mod table;

use crate::scenario::{ScenarioError, Workload, built_in};

/// The scenario of the mix.
pub const MIX: &str = "mechanism-mix";

/// The mix in the simulated world.
///
/// # Errors
///
/// The program carries a scenario that it cannot read.
pub fn mix() -> Result<Workload, ScenarioError> {
    Ok(built_in(MIX)?.explore)
}
