//! For one's own Rust code, in one's own tests: [`explore`] and [`assert_isolated`].

mod config;
mod isolation;
mod make_backend;
mod story;

pub use config::Config;
pub use isolation::{Isolation, assert_isolated, explore};
pub use make_backend::MakeBackend;
