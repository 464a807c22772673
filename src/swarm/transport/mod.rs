//! What carries a simulated user's messages to a back end.

mod handler;
mod http;
mod in_process;
mod pipe;
mod tls;
mod websocket;
mod wire;

pub use handler::{Chat, Handler, handler};
pub(super) use http::{HttpClient, header_lines, words};
pub use in_process::InProcess;
pub use tls::Trust;
pub(super) use websocket::open as open_socket;
pub use wire::{TargetUrl, Wire};
