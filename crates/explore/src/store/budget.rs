//! Budgets are counts; what may cut one short is an interruption or a time limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use partywall_core::record::FindingRecord;
use partywall_core::verdict::ReasonCode;

/// What may end a campaign before its budget is spent; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    interrupted: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Stop {
    /// Ends at that moment at the latest; never by time where it is none.
    pub fn at(deadline: Option<Instant>) -> Self {
        Self { interrupted: Arc::default(), deadline }
    }

    /// The same interruptions, and that much time at the most.
    pub fn within(&self, limit: Duration) -> Self {
        let own = Instant::now().checked_add(limit);
        let deadline = [self.deadline, own].into_iter().flatten().min();
        Self { interrupted: Arc::clone(&self.interrupted), deadline }
    }

    /// Asks for the end; may be called from a signal handler's thread.
    pub fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
    }

    /// Whether that much time is left.
    pub fn leaves(&self, time: Duration) -> bool {
        self.deadline
            .is_none_or(|deadline| deadline.saturating_duration_since(Instant::now()) >= time)
    }

    /// Why to stop now, if at all.
    pub fn reason(&self) -> Option<ReasonCode> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Some(ReasonCode::Interrupted);
        }
        let late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        late.then_some(ReasonCode::BudgetCut)
    }
}

/// Who is told how far a campaign has come.
pub trait Progress: Sync {
    /// A level begins: the side (empty for plain runs), the level, the scenario, its budget.
    fn begin(&self, side: &str, level: &str, scenario: &str, planned: u64);

    /// So many trials are done, so many of them overlapped, and so many distinct findings there are.
    fn advance(&self, done: u64, overlapping: u64, findings: u64);

    /// The level goes on, to so many trials in all at the most, for that reason.
    fn extend(&self, _most: u64, _why: &str) {}

    /// Something else goes on, in a few words.
    fn say(&self, what: &str);

    /// A finding was made that is new.
    fn found(&self, _finding: &FindingRecord) {}

    /// Something crossed in a round that still goes on.
    fn crossed(&self, _what: &str) {}

    /// The level has ended.
    fn end(&self);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _side: &str, _level: &str, _scenario: &str, _planned: u64) {}
    fn advance(&self, _done: u64, _overlapping: u64, _findings: u64) {}
    fn say(&self, _what: &str) {}
    fn end(&self) {}
}
