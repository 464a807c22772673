//! The self-test: every mechanism is switched on in turn, and must be found by what should find it.
//!
//! One kind of work is used for all, the mix, which is not told what is on; beside it the back end
//! without a defect must come out clean under the same work and under that of the scenarios.

pub mod detection;
pub mod driven;
pub mod explored;
pub mod matrix;
pub mod table;

use partywall_core::mechanism::Mechanism;
use partywall_drive::scenario::{Act, Range, ScenarioError, Workload, built_in};

/// The scenario of the mix.
pub const MIX: &str = "mechanism-mix";

/// The mix in the simulated world.
///
/// # Errors
///
/// The program carries a scenario that it cannot read.
pub fn mix() -> Result<Workload, ScenarioError> {
    built_in(MIX)?.to_explore().cloned()
}

/// The part of a mix that provokes that mechanism most, or the whole where most of the mix shows it.
pub fn own_work(mut work: Workload, mechanism: Mechanism) -> Workload {
    let acts: &[Act] = match mechanism {
        // Time limits within the window in which the late reply is still to come.
        Mechanism::M02 => {
            work.faults = Range { least: 1, most: 3 };
            work.runs_per_user = 4;
            work.stub_delay = Range { least: 2, most: 6 };
            &[Act::Abandons]
        }
        Mechanism::M10 => {
            work.runs_per_user = 4;
            &[Act::Plain, Act::TwoTurns]
        }
        Mechanism::M14 => &[Act::NoThread],
        Mechanism::M16 => &[Act::Equal],
        Mechanism::M23 => &[Act::Stops],
        _ => return work,
    };
    work.acts = acts.to_vec();
    work
}
