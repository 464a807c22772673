//! What to explore of one's own code, and how hard.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::exploration::regressions::FOLDER;
use crate::exploration::search::Search;
use crate::workload::{Range, Sizes, Workload};
use partywall_core::finding::OracleId;
use partywall_core::plan::Via;

/// What to explore and how hard.
///
/// The default: 1,000 trials, each a random walk of three to six users who start one run each over an
/// event connection, beside one who only listens.
#[derive(Clone, Debug)]
pub struct Config {
    pub(super) name: String,
    pub(super) workload: Workload,
    pub(super) search: Search,
    pub(super) trials: u64,
    pub(super) seed: u64,
    pub(super) time_limit: Option<Duration>,
    pub(super) may_be_blind: Vec<OracleId>,
    pub(super) alone: bool,
    pub(super) regressions: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        // The test harness names its threads after the tests.
        let test = std::thread::current().name().filter(|name| *name != "main").map(String::from);
        Self::named(test.unwrap_or_else(|| "own code".into()))
    }
}

impl Config {
    /// The default under a name of its own; saved repros are told apart by it. Otherwise it is the
    /// name of the test.
    pub fn named(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            workload: Workload::of_own_code(&name),
            name,
            search: Search::Random,
            trials: 1_000,
            seed: 1,
            time_limit: None,
            may_be_blind: Vec::new(),
            alone: false,
            regressions: Some(PathBuf::from(FOLDER)),
        }
    }

    /// Fewest and most users of a trial, besides the one who only listens; at least one.
    #[must_use]
    pub fn users(mut self, users: RangeInclusive<u32>) -> Self {
        let least = (*users.start()).clamp(1, Sizes::USERS);
        self.workload.users = Range { least, most: (*users.end()).clamp(least, Sizes::USERS) };
        self
    }

    /// How many runs each user starts, one after the other.
    #[must_use]
    pub fn runs_per_user(mut self, runs: u16) -> Self {
        self.workload = self.workload.with_runs(runs.min(Sizes::RUNS));
        self
    }

    /// How runs are started; drawn for each run. An empty list changes nothing.
    #[must_use]
    pub fn via(mut self, via: &[Via]) -> Self {
        if !via.is_empty() {
            self.workload.via = via.to_vec();
        }
        self
    }

    /// Fewest and most faults of a trial: cancelled requests, time-outs, vanished connections.
    #[must_use]
    pub fn faults(mut self, faults: RangeInclusive<u32>) -> Self {
        let least = (*faults.start()).min(Sizes::FAULTS);
        self.workload.faults = Range { least, most: (*faults.end()).clamp(least, Sizes::FAULTS) };
        self
    }

    /// How schedules are chosen.
    #[must_use]
    pub fn search(mut self, search: Search) -> Self {
        self.search = search;
        self
    }

    /// How many trials, where the search has no end of its own; at least one.
    #[must_use]
    pub fn trials(mut self, trials: u64) -> Self {
        self.trials = trials.max(1);
        self
    }

    /// Where every plan and every schedule comes from.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Stops after that time; the verdict is then inconclusive at best.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// An oracle that may say nothing: without this, one whose precondition never held makes the
    /// verdict inconclusive.
    #[must_use]
    pub fn may_be_blind(mut self, oracle: OracleId) -> Self {
        self.may_be_blind.push(oracle);
        self
    }

    /// Also compares one trial in [`ALONE_EVERY`](crate::exploration::alone::ALONE_EVERY) with each of its users alone (O5): other text, an
    /// event less or more because somebody else was there is then a finding. What users may rightly
    /// learn of each other (who is on line, that the service is busy) only you can know, so this is
    /// not done unless it is asked for.
    #[must_use]
    pub fn compare_alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// The folder of saved repros, replayed first and added to by [`assert_isolated`](super::assert_isolated); none for no
    /// such folder. The default is `partywall-regressions`, beside the package's `Cargo.toml`.
    #[must_use]
    pub fn regressions(mut self, folder: Option<PathBuf>) -> Self {
        self.regressions = folder;
        self
    }
}
