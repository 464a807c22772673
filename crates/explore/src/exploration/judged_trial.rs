//! One judged trial: what was found in it, and how hard it looked.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::exploration::coverage::{Coverage, Phases};
use crate::exploration::overlap::{Overlap, overlap};
use crate::exploration::replies::Replies;
use crate::exploration::run_ends::{durations, first_crossing, run_ends};
use partywall_core::assumption::Assumption;
use partywall_core::canary::Scanner;
use partywall_core::dialect::Dialect;
use partywall_core::failure::Cause;
use partywall_core::finding::{Finding, Fingerprint, OracleId};
use partywall_core::history::{Ending, History, Note, What};
use partywall_core::ids::UserName;
use partywall_core::plan::{FaultKind, Plan, Step, Twist, Via};
use partywall_oracles::case::Start;
use partywall_oracles::hangs::Hangs;
use partywall_oracles::latent::{Contamination, contaminations};
use partywall_oracles::left::Left;
use partywall_oracles::{Case, Judged, Solos, judge};

/// What one trial came to.
#[derive(Clone, Debug)]
pub struct JudgedTrial {
    /// What the oracles found.
    pub findings: Vec<Finding>,
    /// What they found that does not change the verdict.
    pub(crate) warnings: Vec<Finding>,
    /// What was taken for granted of the server.
    pub(crate) assumptions: BTreeSet<Assumption>,
    /// For each finding, at which event it was seen first.
    pub(crate) events: Vec<Option<String>>,
    pub(crate) rows: Vec<(OracleId, u64, Option<String>)>,
    pub(crate) path: Vec<(Via, bool)>,
    /// Which of its runs overlapped.
    pub overlap: Overlap,
    pub(crate) coverage: Coverage,
    /// What became of its runs.
    pub runs: RunCounts,
    /// How long the completed runs took.
    pub(crate) durations: Vec<u64>,
    /// When the first crossing was seen.
    pub(crate) first_crossing: Option<u64>,
    pub(crate) malformed: u64,
    /// What the back end says of itself, where nothing was found.
    pub latent: Option<Contamination>,
    /// What an earlier state of the same system may have left with the wrong user.
    pub(crate) left: Option<Left>,
    pub(crate) replies: Replies,
    pub(crate) ending: Option<Ending>,
    /// A run that never returned, where the back end says so.
    pub(crate) hanging: Option<String>,
}

/// What became of the runs.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct RunCounts {
    /// Runs that were started.
    pub started: u64,
    /// Runs whose end was seen.
    pub completed: u64,
    pub(crate) unknown: u64,
    /// Those of the unknown ones whose user the plan cuts off.
    pub(crate) cut_by_plan: u64,
    /// Runs that are not among those started: of users whose names the server does not take.
    #[serde(default)]
    pub(crate) left_out: u64,
    /// How many users are left who started runs, in the trial with the most of them.
    #[serde(default)]
    pub(crate) users: u64,
}

impl RunCounts {
    /// Adds the counts of others.
    pub(crate) fn add(&mut self, other: Self) {
        self.started += other.started;
        self.completed += other.completed;
        self.unknown += other.unknown;
        self.cut_by_plan += other.cut_by_plan;
        self.left_out += other.left_out;
        self.users = self.users.max(other.users);
    }
}

/// Judges a history.
pub fn judge_trial(history: &History, agents: &[String], scanner: &Scanner) -> JudgedTrial {
    judged(history, agents, scanner, (None, true))
}

/// Judges a history beside what each of its users gets alone, where that is known.
pub(crate) fn judge_trial_beside(
    history: &History,
    agents: &[String],
    scanner: &Scanner,
    solos: Option<&Solos>,
) -> JudgedTrial {
    // Of a back end in the simulated world it is enough to know why nobody was let in.
    let failed = |what: &What| match what {
        What::Refused { .. } => true,
        What::Broken { cause, .. } => *cause != Cause::Left,
        _ => false,
    };
    let listens = history.observations.iter().any(|seen| failed(&seen.what));
    judged(history, agents, scanner, (solos, listens))
}

