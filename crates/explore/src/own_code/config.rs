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
    /// The default configuration with a name. Saved repros are filed under that name. The name of
    /// [`Config::default`] is that of the running test.
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

    /// The fewest and the most users of a trial, not counting the one who only listens [default: 3 to 6].
    ///
    /// # Panics
    ///
    /// The range is empty, begins with 0 or ends above 5,000.
    #[must_use]
    pub fn users(mut self, users: RangeInclusive<u32>) -> Self {
        let (least, most) = users.into_inner();
        let is_right = 1 <= least && least <= most && most <= Sizes::USERS;
        assert!(is_right, "users({least}..={most}): give a range within 1..={}", Sizes::USERS);
        self.workload.users = Range { least, most };
        self
    }

    /// How many runs each user starts, one after the other [default: 1].
    ///
    /// # Panics
    ///
    /// The number is 0 or above 1,000.
    #[must_use]
    pub fn runs_per_user(mut self, runs: u16) -> Self {
        let is_right = (1..=Sizes::RUNS).contains(&runs);
        assert!(is_right, "runs_per_user({runs}): give a number from 1 to {}", Sizes::RUNS);
        self.workload = self.workload.with_runs(runs);
        self
    }

    /// How runs are started, drawn for each run [default: on the event connection]. An empty list changes
    /// nothing.
    #[must_use]
    pub fn via(mut self, via: &[Via]) -> Self {
        if !via.is_empty() {
            self.workload.via = via.to_vec();
        }
        self
    }

    /// The fewest and the most faults of a trial: cancelled requests, time-outs, lost connections
    /// [default: none].
    ///
    /// # Panics
    ///
    /// The range is empty or ends above 16.
    #[must_use]
    pub fn faults(mut self, faults: RangeInclusive<u32>) -> Self {
        let (least, most) = faults.into_inner();
        let is_right = least <= most && most <= Sizes::FAULTS;
        assert!(is_right, "faults({least}..={most}): give a range within 0..={}", Sizes::FAULTS);
        self.workload.faults = Range { least, most };
        self
    }

    /// How schedules are chosen [default: random walks].
    #[must_use]
    pub fn search(mut self, search: Search) -> Self {
        self.search = search;
        self
    }

    /// How many trials [default: 1,000]. An exhaustive search and a sweep end by themselves.
    ///
    /// # Panics
    ///
    /// The number is 0.
    #[must_use]
    pub fn trials(mut self, trials: u64) -> Self {
        assert!(trials > 0, "trials(0): give at least 1");
        self.trials = trials;
        self
    }

    /// The random seed for plans and schedules [default: 1].
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Stops after that time [default: none]. A search that was cut short is never reported clean.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// Accepts that this oracle cannot judge. Without it, an oracle whose precondition never held makes
    /// the verdict inconclusive.
    #[must_use]
    pub fn may_be_blind(mut self, oracle: OracleId) -> Self {
        self.may_be_blind.push(oracle);
        self
    }

    /// Also compares one trial in 25 with a trial of each of its users alone (oracle O5).
    ///
    /// Other text, or one event more or less because somebody else was there, is then a finding. It is
    /// off by default, since only you know what users may learn of each other: who is online, or that
    /// the service is busy.
    #[must_use]
    pub fn compare_alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// The folder of saved repros, which [`assert_isolated`](super::assert_isolated) replays first and adds
    /// to; `None` for no such folder [default: `partywall-regressions`, beside the `Cargo.toml` of the
    /// package].
    #[must_use]
    pub fn regressions(mut self, folder: Option<PathBuf>) -> Self {
        self.regressions = folder;
        self
    }
}
