//! Each user of a plan alone with a fresh back end: what O5 compares a trial with.
//!
//! Twice for each user, under the default policy and under a random walk. Where a trial then shows
//! something else, its user is driven alone many times more before anything is said: what one of
//! those shows too is no interference.

use crate::exploration::explore_trial::{explore_trial, replay_trial};
use crate::exploration::subject::Subject;
use partywall_core::canary::Scanner;
use partywall_core::dialect::Dialect;
use partywall_core::finding::{Finding, OracleId};
use partywall_core::history::History;
use partywall_core::ids::UserName;
use partywall_core::plan::{Plan, Step, UserPlan};
use partywall_core::schedule::Schedule;
use partywall_oracles::{Case, Solos, judge, judge_with, of};
use partywall_world::simulated::InsideRuntime;
use partywall_world::strategy::{Mode, Random};

/// One explored trial in that many is compared with its users alone: to drive all of them alone
/// costs more than the trial. It has no factor in common with what else recurs among trials (those
/// that are driven twice, those of a mix that are sequential).
pub const ALONE_EVERY: u64 = 25;

/// How often each user is driven alone, and in all where a trial shows something else.
const AT_FIRST: u64 = 2;
const TO_BE_SURE: u64 = 24;

/// The users of one plan, alone, as far as they were driven.
pub struct Alone<'s> {
    plan: Plan,
    subject: &'s dyn Subject,
    stop: &'s dyn Fn() -> bool,
    scanner: Scanner,
    solos: Solos,
    /// How often each user of the plan was driven.
    driven: Vec<u64>,
}

impl<'s> Alone<'s> {
    /// Nobody yet.
    pub fn new(plan: &Plan, subject: &'s dyn Subject, stop: &'s dyn Fn() -> bool) -> Self {
        let (scanner, driven) = (Scanner::new(plan.campaign), vec![0; plan.users.len()]);
        Self { plan: plan.clone(), subject, stop, scanner, solos: Solos::default(), driven }
    }

    /// Whether it is of that plan.
    pub(crate) fn is_of(&self, plan: &Plan) -> bool {
        self.plan == *plan
    }

    /// What each user gets alone. A user who is alone in the plan has nobody to be disturbed by.
    ///
    /// # Errors
    ///
    /// [`InsideRuntime`] when called from inside a tokio runtime.
    pub fn solos(&mut self) -> Result<&Solos, InsideRuntime> {
        if self.plan.users.len() > 1 {
            self.drive(&|_| true, AT_FIRST)?;
        }
        Ok(&self.solos)
    }

    /// Judges a trial of the plan beside what its users get alone; again where O5 finds anything,
    /// once whom it tells of were alone more often.
    pub(crate) fn judge<J>(
        &mut self,
        judge: impl Fn(&Solos) -> J,
        findings: impl Fn(&J) -> &[Finding],
    ) -> Result<J, InsideRuntime> {
        let judged = judge(self.solos()?);
        let told = findings(&judged).iter();
        let told = told.filter(|finding| finding.oracle == OracleId::NonInterference);
        let told: Vec<UserName> = told.map(|finding| finding.victim.clone()).collect();
        if told.is_empty() {
            return Ok(judged);
        }
        self.drive(&|user| told.contains(&user.name), TO_BE_SURE)?;
        Ok(judge(&self.solos))
    }

    /// What O5 finds in a history of the plan.
    ///
    /// # Errors
    ///
    /// [`InsideRuntime`] when called from inside a tokio runtime.
    pub fn findings(&mut self, history: &History) -> Result<Vec<Finding>, InsideRuntime> {
        let (dialect, scanner) = (Dialect::of(&self.plan), self.scanner.clone());
        let judge = |solos: &Solos| {
            let case = Case::with_scanner(history, &dialect, &scanner).beside(Some(solos));
            judge_with(&[of(OracleId::NonInterference)], &case).findings
        };
        self.judge(judge, |found| found)
    }

    fn drive(&mut self, whom: &dyn Fn(&UserPlan) -> bool, times: u64) -> Result<(), InsideRuntime> {
        let users = self.plan.users.iter().zip(&mut self.driven);
        for (user, driven) in users.filter(|(user, _)| whom(user)) {
            let own = slice(&self.plan, user);
            for time in *driven..times {
                let trial = match time {
                    0 => {
                        let default = Schedule::default();
                        replay_trial(&own, self.subject, &default, Mode::Lenient, self.stop)?
                    }
                    walk => explore_trial(&own, self.subject, &mut Random::new(walk), self.stop)?,
                };
                self.solos.add(&user.name, &trial.history, &self.scanner);
            }
            *driven = times.max(*driven);
        }
        Ok(())
    }
}

/// What all oracles find in a history, O5 among them only where it is asked for: driving every user
/// alone costs more than the trial.
pub(crate) fn findings_by(
    oracle: OracleId,
    history: &History,
    subject: &dyn Subject,
    stop: &dyn Fn() -> bool,
) -> Result<Vec<Finding>, InsideRuntime> {
    if oracle == OracleId::NonInterference {
        return Alone::new(&history.plan, subject, stop).findings(history);
    }
    Ok(judge(&Case::new(history, &Dialect::of(&history.plan))).findings)
}

/// The plan of that user alone: nobody to wait for, and only their own faults.
fn slice(plan: &Plan, user: &UserPlan) -> Plan {
    let mut user = user.clone();
    user.steps.retain(|step| !matches!(step, Step::AwaitUser { .. }));
    let faults = plan.faults.iter().filter(|fault| fault.user == user.name).cloned().collect();
    let (scenario, protocol) = (plan.scenario.clone(), plan.protocol.clone());
    Plan { scenario, faults, users: vec![user], protocol, ..*plan }
}

impl std::fmt::Debug for Alone<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Alone({:?})", self.subject)
    }
}