/// The same; with what the back end answered where that is listened to.
fn judged(
    history: &History,
    agents: &[String],
    scanner: &Scanner,
    (solos, listens): (Option<&Solos>, bool),
) -> JudgedTrial {
    let dialect = Dialect::of(&history.plan);
    let case = Case::with_scanner(history, &dialect, scanner).beside(solos);
    let Judged { findings, warnings, path_hits, rows, malformed, left } = judge(&case);
    let mut coverage = Coverage::new(Phases::of(&history.plan.protocol, agents));
    coverage.observe(&case);
    let ends = run_ends(&case);
    let replies = match listens {
        true => {
            let restarts = restarts(history);
            Replies::of(&case, &ends, &|start| is_cut(&case, start, &restarts))
        }
        false => Replies::default(),
    };
    JudgedTrial {
        events: findings.iter().map(|finding| event_of(&case, finding)).collect(),
        rows,
        path: phantom_runs(history).map(|via| (via, path_hits.contains(&via))).collect(),
        overlap: overlap(&case, &ends, &replies.left_out),
        coverage,
        runs: count_runs(&case, &ends, &replies.left_out),
        durations: durations(&case, &ends),
        first_crossing: first_crossing(&case, &findings),
        malformed,
        latent: latent(history).filter(|_| findings.is_empty()),
        left,
        replies,
        ending: history.ending.clone(),
        hanging: hanging(&case),
        findings,
        warnings,
        assumptions: case.assumptions.clone(),
    }
}

/// The first run that hangs, in words.
fn hanging(case: &Case<'_>) -> Option<String> {
    let hangs = Hangs::of(case);
    let start = case.starts.iter().find(|start| hangs.hangs(case, start))?;
    Some(format!(
        "run {} of {} never returned: it waits for something that does not come, such as a lock that \
         it holds itself",
        start.run, start.user
    ))
}

/// The first contamination that the back end reports of itself.
fn latent(history: &History) -> Option<Contamination> {
    contaminations(history).into_iter().next()
}

/// At which event the crossing was seen first, as the server called it: hostile text.
fn event_of(case: &Case<'_>, finding: &Finding) -> Option<String> {
    let seen = |n| {
        case.messages.iter().find(|message| message.n == n && *message.observer == finding.observer)
    };
    let message = finding.evidence.iter().filter_map(|evidence| seen(evidence.n)).next()?;
    let kind = case.kind(message)?;
    Some(match case.agent(message) {
        Some(agent) => format!("{kind} of {agent}"),
        None => kind.to_owned(),
    })
}

/// The kinds of run that carried the phantom's canary and whose prompt left.
fn phantom_runs(history: &History) -> impl Iterator<Item = Via> {
    let carried = |via: &Via| {
        history.plan.runs().any(|(user, run)| {
            let started =
                |what: &What| matches!(what, What::Start { run: own, .. } if *own == run.run);
            run.phantom
                && run.via == *via
                && history
                    .observations
                    .iter()
                    .any(|seen| seen.by.as_ref() == Some(&user.name) && started(&seen.what))
        })
    };
    Via::ALL.into_iter().filter(carried)
}

/// Whether at least half of the runs came to an end, those aside that the plan itself cuts off: a
/// server that answers nothing shows nothing either.
pub fn mostly_ended(history: &History) -> bool {
    let dialect = Dialect::of(&history.plan);
    let case = Case::new(history, &dialect);
    let RunCounts { started, completed, cut_by_plan, .. } =
        count_runs(&case, &run_ends(&case), &BTreeSet::new());
    started > 0 && (completed + cut_by_plan) * 2 >= started
}

