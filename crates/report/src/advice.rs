//! What to do about a verdict that is not a pass.

use partywall_core::control::Drive;
use partywall_core::finding::OracleId;
use partywall_core::record::{Level, LevelName, Record};
use partywall_core::verdict::{Outcome, Reason, ReasonCode, Verdict};

use super::heard;
use super::latent;
use super::models;
use super::phrases::{self, Quote};
use super::warned;

/// The reasons of the whole, then those of inconclusive levels that the whole does not repeat.
pub(super) fn reasons(record: &Record, quote: Quote) -> Vec<String> {
    let told = |reason: &Reason| {
        record
            .reasons
            .iter()
            .any(|other| other.code == reason.code && other.text.contains(&reason.text))
    };
    let mut lines: Vec<_> = record
        .reasons
        .iter()
        .map(|reason| match reason.code {
            // The text says it all.
            ReasonCode::Shown | ReasonCode::Findings => quote(&reason.text),
            code => format!("{}: {}", label(code), quote(&reason.text)),
        })
        .collect();
    for (side, level) in doubtful(record) {
        for reason in level.reasons.iter().filter(|reason| !told(reason)) {
            lines.push(format!(
                "{}, at {}: {}",
                label(reason.code),
                phrases::place(side, level, quote),
                quote(&reason.text)
            ));
        }
    }
    lines.extend(warned::warnings(record, quote));
    lines.extend(warned::assumptions(record, quote));
    lines.extend(latent::warnings(record, quote));
    lines
}

/// The controls that were planted and not caught.
pub(super) fn missed_controls(record: &Record, quote: Quote) -> Vec<String> {
    let mut lines = Vec::new();
    for (side, level) in record.all_levels() {
        let controls = &level.controls;
        let place = phrases::place(side, level, quote);
        if controls.drive == Drive::Missed {
            lines.push(format!("drive control at {place}: a back end known to leak did not"));
        }
        for (kind, tally) in [("judge", &controls.judge), ("path", &controls.path)] {
            for missed in &tally.missed {
                let lead = match level.level {
                    LevelName::Model => String::new(),
                    _ => format!("{kind} control at "),
                };
                lines.push(format!("{lead}{place}: {}", quote(missed)));
            }
        }
    }
    lines
}

/// What a reader of a clean verdict should know was not tried.
pub(super) fn not_tried(record: &Record, quote: Quote) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    // What a level on the wire cannot see; of both sides of a sign-off once.
    let on_wire = record.all_levels().filter(|(_, level)| level.level == LevelName::Wire);
    for claim in on_wire.flat_map(|(_, level)| &level.claims).map(|claim| quote(claim)) {
        if !lines.contains(&claim) {
            lines.push(claim);
        }
    }
    lines.extend(record.not_tried.iter().map(|text| quote(text)));
    // In a sign-off, before is the back end that is known to leak.
    if record.levels.iter().any(|level| level.controls.drive == Drive::Absent) {
        lines.push(
            "A back end that is known to leak, under the same plans: only that would show that \
             these plans provoke leaks."
                .into(),
        );
    }
    lines
}

/// What to do next, each advice once; nothing for a pass.
pub(super) fn next_steps(record: &Record, quote: Quote) -> Vec<String> {
    match record.verdict {
        Outcome::Clean | Outcome::Fixed => Vec::new(),
        Outcome::Leaked | Outcome::StillLeaks => after_a_leak(record, quote),
        Outcome::NotMigrated => vec![CALL_SITES_REMEDY.into()],
        Outcome::BaselineClean | Outcome::Inconclusive => out_of_doubt(record),
    }
}

fn after_a_leak(record: &Record, quote: Quote) -> Vec<String> {
    let side = if phrases::is_signoff(record) { "after" } else { "" };
    let mut found: Vec<OracleId> =
        phrases::findings_of(record, side).map(|(_, finding)| finding.oracle).collect();
    found.sort();
    found.dedup();
    let rule_of = |oracle| record.rules.iter().find(|rule| rule.oracle == oracle);
    let told =
        |oracle: &OracleId| rule_of(*oracle).map(|rule| format!("{oracle}: {}", quote(&rule.next)));
    let mut lines: Vec<_> = found.iter().filter_map(told).collect();
    if record.models.iter().any(models::unexpectedly_refuted) {
        lines.push(
            "The kernel: read the refuted model's story below; each column is a thread, and its \
             last lines say what went wrong and what ought to hold."
                .into(),
        );
    }
    if let Some(first) = found.first() {
        lines
            .push(format!("`partywall explain {}` says what that oracle looks for.", first.code()));
    }
    lines
}

