//! What a level comes to: its verdict with the reasons for it, and its record.

use crate::exploration::at_once::AtOnce;
use crate::exploration::confidence::upper_bound;
use crate::exploration::judged_trial::RunCounts;
use crate::exploration::level::{LevelTally, share};
use partywall_core::control::{Controls, Drive, Tally};
use partywall_core::failure::Cause;
use partywall_core::finding::OracleId;
use partywall_core::heard::{AnswerCount, Asked, Came, Heard};
use partywall_core::measure::LeakMatrix;
use partywall_core::record::{Level, LevelName, OracleRow, SearchMethod, UpperBound};
use partywall_core::timeline::TimeUnit;
use partywall_core::verdict::{Reason, ReasonCode, Verdict};

/// The least share of the runs with a known outcome that must complete for a level to be clean.
const LEAST_COMPLETED: f64 = 0.9;

/// How many answers of a kind are told as reasons.
const MOST_TOLD: usize = 2;

/// Notes a reason, in words made when needed, if it holds.
type Against<'a> = dyn FnMut(bool, ReasonCode, &dyn Fn() -> String) + 'a;

impl LevelTally {
    /// Closes the level: controls in, verdict out.
    pub fn finish(self, judge: Tally, drive: Drive, stopped: Option<ReasonCode>) -> Level {
        let mut path = Tally::default();
        for (via, (planted, caught)) in &self.path {
            // Once for each kind of run; that it did not come back everywhere is the runs' matter.
            debug_assert!(*planted > 0);
            path.missed_via.extend((*caught == 0).then_some(*via));
            path.count(*caught > 0, || {
                format!("a phantom's canary sent through {} never came back", via.run_kind())
            });
        }
        let controls = Controls::new(judge, path, drive);
        // That users are alike may come of what they were refused.
        let is_alike = |reason: &Reason| reason.code == ReasonCode::UsersAlike;
        let endings = self.endings.iter().map(|(_, reason)| reason.clone());
        let (alike, mut reasons): (Vec<Reason>, Vec<Reason>) = endings.partition(is_alike);
        reasons.extend(self.reasons_against_clean(&controls));
        reasons.extend(alike);
        if let Some(code) = stopped {
            let what = match code {
                ReasonCode::Interrupted => "interrupted",
                _ => "the time limit was reached",
            };
            let of_plan = self.trials.min(self.planned);
            let further = match self.trials - of_plan {
                0 => String::new(),
                further => format!(" and {further} further ones"),
            };
            let text = format!("{what} after {of_plan} of {} trials{further}", self.planned);
            reasons.push(Reason::new(code, text));
        }
        let verdict = if !self.findings.is_empty() {
            let first = self.first_leak.unwrap_or_default();
            let text = match self.findings.len() {
                1 => format!("1 distinct finding, first in trial {first}"),
                several => format!("{several} distinct findings, the first in trial {first}"),
            };
            reasons.insert(0, Reason::new(ReasonCode::Findings, text));
            Verdict::Leaked
        } else if reasons.is_empty() {
            reasons
                .push(Reason::new(ReasonCode::Shown, "nothing crossed, and every control fired"));
            Verdict::Clean
        } else {
            Verdict::Inconclusive
        };
        if verdict == Verdict::Clean && self.runs.left_out > 0 {
            let answers = self.replies.of_names().filter(|own| own.asked == Asked::Start);
            reasons.extend(answers.take(MOST_TOLD).map(|answer| {
                let text = format!("{answer}; these users are left out of the figures");
                Reason::new(ReasonCode::NamesRefused, text)
            }));
        }
        reasons.extend(self.notices.iter().cloned());
        self.into_record(verdict, reasons, controls)
    }

    fn into_record(mut self, verdict: Verdict, reasons: Vec<Reason>, controls: Controls) -> Level {
        let oracles = OracleId::ALL.map(|oracle| self.oracle_row(oracle)).to_vec();
        if self.level == LevelName::Wire && self.overlapping_pairs > 0 {
            let why = match self.at_once() {
                AtOnce::TooShort => Some("runs are too short to tell"),
                AtOnce::Unknown if self.findings.is_empty() => Some("no user was driven alone"),
                _ => None,
            };
            let claim = |why| {
                format!("unknown: whether the server serves several users at once, since {why}")
            };
            self.claims.extend(why.map(claim));
        }
        let heard = match verdict {
            Verdict::Inconclusive => std::mem::take(&mut self.replies).heard(self.expected.unmet()),
            _ => Heard::default(),
        };
        let unit =
            if self.level == LevelName::Wire { TimeUnit::Millisecond } else { TimeUnit::Step };
        Level {
            leak_probability_upper_bound: self.bound(),
            level: self.level,
            scenario: self.scenario,
            verdict,
            reasons,
            method: self.method,
            claims: self.claims,
            users: self.users,
            trials: self.trials,
            trials_planned: self.planned,
            trials_overlapping: self.trials_overlapping,
            runs_started: self.runs.started,
            runs_completed: self.runs.completed,
            runs_unknown: self.runs.unknown,
            overlapping_pairs: self.overlapping_pairs,
            time_together: self.in_flight.together,
            phase_coverage: self.coverage.to_record(),
            controls,
            oracles,
            findings: self.findings,
            warnings: self.warnings,
            assumptions: self.assumptions.into_iter().collect(),
            first_leak_at_trial: self.first_leak,
            latent: self.latent,
            source: self.source,
            leak_matrix: LeakMatrix::of(&self.pairs),
            time_to_first_leak: self.first_leaks.spread(unit),
            latency: self.latency.spread(unit),
            timelines: Vec::new(),
            heard,
        }
    }

