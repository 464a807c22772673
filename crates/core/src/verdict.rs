//! Verdicts: clean, leaked or inconclusive, with reasons.

use std::fmt;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a level, a side or a plain run comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing crossed, and every control fired.
    Clean,
    /// At least one finding.
    Leaked,
    /// Neither could be shown; the reasons say why.
    Inconclusive,
}

impl Verdict {
    /// The verdict over several: a leak stands, then doubt, then clean.
    pub fn all_of(verdicts: impl IntoIterator<Item = Self>) -> Self {
        let mut whole = None;
        for verdict in verdicts {
            whole = Some(match (whole, verdict) {
                (Some(Self::Leaked), _) | (_, Self::Leaked) => Self::Leaked,
                (Some(Self::Inconclusive), _) | (_, Self::Inconclusive) => Self::Inconclusive,
                _ => Self::Clean,
            });
        }
        // Nothing judged is nothing shown.
        whole.unwrap_or(Self::Inconclusive)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Clean => "clean",
            Self::Leaked => "leaked",
            Self::Inconclusive => "inconclusive",
        })
    }
}

/// What a whole report comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Plain run: nothing crossed, and every control fired.
    Clean,
    /// Plain run: at least one finding.
    Leaked,
    /// Sign-off: before leaked, after is clean with all that a sign-off asks for.
    Fixed,
    /// Sign-off: after still leaks.
    StillLeaks,
    /// Sign-off: call sites remain in the source, and none was to.
    NotMigrated,
    /// Sign-off: before did not leak, so the plans are too weak.
    BaselineClean,
    /// Neither could be shown.
    Inconclusive,
}

impl Outcome {
    /// The word that reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Leaked => "leaked",
            Self::Fixed => "fixed",
            Self::StillLeaks => "still_leaks",
            Self::NotMigrated => "not_migrated",
            Self::BaselineClean => "baseline_clean",
            Self::Inconclusive => "inconclusive",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Clean => Self::Clean,
            Verdict::Leaked => Self::Leaked,
            Verdict::Inconclusive => Self::Inconclusive,
        }
    }
}

/// Why a verdict is what it is, by a code that scripts can rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// Findings were made.
    Findings,
    /// No run completed, or nothing was selected.
    NothingExercised,
    /// All users showed the server the same, so that it cannot tell them apart: nothing was exercised.
    UsersAlike,
    /// A control was not caught, so the detectors cannot be trusted here.
    ControlMissed,
    /// Something was found where nothing is wrong, so findings cannot be trusted here.
    FalseAlarm,
    /// No, or too few, runs of different users overlapped.
    TooLittleOverlap,
    /// The server works on one run at a time, so runs of different users only waited for each other.
    ServesOneAtATime,
    /// The machine had so much other work that it cannot be told whether the server works on several
    /// runs at once.
    MachineBusy,
    /// Too many runs did not complete, or some have an unknown outcome that the plan did not ask for.
    RunsIncomplete,
    /// An oracle's precondition did not hold.
    PreconditionNotMet,
    /// The target could not be reached.
    TargetUnreachable,
    /// The server refused what users asked for: it answered with an error, or closed the connection.
    Refused,
    /// The server refused some of the users, all of whom have names that it may not take.
    NamesRefused,
    /// A step of the set-up, such as a log-in, failed.
    SetUpFailed,
    /// The server took requests or messages and did not answer in time.
    NoAnswer,
    /// Connections were lost before their answer, as where a server dies.
    ConnectionLost,
    /// A place in what users send has no value, so it was not sent.
    PlaceUnfilled,
    /// The target speaks another protocol.
    UnexpectedProtocol,
    /// A place or a type that the scenario expects in messages is never there, or names nothing known.
    PlaceUnmatched,
    /// The back end hangs.
    BackendHangs,
    /// The back end panicked.
    BackendPanicked,
    /// The back end calls tokio's own spawn, time or net, so it cannot be explored.
    NeedsTokio,
    /// The same plan and schedule gave different steps: the back end, or the harness, draws on
    /// something that neither of them holds.
    Nondeterministic,
    /// A replay did not follow its schedule.
    ReplayDiverged,
    /// A time limit cut the budget short.
    BudgetCut,
    /// The run was interrupted.
    Interrupted,
    /// A recorded history was cut short.
    HistoryCut,
    /// Before did not leak under these plans.
    BaselineClean,
    /// What an earlier state of the system, as `before` is, left with the wrong user in a store.
    LeftInStore,
    /// A repro of before is not gone after.
    ReproNotGone,
    /// After overlapped, covered or completed clearly less than before: something may serialise.
    ComparisonTooWeak,
    /// Call sites of the deprecated accessor remain in application code.
    CallSitesRemain,
    /// Collisions of ids that clients choose were not tried, as the scenario asks.
    CollisionsNotTried,
    /// Texts are not searched for a name, since the server says it to a user who is alone, too.
    NamesNotSearched,
    /// Everything that a clean verdict needs was shown.
    Shown,
}

