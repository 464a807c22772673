//! M17 Replay log not scoped.
//!
//! As in the event stores of MCP servers, which replay all events after an id regardless of the
//! stream.

use std::sync::Arc;

use crate::delivery::Delivery;
use crate::shared::Shared;
use partywall_core::mechanism::Mechanism;
use partywall_world::backend::Cursor;

/// Every event there is.
pub(crate) fn log(shared: &Shared, cursor: &Cursor) -> Option<Vec<Arc<Delivery>>> {
    let defects = &shared.defects;
    let hit = defects.is(Mechanism::M17) && defects.strikes(&format!("{cursor:?}"));
    hit.then(|| shared.log.values().concat())
}