    /// Whether the server worked on runs of several users at once, as far as it is known.
    pub fn at_once(&self) -> AtOnce {
        let pairs = [self.pairs_by_events, self.overlapping_pairs];
        AtOnce::of(pairs, &self.in_flight, &self.alone, self.met_upstream)
    }

    fn oracle_row(&self, oracle: OracleId) -> OracleRow {
        let (judged_trials, judged_items, blind) =
            self.oracles.get(&oracle).cloned().unwrap_or((0, 0, None));
        OracleRow {
            oracle,
            judged_trials,
            judged_items,
            blind: blind.filter(|_| judged_trials == 0),
            findings: self.findings.iter().filter(|found| found.oracle == oracle).count() as u64,
        }
    }

    /// Only independently drawn trials with overlap count, and none of it holds after a leak.
    fn bound(&self) -> Option<UpperBound> {
        if !self.findings.is_empty() {
            return None;
        }
        match self.level {
            // Only these are drawn independently; the other searches state their own odds.
            LevelName::Explore if self.method != SearchMethod::RandomWalk => None,
            LevelName::Explore => upper_bound(self.trials_overlapping, "trial", self.method, false),
            LevelName::Wire => {
                upper_bound(self.trials_overlapping, "barrier round", self.method, true)
            }
            LevelName::Model | LevelName::Recorded => None,
        }
    }

