//! The reference back end: a chat whose agents report every step to the person's browser.
//!
//! It shows the fault and its cure: one process-wide [`factory::AgentInstanceFactory`] that every
//! request reconfigures, or a factory for each request. What threads share is in `kernel`; a
//! [`process::Process`] is a value, so two trials share nothing.

mod agent_classes;
pub mod agents;
mod answers;
pub mod auth;
pub mod bridge;
pub mod call_sites;
pub mod context;
mod controls;
pub mod defects;
mod delivery;
mod earlier;
mod event;
pub mod factory;
mod kernel;
pub mod model;
mod on_drop;
pub mod process;
mod question;
mod run;
pub mod server;
pub mod service;
mod shared;
mod start;
pub mod stubs;
mod supervisor;
mod sync;
mod upstream;
pub mod warning;
mod work;