fn count_runs(
    case: &Case<'_>,
    ended: &BTreeMap<(&str, u16), usize>,
    left_out: &BTreeSet<UserName>,
) -> RunCounts {
    let mut counts = RunCounts::default();
    let restarts = restarts(case.history);
    let (starts, out): (Vec<_>, Vec<_>) =
        case.starts.iter().partition(|start| !left_out.contains(start.user));
    counts.left_out = out.len() as u64;
    counts.users = starts.iter().map(|start| start.user).collect::<BTreeSet<_>>().len() as u64;
    for start in starts {
        counts.started += 1;
        let ended = ended.contains_key(&(start.user.as_str(), start.run));
        match start.gave_up {
            // That the back end calls it completed does not count where its stream never ended.
            None if ended => counts.completed += 1,
            Some((_, true)) => {}
            // Answered otherwise: an outcome that is known.
            None if declined(case, start) => {}
            _ => {
                counts.unknown += 1;
                counts.cut_by_plan += u64::from(is_cut(case, start, &restarts));
            }
        }
    }
    counts
}

/// Whether the plan, or a restart, kept the run from its end.
fn is_cut(case: &Case<'_>, start: &Start<'_>, restarts: &BTreeMap<&UserName, u64>) -> bool {
    let restarted = restarts.get(start.user).is_some_and(|n| start.n < *n);
    restarted || is_cut_off(&case.history.plan, start.user) || is_left(case, start)
}

/// When partywall last restarted the process of each user whom it did that to.
fn restarts(history: &History) -> BTreeMap<&UserName, u64> {
    let mut restarts = BTreeMap::new();
    for seen in &history.observations {
        if let Some(Note::Restarted { users }) = seen.what.note() {
            restarts.extend(users.iter().map(|user| (user, seen.n)));
        }
    }
    restarts
}

/// Whether the run's request was answered with an error, where an answer is the end of a run.
fn declined(case: &Case<'_>, start: &Start<'_>) -> bool {
    let answered = case.exchange_of(start).is_some_and(|exchange| exchange.answered.is_some());
    // What says far too much is declined as it should be.
    let plan = case.person(start.user.as_str()).and_then(|person| person.run(start.run));
    let too_much = |twist: &Twist| matches!(twist, Twist::Oversize { .. });
    let oversize = plan.is_some_and(|run| run.twists.iter().any(too_much));
    !case.dialect.tells_states() && start.via != Via::Socket && answered && !oversize
}

/// Whether the plan has the user go away from the run.
fn is_left(case: &Case<'_>, start: &Start<'_>) -> bool {
    let person = case.person(start.user.as_str());
    person.is_some_and(|person| person.steps.contains(&Step::Abandon { run: start.run }))
}

/// Whether the plan takes the user's request or connection away: what comes of their later runs, too,
/// depends on how the server gets over that.
fn is_cut_off(plan: &Plan, user: &UserName) -> bool {
    let cuts = |kind| matches!(kind, FaultKind::Cancel | FaultKind::Vanish);
    plan.faults.iter().any(|fault| fault.user == *user && cuts(fault.kind))
        || plan.user(user).is_some_and(|person| person.steps.contains(&Step::Vanish))
}

/// Whether the finding of that fingerprint is among them.
pub fn shows(findings: &[Finding], fingerprint: &Fingerprint) -> bool {
    findings.iter().any(|finding| finding.fingerprint == *fingerprint)
}

/// What all oracles find in a history.
pub fn judge_findings(history: &History) -> Vec<Finding> {
    judge(&Case::new(history, &Dialect::of(&history.plan))).findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_of_later_runs_is_laid_to_the_plan_where_it_cuts_a_connection() {
        let mut history = partywall_oracles::notation::history(
            "alice connects; alice asks r1; alice vanishes; alice connects; alice gives up r1; \
             alice asks r2; alice gives up r2",
        );
        let counted = |history: &History| {
            let dialect = Dialect::reference();
            let case = Case::new(history, &dialect);
            let counts = count_runs(&case, &run_ends(&case), &BTreeSet::new());
            (counts.unknown, counts.cut_by_plan)
        };
        assert_eq!(counted(&history), (2, 0));
        history.plan.users[0].steps.insert(1, Step::Vanish);
        assert_eq!(counted(&history), (2, 2));
    }
}
