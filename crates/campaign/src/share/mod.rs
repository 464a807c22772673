//! Campaigns that several machines share, and reports that are compared.

pub mod baseline;
mod beside_findings;
pub mod compare;
pub mod merge;
pub(crate) mod merge_signoff;
pub mod part;
