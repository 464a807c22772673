//! What the fuzz targets run, as library functions: the same bodies go over the committed corpora
//! on stable Rust, in `tests/fuzz_corpora.rs`.
//!
//! Each takes any bytes, and a panic is its failure. They stand above the campaign, and nothing
//! imports them; they are no part of what users call.

mod brute_force;
mod bytes;
mod canary;
mod decode;
mod history;
mod trial;

pub use canary::canary;
pub use history::history;
pub use trial::{leaks_on_legacy, trial};
