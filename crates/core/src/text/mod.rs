//! Text for a terminal: made harmless, laid out on a page, and the story of one explored trial.

pub mod interleaving;
pub mod page;
pub mod safe_text;
