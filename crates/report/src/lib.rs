//! Reports: one [`Record`](partywall_core::record::Record), told to different readers.
//!
//! Each report is a pure function from the record to text and reads nothing else, so that the same
//! run always gives the same words. What the terminal and the pull request have in common is
//! phrased once, in `phrases`; what a server may have sent is made harmless once, in `safe_text`.

pub mod attestation;
pub mod audit_fix;
pub mod audit_github;
pub mod audit_json;
pub mod audit_sarif;
pub mod audit_scenario;
pub mod audit_table;
pub mod compared;
pub mod explain;
pub mod github;
mod heard;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod redacted;
pub mod sarif;
mod sarif_migration;
mod sarif_place;
pub mod schema;
pub mod terminal;

mod advice;
mod audit_phrases;
mod bounds;
mod cases;
mod comparison;
mod detection;
mod figures;
mod found;
mod groups;
mod latent;
mod migration;
mod models;
mod phrases;
mod sentence;
mod warned;

pub use partywall_core::text::interleaving;
use partywall_core::text::{page, safe_text};