fn out_of_doubt(record: &Record) -> Vec<String> {
    let levels = doubtful(record).flat_map(|(_, level)| &level.reasons);
    let mut codes: Vec<_> = record.reasons.iter().chain(levels).map(|reason| reason.code).collect();
    if record.verdict == Outcome::BaselineClean {
        codes.insert(0, ReasonCode::BaselineClean);
    }
    let mut lines: Vec<String> = Vec::new();
    if doubtful(record).any(|(_, level)| level.level == LevelName::Model) {
        lines.push(KERNEL_REMEDY.into());
        let is_missed = |level: &Level| level.controls.caught < level.controls.planted;
        let mut others = record.all_levels().filter(|(_, level)| level.level != LevelName::Model);
        if !others.any(|(_, level)| is_missed(level)) {
            // It was a control of a model, and that has a remedy of its own.
            codes.retain(|code| *code != ReasonCode::ControlMissed);
        }
    }
    if codes.iter().any(|code| names_cause(*code)) {
        // That runs did not complete comes of it.
        let follows = |code: &ReasonCode| {
            matches!(code, ReasonCode::NothingExercised | ReasonCode::RunsIncomplete)
        };
        codes.retain(|code| !follows(code));
    }
    let of_answers = heard::remedies(record);
    for advice in of_answers.into_iter().chain(codes.into_iter().filter_map(remedy)) {
        if !lines.iter().any(|line| line == advice) {
            lines.push(advice.into());
        }
    }
    if lines.is_empty() {
        lines.push("Look at the reasons of each level in report.json, and run it again.".into());
    }
    lines
}

fn doubtful(record: &Record) -> impl Iterator<Item = (&'static str, &Level)> {
    record.all_levels().filter(|(_, level)| level.verdict == Verdict::Inconclusive)
}

/// Whether the reason says why runs did not complete.
fn names_cause(code: ReasonCode) -> bool {
    use ReasonCode::{
        ConnectionLost, NamesRefused, NoAnswer, PlaceUnfilled, PlaceUnmatched, Refused,
        SetUpFailed, TargetUnreachable, UnexpectedProtocol, UsersAlike,
    };
    matches!(
        code,
        ConnectionLost
            | NamesRefused
            | NoAnswer
            | PlaceUnfilled
            | PlaceUnmatched
            | Refused
            | SetUpFailed
            | TargetUnreachable
            | UnexpectedProtocol
            | UsersAlike
    )
}

/// The reason in a few words.
fn label(code: ReasonCode) -> &'static str {
    match code {
        ReasonCode::Findings => "Findings",
        ReasonCode::NothingExercised => "Nothing exercised",
        ReasonCode::UsersAlike => "Not exercised",
        ReasonCode::ControlMissed => "A control was missed",
        ReasonCode::FalseAlarm => "A false alarm",
        ReasonCode::TooLittleOverlap => "Too little overlap",
        ReasonCode::ServesOneAtATime => "The server serves one user at a time",
        ReasonCode::MachineBusy => "The machine was too busy",
        ReasonCode::RunsIncomplete => "Runs did not complete",
        ReasonCode::PreconditionNotMet => "An oracle was blind",
        ReasonCode::TargetUnreachable => "Target unreachable",
        ReasonCode::Refused => "Refused",
        ReasonCode::NamesRefused => "Names were refused",
        ReasonCode::SetUpFailed => "The set-up failed",
        ReasonCode::NoAnswer => "No answer",
        ReasonCode::ConnectionLost => "Connections were lost",
        ReasonCode::PlaceUnfilled => "A place has no value",
        ReasonCode::UnexpectedProtocol => "Unexpected protocol",
        ReasonCode::PlaceUnmatched => "A place of the scenario never matches",
        ReasonCode::BackendHangs => "The back end hangs",
        ReasonCode::BackendPanicked => "The back end panicked",
        ReasonCode::NeedsTokio => "The back end needs tokio's runtime",
        ReasonCode::Nondeterministic => "Nondeterministic",
        ReasonCode::ReplayDiverged => "A replay diverged",
        ReasonCode::BudgetCut => "Budget cut short",
        ReasonCode::Interrupted => "Interrupted",
        ReasonCode::HistoryCut => "History cut short",
        ReasonCode::BaselineClean => "Before did not leak",
        ReasonCode::LeftInStore => "Left in a store",
        ReasonCode::ReproNotGone => "A repro is not gone",
        ReasonCode::ComparisonTooWeak => "The sides do not compare",
        ReasonCode::CallSitesRemain => "Call sites remain",
        ReasonCode::CollisionsNotTried => "Not tried",
        ReasonCode::NamesNotSearched => "Not searched",
        ReasonCode::Shown => "Shown",
    }
}

/// What helps where a model of the kernel says nothing.
const KERNEL_REMEDY: &str = "Do not trust what looks clean in the kernel: `partywall model` checks \
                             it alone. A broken variant that is not refuted, or a state that is \
                             never reached, means that the model no longer fits the kernel.";