    fn reasons_against_clean(&self, controls: &Controls) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let mut against = |holds: bool, code, text: &dyn Fn() -> String| {
            if holds {
                reasons.push(Reason::new(code, text()));
            }
        };
        let unmet = self.expected.unmet();
        for answer in self.replies.before_runs().into_iter().take(MOST_TOLD) {
            against(true, code_of(answer), &|| answer.to_string());
        }
        let are_errors = self.replies.are_all_errors();
        let in_vain = self.runs.completed == 0 || self.is_incomplete() || are_errors;
        if in_vain && !self.replies.set_up_failed() {
            let of_runs = self.replies.of_runs().into_iter().filter(|own| !own.refuses_names());
            for answer in of_runs.take(MOST_TOLD) {
                let code = code_of(answer);
                // What cannot be recognised seems not to come.
                let is_there = code != ReasonCode::NoAnswer || unmet.is_empty();
                against(is_there, code, &|| answer.to_string());
            }
        }
        if self.lacks_names() {
            for answer in
                self.replies.of_names().filter(|own| own.asked == Asked::Start).take(MOST_TOLD)
            {
                against(true, ReasonCode::NamesRefused, &|| answer.to_string());
            }
        }
        against(self.malformed > 0, ReasonCode::UnexpectedProtocol, &|| {
            format!("{} messages were not of the expected protocol", self.malformed)
        });
        if let Some(unnamed) = self.replies.unnamed().filter(|_| self.runs.completed == 0) {
            against(true, ReasonCode::UnexpectedProtocol, &|| format!("there were {unnamed}"));
        }
        if let Some(answer) = self.replies.without_events().filter(|_| self.runs.completed == 0) {
            against(true, ReasonCode::UnexpectedProtocol, &|| {
                format!("no event of a run came, although {answer}")
            });
        }
        for unmet in unmet {
            against(true, ReasonCode::PlaceUnmatched, &|| unmet.to_string());
        }
        if self.runs.completed == 0 {
            let alike = |(_, reason): &(u64, Reason)| reason.code == ReasonCode::UsersAlike;
            let alike = self.endings.iter().any(alike);
            against(!alike, ReasonCode::NothingExercised, &|| {
                format!("none of {} runs completed", self.runs.started)
            });
            return reasons;
        }
        if self.replies.of_names().next().is_some() && self.runs.users < 2 {
            against(true, ReasonCode::NothingExercised, &|| {
                "the server takes the name of one user only, so nothing could reach another".into()
            });
            return reasons;
        }
        self.reasons_of_effort(&mut against);
        for tally in [&controls.judge, &controls.path] {
            against(!tally.all_caught(), ReasonCode::ControlMissed, &|| match tally
                .missed
                .as_slice()
            {
                [] => "no control could be planted".into(),
                [one] => format!("1 control was missed: {one}"),
                missed => format!("{} controls were missed: {}", missed.len(), missed.join("; ")),
            });
        }
        let needed = |oracle: &OracleId| !oracle.is_optional() || self.must_see.contains(oracle);
        for oracle in OracleId::ALL.into_iter().filter(needed) {
            let row = self.oracle_row(oracle);
            let blind = row.judged_trials == 0 && !self.may_be_blind.contains(&oracle);
            against(blind, ReasonCode::PreconditionNotMet, &|| {
                let others = match oracle {
                    OracleId::Canary => self.judged_all_the_same(),
                    _ => String::new(),
                };
                format!("{oracle} was blind: {}{others}", row.blind.clone().unwrap_or_default())
            });
        }
        reasons
    }

    /// Which checks did judge although no words came back, as where a model rephrases.
    fn judged_all_the_same(&self) -> String {
        let judged = OracleId::ALL.into_iter().filter(|oracle| {
            let row = self.oracle_row(*oracle);
            row.judged_trials > 0 && row.judged_items > 0
        });
        match judged.map(|oracle| oracle.to_string()).collect::<Vec<_>>() {
            judged if judged.is_empty() => "; no other check judged anything either".into(),
            judged => format!("; these checks still judged: {}", judged.join(", ")),
        }
    }

    /// Whether so many users have names that the server does not take, that what the others showed is
    /// too little for a clean level.
    fn lacks_names(&self) -> bool {
        let RunCounts { started, completed, unknown, left_out, .. } = self.runs;
        left_out > 0 && share(completed, started - unknown + left_out) < LEAST_COMPLETED
    }

    /// Whether too many runs did not come to their end.
    fn is_incomplete(&self) -> bool {
        let RunCounts { started, completed, unknown, .. } = self.runs;
        // Nobody saw what a call without an answer would have brought, nor to whom.
        share(completed, started - unknown) < LEAST_COMPLETED || self.loses_answers()
    }

    fn reasons_of_effort(&self, against: &mut Against<'_>) {
        let overlap = share(self.trials_overlapping, self.trials);
        against(overlap < self.least_overlap, ReasonCode::TooLittleOverlap, &|| {
            format!(
                "runs of different users overlapped in {} of {} trials, too few",
                self.trials_overlapping, self.trials
            )
        });
        let one_at_a_time = |why: &str| {
            let text = format!("{why}, so they waited for each other and never met");
            Some((ReasonCode::ServesOneAtATime, text))
        };
        let doubt = match self.at_once() {
            AtOnce::OneByOne(served) => one_at_a_time(&format!(
                "together, runs of different users took as long as one after the other \
                 ({served:.1} were served at once on average)"
            )),
            AtOnce::Held => one_at_a_time(
                "while the upstream held its reply to one user's call, none came for another",
            ),
            AtOnce::Busy(waited) => {
                let text = format!(
                    "whether the server serves several users at once cannot be told: a run alone \
                     waited about {waited:.0} ms for a processor"
                );
                Some((ReasonCode::MachineBusy, text))
            }
            AtOnce::Shown | AtOnce::Unknown | AtOnce::TooShort | AtOnce::Several(_) => None,
        };
        if let (LevelName::Wire, Some((code, text))) = (self.level, doubt) {
            against(true, code, &|| text.clone());
        }
        let RunCounts { started, completed, unknown, cut_by_plan, .. } = self.runs;
        against(self.is_incomplete(), ReasonCode::RunsIncomplete, &|| {
            format!(
                "{completed} of {started} runs completed, {unknown} have an unknown outcome \
                     ({cut_by_plan} of them cut off by the plan); at least {:.0} % of those with a \
                     known outcome must complete, and none may be unknown but those that the plan \
                     cuts off: find out what keeps the others from an answer, be it the server or \
                     too much load",
                LEAST_COMPLETED * 100.0
            )
        });
    }
}

/// What it means that users got this and could not go on.
fn code_of(answer: &AnswerCount) -> ReasonCode {
    let is_of_setup = matches!(answer.asked, Asked::SetUp { .. });
    match answer.came {
        _ if answer.refuses_names() => ReasonCode::NamesRefused,
        Came::Failed { cause } if cause.is_out_of_reach() => ReasonCode::TargetUnreachable,
        Came::Failed { cause: Cause::Unfilled } => ReasonCode::PlaceUnfilled,
        Came::Failed { cause: Cause::Spent } => ReasonCode::BudgetCut,
        Came::Failed { cause: Cause::Declined | Cause::NotCaptured } => ReasonCode::SetUpFailed,
        _ if is_of_setup => ReasonCode::SetUpFailed,
        Came::Failed { cause: Cause::Late } => ReasonCode::NoAnswer,
        Came::Failed { .. } => ReasonCode::ConnectionLost,
        Came::Status { .. } | Came::ToolError | Came::Closed { .. } => ReasonCode::Refused,
    }
}
