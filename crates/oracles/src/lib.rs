//! The oracles: each is a pure function from a history to findings, one property a file.
//!
//! A history is decoded once, into a [`Case`]; every oracle judges that. A finding must be proved:
//! where an oracle cannot tell a fault from something legal, it says nothing, and where it cannot
//! say anything at all, it says that it is blind. [`control`] shows that they would have seen it.
//!
//! # What none of them sees
//!
//! What never comes to a simulated user: a wrong identity at an upstream that does not log, a wrong
//! value that is stored and not read back, another number in one's own text.

mod after_close;
mod alter;
mod alter_interference;
mod answered;
mod assemble;
mod at_rest;
mod attribution;
mod binding;
mod by_run;
mod canary;
mod canary_scan;
pub mod case;
mod completeness;
pub mod control;
mod control_effect;
mod course;
mod decode;
mod duplicates;
mod echoes;
mod edits;
mod fields;
mod fragments;
mod habits;
pub mod hangs;
mod interruptions;
mod judge;
mod keys;
pub mod latent;
mod leaves;
pub mod left;
mod lines;
pub mod message;
mod named;
mod non_interference;
mod normal;
#[doc(hidden)]
pub mod notation;
mod oracle;
mod orderly;
mod ownership;
mod plant;
mod private;
mod received;
pub mod run_facts;
mod runs;
pub mod seen;
mod sequence;
mod sharing;
mod shown_names;
mod solo;
mod starts;
mod stop_and_approve;
mod suspects;
mod texts;
mod upstream_calls;

pub use case::Case;
pub use control::judge_control;
pub use edits::Alteration;
pub use judge::{Judged, all, judge, judge_with, of};
pub use message::{Channel, Message};
pub use oracle::{Judgement, Oracle};
pub use shown_names::{is_searched, names_said, names_shown};
pub use solo::Solos;
