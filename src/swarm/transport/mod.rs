//! What carries a simulated user's messages to a back end: in the same process, or over real
//! connections.

mod handler;
mod http;
mod in_process;
mod page;
mod pipe;
mod servers;
mod tls;
mod websocket;
mod wire;

pub use handler::{Chat, Handler, handler};
pub use in_process::InProcess;
pub use page::read_page;
pub use servers::{Servers, first_requests};
pub use tls::Trust;
pub use wire::{TargetUrl, Wire};
