//! What the matrix as a whole shows.

use partywall_core::migration::{MigrationRecord, StateRow, StateVerdict};
use partywall_core::verdict::{Outcome, Reason, ReasonCode};

/// What a matrix comes to: the migrated end must be clean, and the legacy end must leak (of listed
/// states one of them), or these plans show nothing.
pub fn conclude(matrix: &MigrationRecord, stopped: Option<ReasonCode>) -> (Outcome, Vec<Reason>) {
    let reason = |code, text: &str| vec![Reason::new(code, text)];
    let states = &matrix.states;
    let leaks = |row: &StateRow| row.verdict == StateVerdict::Leaked;
    let end = states.iter().find(|row| row.migrated.len() == matrix.sites.len());
    if end.is_some_and(leaks) {
        let text = "with every call site migrated findings are still made";
        return (Outcome::StillLeaks, reason(ReasonCode::Findings, text));
    }
    if let Some(code) = stopped {
        return (Outcome::Inconclusive, reason(code, "not every state was driven to its end"));
    }
    if states.iter().all(|row| row.runs_completed == 0) {
        let text = "in no state did any run complete";
        return (Outcome::Inconclusive, reason(ReasonCode::NothingExercised, text));
    }
    if matrix.is_listed() && !states.iter().any(leaks) {
        let text = "in no listed state was anything found: these plans are too weak, or none leaks";
        return (Outcome::BaselineClean, reason(ReasonCode::BaselineClean, text));
    }
    if !matrix.is_listed() && !states.first().is_some_and(leaks) {
        let text = "with no call site migrated nothing was found: these plans are too weak";
        return (Outcome::BaselineClean, reason(ReasonCode::BaselineClean, text));
    }
    let Some(end) = end else {
        let text = "no listed state has every call site migrated: list it with `legacy = []`";
        return (Outcome::Inconclusive, reason(ReasonCode::PreconditionNotMet, text));
    };
    if end.verdict != StateVerdict::Clean {
        let why = match (end.verdict, end.doubts.as_slice()) {
            (StateVerdict::Latent, _) => "the state is latent".to_owned(),
            (_, []) => "too little overlapped".to_owned(),
            (_, doubts) => doubts.join("; "),
        };
        let text = format!("with every call site migrated nothing is shown: {why}");
        return (Outcome::Inconclusive, reason(ReasonCode::TooLittleOverlap, &text));
    }
    // A state between may be one that cannot serve at all; that is told, and no doubt of the whole.
    let count = |wanted| states.iter().filter(|row| row.verdict == wanted).count();
    let text = format!(
        "of {} states {} leak, {} are latent, {} clean and {} inconclusive{}; the migrated one is \
         clean",
        states.len(),
        count(StateVerdict::Leaked),
        count(StateVerdict::Latent),
        count(StateVerdict::Clean),
        count(StateVerdict::Inconclusive),
        if matrix.is_listed() { "" } else { " (too few runs overlap there)" }
    );
    (Outcome::Fixed, reason(ReasonCode::Shown, &text))
}