/// Why a verdict is what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Reason {
    /// The code.
    pub code: ReasonCode,
    /// The same in words, with the figures.
    pub text: String,
}

impl Reason {
    /// A reason.
    pub fn new(code: ReasonCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

/// The exit codes of every subcommand; a number is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum ExitCode {
    /// 0: nothing crossed and every control fired; sign-off: `fixed`; migration: the migrated state is
    /// clean, and a legacy one leaks; replay: all gone.
    Clean = 0,
    /// 1: at least one finding; sign-off: `still_leaks`, `not_migrated`; migration: the migrated state
    /// leaks; replay: at least one reproduced.
    Leaked = 1,
    /// 2: usage, scenario or configuration error.
    Usage = 2,
    /// 3: internal error of partywall.
    Internal = 3,
    /// 4: nothing exercised; migration: no run completed in any state.
    NothingExercised = 4,
    /// 5: inconclusive; migration: also where no legacy state leaks.
    Inconclusive = 5,
    /// 130: interrupted.
    Interrupted = 130,
}

impl ExitCode {
    /// The code for a report: interruption first, then a leak, then nothing exercised, then doubt.
    /// That nothing was exercised because the target cannot be reached, loses every connection, or since
    /// a place of the scenario never matches, is doubt.
    pub fn of(outcome: Outcome, reasons: &[Reason]) -> Self {
        let has = |code| reasons.iter().any(|reason| reason.code == code);
        match outcome {
            _ if has(ReasonCode::Interrupted) => Self::Interrupted,
            Outcome::Leaked | Outcome::StillLeaks | Outcome::NotMigrated => Self::Leaked,
            Outcome::Clean | Outcome::Fixed => Self::Clean,
            _ if [
                ReasonCode::TargetUnreachable,
                ReasonCode::ConnectionLost,
                ReasonCode::PlaceUnmatched,
            ]
            .into_iter()
            .any(has) =>
            {
                Self::Inconclusive
            }
            _ if has(ReasonCode::NothingExercised) || has(ReasonCode::UsersAlike) => {
                Self::NothingExercised
            }
            Outcome::BaselineClean | Outcome::Inconclusive => Self::Inconclusive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leak_stands_and_nothing_judged_is_inconclusive() {
        use Verdict::{Clean, Inconclusive, Leaked};
        assert_eq!(Verdict::all_of([Clean, Leaked, Inconclusive]), Leaked);
        assert_eq!(Verdict::all_of([Clean, Inconclusive, Clean]), Inconclusive);
        assert_eq!(Verdict::all_of([Clean, Clean]), Clean);
        assert_eq!(Verdict::all_of([]), Inconclusive);
    }

    #[test]
    fn exit_codes_follow_the_documented_precedence() {
        let reason = |code| vec![Reason::new(code, "")];
        let unreachable = [ReasonCode::TargetUnreachable, ReasonCode::NothingExercised];
        let unreachable = unreachable.map(|code| Reason::new(code, "")).to_vec();
        let unmatched = [ReasonCode::PlaceUnmatched, ReasonCode::NothingExercised];
        let unmatched = unmatched.map(|code| Reason::new(code, "")).to_vec();
        let refused = [ReasonCode::Refused, ReasonCode::NothingExercised];
        let refused = refused.map(|code| Reason::new(code, "")).to_vec();
        let lost = [ReasonCode::ConnectionLost, ReasonCode::NothingExercised];
        let lost = lost.map(|code| Reason::new(code, "")).to_vec();
        let cases = [
            (Outcome::Inconclusive, refused, 4),
            (Outcome::Inconclusive, lost, 5),
            (Outcome::Clean, vec![], 0),
            (Outcome::Fixed, vec![], 0),
            (Outcome::Leaked, vec![], 1),
            (Outcome::StillLeaks, vec![], 1),
            (Outcome::NotMigrated, reason(ReasonCode::CallSitesRemain), 1),
            (Outcome::Leaked, reason(ReasonCode::ControlMissed), 1),
            (Outcome::Leaked, reason(ReasonCode::Interrupted), 130),
            (Outcome::Inconclusive, reason(ReasonCode::NothingExercised), 4),
            (Outcome::Inconclusive, reason(ReasonCode::UsersAlike), 4),
            (Outcome::Inconclusive, reason(ReasonCode::ControlMissed), 5),
            (Outcome::Inconclusive, unreachable, 5),
            (Outcome::Inconclusive, unmatched, 5),
            (Outcome::Leaked, reason(ReasonCode::PlaceUnmatched), 1),
            (Outcome::BaselineClean, vec![], 5),
            (Outcome::Inconclusive, reason(ReasonCode::Interrupted), 130),
        ];
        for (outcome, reasons, code) in cases {
            assert_eq!(ExitCode::of(outcome, &reasons) as u8, code, "{outcome} {reasons:?}");
        }
    }
}
