//! Reports: one [`Record`](crate::trial::record::Record), told to different readers.
//!
//! Each report is a pure function from the record to text and reads nothing else, so that the same
//! run always gives the same words. What the terminal and the pull request have in common is
//! phrased once, in `phrases`; what a server may have sent is made harmless once, in `safe_text`.

pub mod explain;
pub mod json;
pub mod markdown;
pub mod terminal;

mod advice;
mod bounds;
mod comparison;
mod figures;
mod found;
mod groups;
mod models;
mod page;
mod phrases;
mod safe_text;
mod sentence;
