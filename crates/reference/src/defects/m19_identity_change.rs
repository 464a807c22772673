//! M19 Identity change on a live connection.
//!
//! As in hypothesis, whose socket is authorised when it opens and keeps that after the logout.

use crate::service::HttpRequest;
use crate::shared::Shared;
use partywall_core::ids::UserName;
use partywall_core::mechanism::Mechanism;

/// Whoever authenticated first on the connection.
pub(crate) fn user(shared: &Shared, request: &HttpRequest, authenticated: UserName) -> UserName {
    let defects = &shared.defects;
    if !defects.is(Mechanism::M19) {
        return authenticated;
    }
    let own = authenticated.clone();
    let first = defects.names.change(request.connection.clone(), || own, |first| first.clone());
    if defects.strikes(&format!("{request:?}")) { first } else { authenticated }
}
