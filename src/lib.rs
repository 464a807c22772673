//! Checks that one user's data cannot reach another user.
//!
//! Give partywall one async function of yours. Simulated users call it at the same time, and every
//! `.await` is a point where another user may continue. The test fails if anybody is answered with what
//! somebody else wrote:
//!
//! ```should_panic
//! use std::sync::{Arc, Mutex};
//! # std::env::set_current_dir(std::env::temp_dir()).unwrap();
//! // In your code this is the body of a `#[test]`.
//! partywall::assert_isolated(partywall::Config::default(), || {
//!     let slot = Arc::new(Mutex::new(String::new())); // one slot for all users: this leaks
//!     partywall::handler(move |chat| {
//!         let slot = Arc::clone(&slot);
//!         async move {
//!             *slot.lock().unwrap() = chat.prompt().to_owned();
//!             chat.world().turn().await; // wait here for a database, a model, a queue …
//!             format!("you asked: {}", slot.lock().unwrap())
//!         }
//!     })
//! });
//! ```
//!
//! The failure shows the smallest interleaving that leaks, and saves it; the test replays it first
//! from then on.
//!
//! | you want | use |
//! | --- | --- |
//! | a test that fails on a leak | [`assert_isolated`] |
//! | to look at the result yourself | [`explore`], which returns an [`Isolation`] |
//! | one async function as the code under test | [`handler`], which passes a [`Chat`] to it |
//! | a service with its own connections | [`backend::Backend`] |
//! | other users, trials or schedules | [`Config`], [`Search`], [`Via`], [`FaultKind`] |
//! | timers, channels and tasks that can be explored | [`World`] |
//!
//! A server in another language is driven over the network by the program `partywall`; the
//! [guide](https://docs.rs/crate/partywall/latest/source/docs/SUMMARY.md) shows both.
//!
//! **Limits.** A clean result holds for these plans and schedules, not for all. Code under test waits
//! through [`World`] or runtime-free futures; a call of tokio's own timers, network or `spawn` is
//! reported as such and makes the result inconclusive. Races between threads inside one step are not
//! explored.
//!
//! The feature `cli` (on by default) builds the program and what it takes. As a dev-dependency write
//! `partywall = { version = "0.1", default-features = false }`.

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod fuzzing;

/// The simulated users, and what carries their messages.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod swarm {
    pub use partywall_drive::transport::{self, Servers, first_requests, read_page};
    pub use partywall_explore::user::{Allowance, Given, Played, Unrecorded, users};
}

// Parts that the program and its tests take; not part of the stable API.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub use {
    partywall_audit as audit, partywall_campaign as campaign,
    partywall_drive::{scenario, upstream},
    partywall_reference as reference,
    partywall_reference::model,
    partywall_report as report,
};
#[doc(hidden)]
pub use {
    partywall_core as trial, partywall_explore::own_code, partywall_oracles as oracle,
    partywall_world as world,
};

pub mod backend;

#[doc(inline)]
pub use partywall_core::{
    finding::OracleId,
    ids::UserName,
    plan::{FaultKind, Via},
    record::FindingRecord as Finding,
    verdict::{Reason, ReasonCode, Verdict},
};
#[doc(inline)]
pub use partywall_explore::{
    Chat, Config, Handler, Isolation, MakeBackend, assert_isolated,
    exploration::search::Search,
    explore, handler,
    store::error::{CampaignError as Error, Kind as ErrorKind},
};
#[doc(inline)]
pub use partywall_world::World;

/// The snippets of README and the guide, which are compiled and run as they stand.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../README.md")]
    mod readme {}
    #[doc = include_str!("../docs/tutorials/rust.md")]
    mod rust {}
}
