//! M18 Registry race at reconnect.
//!
//! As in ComfyUI, where the clean-up of the old socket removes the registry entry of the new
//! one.

use crate::shared::Shared;
use partywall_core::ids::UserName;
use partywall_core::mechanism::Mechanism;

/// Removes whatever is registered for the user of a connection that ended.
pub(crate) fn disconnect(shared: &Shared, user: &UserName, id: u64) {
    let defects = &shared.defects;
    if defects.is(Mechanism::M18) && defects.strikes(&format!("{user} {id}")) {
        // The new connection stands, and hears nothing any more.
        for deaf in shared.connections.forget(user) {
            defects.deaf.give_back(deaf);
        }
    }
}
