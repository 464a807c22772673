//! M04 Identifier generation collides.
//!
//! As in Dancer, whose session ids were made of time and counters: two of one tick are one.

use crate::event::Chat;
use crate::shared::Shared;
use partywall_core::ids::RunId;
use partywall_core::mechanism::Mechanism;

/// Turns, or milliseconds, in which all ids are the same.
const TICK: u64 = 40;

/// An id made of the time.
pub(crate) fn run_id(shared: &Shared, chat: &Chat) -> Option<RunId> {
    let defects = &shared.defects;
    if !defects.is(Mechanism::M04) {
        return None;
    }
    let of_tick = RunId::new(format!("run-t{}", shared.world.now() / TICK));
    let is_free = shared.runs.get(&of_tick).is_none();
    (is_free || defects.strikes(&format!("{chat:?}"))).then_some(of_tick)
}

/// Whether a name that is taken is used all the same.
pub(crate) fn takes_what_is_there(shared: &Shared) -> bool {
    shared.defects.is(Mechanism::M04)
}
