//! What carries a simulated user's messages to a back end: in the same process, or over real
//! connections.

mod http;
mod in_process;
mod page;
mod servers;
mod tls;
mod websocket;
mod wire;

pub use in_process::{InProcess, ReferenceSubject};
pub use page::read_page;
pub use servers::{Servers, first_requests};
pub use tls::Trust;
pub use wire::{TargetUrl, Wire};
