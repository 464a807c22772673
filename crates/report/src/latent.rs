//! Latent contamination, told: a warning beside the verdict, never a leak.

use super::phrases::{Quote, count, place};
use partywall_core::record::{Latent, Level, Record};

/// What it is called, in titles.
pub(super) const TITLE: &str = "latent contamination";

/// The levels at which it was seen, but those of before, which is there to leak.
pub(super) fn seen(record: &Record) -> impl Iterator<Item = (&'static str, &Level, &Latent)> {
    let levels = record.all_levels().filter(|(side, _)| *side != "before");
    levels.filter_map(|(side, level)| Some((side, level, level.latent.as_ref()?)))
}

/// A line for each level.
pub(super) fn warnings(record: &Record, quote: Quote) -> Vec<String> {
    let line = |(side, level, latent): (&str, &Level, &Latent)| {
        format!(
            "{TITLE}, at {}: in {} of {} trials nothing crossed, but something that works for one \
             user was bound to another in memory, first in trial {}: {}. A warning, not a leak: \
             the next change may let it out",
            place(side, level, quote),
            count(latent.trials),
            count(level.trials),
            count(latent.first_trial),
            quote(&latent.example),
        )
    };
    seen(record).map(line).collect()
}

/// What the sentence of a verdict adds: nobody may read it as all is well.
pub(super) fn clause(record: &Record) -> String {
    match seen(record).fold(0_u64, |sum, (.., latent)| sum.saturating_add(latent.trials)) {
        0 => String::new(),
        1 => format!("; but in 1 trial there was {TITLE}"),
        trials => format!("; but in {} trials there was {TITLE}", count(trials)),
    }
}
