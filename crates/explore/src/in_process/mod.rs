//! Back ends in the same process: what connects users to them, and one made of an async function.

mod handler;
mod pipe;
mod steps;

pub use handler::{Chat, Handler, handler};
pub use pipe::{ClientEnd, ServerEnd, open};