/// What helps where the source is not migrated.
const CALL_SITES_REMEDY: &str = "Migrate the call sites that are listed, those at high risk first; `partywall audit` shows the lines that make them so.";

/// What helps against a doubt.
fn remedy(code: ReasonCode) -> Option<&'static str> {
    Some(match code {
        ReasonCode::Findings
        | ReasonCode::Shown
        | ReasonCode::CollisionsNotTried
        | ReasonCode::NamesNotSearched => return None,
        ReasonCode::NothingExercised | ReasonCode::RunsIncomplete => {
            "Make the runs complete: look at how they ended in the recorded histories."
        }
        // What the server answered says what to do.
        ReasonCode::Refused | ReasonCode::SetUpFailed => return None,
        ReasonCode::NamesRefused => {
            "Give names that the server takes by `users` in `[identity]`; those that were refused are \
             generated ones, which hold the separators of keys on purpose."
        }
        ReasonCode::NoAnswer => {
            "See whether the server hangs. Where it is only slow, raise `run_seconds` in `[limits]`."
        }
        ReasonCode::ConnectionLost => {
            "See in the server's log why it closed or reset connections, or died."
        }
        ReasonCode::PlaceUnfilled => {
            "Correct the name of the place, or capture its value in a `[[setup]]` step before."
        }
        ReasonCode::UsersAlike => {
            "Let each user log in as themselves, and show what the log-in gives with each run; where \
             users are to be told apart by connection or thread, write `none = true` in `[identity]`."
        }
        ReasonCode::ControlMissed => {
            "Do not trust what looks clean here: something planted on purpose was not seen. Make \
             the back end echo part of each prompt, or check how its messages are decoded."
        }
        ReasonCode::FalseAlarm => {
            "Do not trust what leaks here: something was found in a back end that keeps users \
             apart. Judge its history again with `partywall check` and report it."
        }
        ReasonCode::TooLittleOverlap => {
            "Make runs of different users meet: more users, longer runs, or a target that does \
             not serve them one after another."
        }
        ReasonCode::ServesOneAtATime => {
            "Find out what makes users wait for each other, such as a lock around every request, a \
             single worker or a blocking call. Take it away for the test, or start more workers; \
             while it is there, shared state that would leak cannot show."
        }
        ReasonCode::MachineBusy => {
            "Drive it again while less else runs on this machine, or with more users or longer runs."
        }
        ReasonCode::PreconditionNotMet => {
            "Give the blind oracles what they need; `partywall explain <oracle>` names it."
        }
        ReasonCode::TargetUnreachable => {
            "Read what the server printed last, if partywall starts it; else start it, and check the \
             URL and the port."
        }
        ReasonCode::UnexpectedProtocol => {
            "Check that URL, path, `answer` and `[events]` describe what the target sends. Without a \
             scenario of its own it must speak as `partywall serve` does."
        }
        ReasonCode::PlaceUnmatched => {
            "Correct `[events]` by what messages were found to hold, or remove what your server does \
             not send."
        }
        ReasonCode::BackendHangs | ReasonCode::BackendPanicked => {
            "Repair the hang or the panic first: what comes after it was not tested."
        }
        ReasonCode::NeedsTokio => {
            "Take the `World`'s spawn, sleep, time_limit and channel instead of tokio's; \
             `tokio::sync` types may stay."
        }
        ReasonCode::Nondeterministic => {
            "Take clocks, random ids and unordered maps out of the back end's path, or give them \
             what the `World` has: without that a finding cannot be replayed."
        }
        ReasonCode::ReplayDiverged => {
            "The replay did not take the same path: was the repro made with this build and \
             this scenario?"
        }
        ReasonCode::BudgetCut | ReasonCode::Interrupted => {
            "Run it again, without interruption, until the whole budget is spent."
        }
        ReasonCode::CallSitesRemain => CALL_SITES_REMEDY,
        ReasonCode::HistoryCut => "Judge a history that was recorded to its end.",
        ReasonCode::BaselineClean => {
            "Make the plans stronger until the side before the migration leaks: more users, more \
             trials, another seed. Check that it is the unmigrated build that was driven."
        }
        ReasonCode::LeftInStore => {
            "Give each state a store of its own: empty it in that table's `command`, or name another \
             database or folder there or in its `env`. Where the servers run already, empty the \
             store between the states and drive each by itself."
        }
        ReasonCode::ReproNotGone => {
            "Replay that repro against the migrated build and see what it still shows."
        }
        ReasonCode::ComparisonTooWeak => {
            "See why the migrated side overlaps, covers or completes less: a global lock would \
             look just like this."
        }
    })
}
