//! What simulated users know besides their plan.

use std::collections::BTreeMap;

use tokio::sync::watch;

use super::allowance::Allowance;
use super::exchange::Unrecorded;
use super::identities::Identities;
use partywall_core::ids::UserName;

/// What simulated users are given besides their plan; nothing in the simulated world.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// What stands for `{{ env.NAME }}`: secrets, told to nobody but the server.
    pub environment: BTreeMap<String, String>,
    /// What stands for `{{ user.secret }}`, by user: secrets too.
    pub user_secrets: BTreeMap<UserName, String>,
    /// The server's model and tools, where partywall plays them.
    pub upstream: Option<Played>,
    /// What else the server may call a user to them: templates.
    pub accounts: Vec<String>,
    /// How much may be asked of the server.
    pub allowance: Allowance,
    /// What the server can tell users apart by.
    pub identities: Identities,
    /// What was received of answers and not recorded yet.
    pub unrecorded: Unrecorded,
    /// Whether the server is up; none where it is never restarted.
    pub up: Option<watch::Receiver<bool>>,
}

/// A server's model and tools, as far as its users know of them.
#[derive(Clone, Debug)]
pub struct Played {
    /// What stands for `{{ upstream.url }}`.
    pub url: String,
    /// How their log names a credential.
    pub credential_of: fn(&str) -> UserName,
}
