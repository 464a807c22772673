//! What carries a simulated user's messages to a back end.

mod http;
mod in_process;
mod websocket;
mod wire;

pub use in_process::InProcess;
pub use wire::{TargetUrl, Wire};
