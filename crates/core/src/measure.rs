//! What a level measured beside its findings: who saw whose data, how times were spread, and which
//! build, scenario and part of a campaign it is about.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::UserName;
use super::timeline::TimeUnit;

/// The most pairs of users that a leak matrix tells of.
const MOST_PAIRS: usize = 10_000;

/// Who saw whose data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct LeakMatrix {
    /// The users that the pairs are of, in order of their names.
    pub users: Vec<UserName>,
    /// The pairs, by owner and observer.
    pub pairs: Vec<LeakPair>,
    /// How many pairs are left out, those seen least; at most 10,000 are told.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
}

/// One user's data at another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct LeakPair {
    /// Whose data: the place in [`LeakMatrix::users`].
    pub owner: u32,
    /// Who saw it: the place in [`LeakMatrix::users`].
    pub observer: u32,
    /// In how many trials.
    pub trials: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl LeakMatrix {
    /// The matrix of those pairs (owner, observer) and the trials that they were seen in.
    pub fn of(counts: &BTreeMap<(UserName, UserName), u64>) -> Self {
        let mut ranked: Vec<_> = counts.iter().collect();
        ranked.sort_by_key(|(pair, trials)| (std::cmp::Reverse(**trials), *pair));
        let left_out = ranked.len().saturating_sub(MOST_PAIRS) as u64;
        ranked.truncate(MOST_PAIRS);
        ranked.sort_by_key(|(pair, _)| *pair);
        let mut users: Vec<UserName> =
            ranked.iter().flat_map(|((owner, observer), _)| [owner, observer]).cloned().collect();
        users.sort();
        users.dedup();
        // Every name is in the list that was made of them.
        let place = |user: &UserName| users.binary_search(user).unwrap_or_default() as u32;
        let pair = |((owner, observer), trials): &(&(UserName, UserName), &u64)| LeakPair {
            owner: place(owner),
            observer: place(observer),
            trials: **trials,
        };
        let pairs = ranked.iter().map(pair).collect();
        Self { users, pairs, left_out }
    }

    /// Whether nobody saw anybody's data.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

/// How a time was spread over many measurements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Spread {
    /// What it is counted in.
    pub unit: TimeUnit,
    /// How many measurements.
    pub n: u64,
    /// The least.
    pub least: u64,
    /// Half of them took no longer.
    pub median: u64,
    /// Nine of ten took no longer.
    pub p90: u64,
    /// Ninety-nine of a hundred took no longer.
    pub p99: u64,
    /// The most.
    pub most: u64,
    /// How many fell into each class, from the shortest to the longest; those without any are
    /// left out.
    pub classes: Vec<SpreadClass>,
}

/// One class of a spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct SpreadClass {
    /// The least that belongs to it.
    pub from: u64,
    /// The most that belongs to it.
    pub to: u64,
    /// How many fell into it.
    pub count: u64,
}

/// Counts times, exactly up to 63 and within an eighth above.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpreadCount {
    classes: BTreeMap<u64, u64>,
    ends: Option<(u64, u64)>,
}

impl SpreadCount {
    /// Counts one.
    pub fn add(&mut self, time: u64) {
        *self.classes.entry(class_of(time)).or_default() += 1;
        let (least, most) = self.ends.unwrap_or((time, time));
        self.ends = Some((least.min(time), most.max(time)));
    }

    /// Counts all that another has counted.
    pub fn merge(&mut self, other: &Self) {
        for (class, count) in &other.classes {
            *self.classes.entry(*class).or_default() += count;
        }
        self.ends = match (self.ends, other.ends) {
            (Some(own), Some(other)) => Some((own.0.min(other.0), own.1.max(other.1))),
            (own, other) => own.or(other),
        };
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.classes.values().sum()
    }

    /// The least; none where nothing was counted.
    pub fn least(&self) -> Option<u64> {
        self.ends.map(|(least, _)| least)
    }

    /// What that many of a hundred measurements took at most; none where nothing was counted.
    pub fn quantile(&self, percent: u64) -> Option<u64> {
        let (least, most) = self.ends?;
        let n = self.count();
        let mut left = (n * percent).div_ceil(100);
        for (class, count) in &self.classes {
            left = left.saturating_sub(*count);
            if left == 0 {
                return Some(class_end(*class).clamp(least, most));
            }
        }
        Some(most)
    }

    /// The spread; none where nothing was counted.
    pub fn spread(&self, unit: TimeUnit) -> Option<Spread> {
        let (least, most) = self.ends?;
        let n = self.count();
        let at = |percent: u64| self.quantile(percent).unwrap_or(most);
        let class = |(from, count): (&u64, &u64)| SpreadClass {
            from: *from,
            to: class_end(*from),
            count: *count,
        };
        Some(Spread {
            unit,
            n,
            least,
            median: at(50),
            p90: at(90),
            p99: at(99),
            most,
            classes: self.classes.iter().map(class).collect(),
        })
    }
}

/// The least number of the class of that time: all but the four highest bits are cleared.
fn class_of(time: u64) -> u64 {
    let spare = class_width_bits(time);
    time >> spare << spare
}

fn class_width_bits(time: u64) -> u32 {
    if time < 64 { 0 } else { time.ilog2() - 3 }
}

fn class_end(from: u64) -> u64 {
    from + ((1 << class_width_bits(from)) - 1)
}

/// Where a scenario says what was driven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Source {
    /// The file, relative to the repository.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The SHA-256 of the file, in hex.
    pub sha256: String,
}

/// A tested build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Subject {
    /// What it is called.
    pub name: String,
    /// The SHA-256 of what was tested, in hex.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[0-9a-f]{64}$")))]
    pub sha256: String,
}

/// `name@sha256:HEX`.
impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, sha256) = text.rsplit_once("@sha256:").ok_or("a subject is NAME@sha256:HEX")?;
        let is_digest = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        if name.is_empty() || !is_digest {
            return Err("a subject has a name, and 64 hex digits behind `@sha256:`".into());
        }
        Ok(Self { name: name.to_owned(), sha256: sha256.to_ascii_lowercase() })
    }
}

/// One slice of a campaign's trials: every `of`-th one, from the `slice`-th on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Partition {
    /// Which, from 1.
    pub slice: u64,
    /// Of how many.
    pub of: u64,
}

impl Partition {
    /// All of a campaign.
    pub const WHOLE: Self = Self { slice: 1, of: 1 };

    /// The number of this slice's trial at that place, both from 0.
    pub fn trial(self, place: u64) -> u64 {
        place.saturating_mul(self.of).saturating_add(self.slice - 1)
    }

    /// How many of that many trials are in it.
    pub fn share_of(self, trials: u64) -> u64 {
        (trials + self.of - self.slice) / self.of
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "slice:{}/{}", self.slice, self.of)
    }
}

/// `slice:m/n`, with m from 1.
impl FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "a partition is slice:M/N, with M from 1 to N".to_owned();
        let (slice, of) =
            text.strip_prefix("slice:").and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
        let number = |text: &str| text.parse::<u64>().ok().filter(|n| (1..=10_000).contains(n));
        let own =
            Self { slice: number(slice).ok_or_else(wrong)?, of: number(of).ok_or_else(wrong)? };
        if own.slice > own.of { Err(wrong()) } else { Ok(own) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_exact_where_times_are_short_and_close_where_they_are_long() {
        let mut count = SpreadCount::default();
        (1..=50).for_each(|time| count.add(time));
        let spread = count.spread(TimeUnit::Step).expect("something was counted");
        assert_eq!((spread.least, spread.median, spread.p90, spread.most), (1, 25, 45, 50));
        for time in [64, 1_000, 123_456, u64::MAX] {
            let (from, to) = (class_of(time), class_end(class_of(time)));
            assert!(from <= time && time <= to, "{from} {time} {to}");
            assert!((to - from) as f64 <= from as f64 / 8.0, "{from} {to}");
        }
        assert_eq!(SpreadCount::default().spread(TimeUnit::Step), None);
    }

    #[test]
    fn counts_of_parts_merge_to_those_of_the_whole() {
        let count = |times: &mut dyn Iterator<Item = u64>| {
            let mut count = SpreadCount::default();
            times.for_each(|time| count.add(time));
            count
        };
        let mut parts = count(&mut (0..500).step_by(2));
        parts.merge(&count(&mut (1..500).step_by(2)));
        assert_eq!(parts, count(&mut (0..500)));
    }

    #[test]
    fn slices_share_the_trials_out_without_gap_or_overlap() {
        for of in 1..7 {
            for trials in 0..40 {
                let mut all: Vec<u64> = (1..=of)
                    .map(|slice| Partition { slice, of })
                    .flat_map(|own| (0..own.share_of(trials)).map(move |place| own.trial(place)))
                    .collect();
                all.sort_unstable();
                assert_eq!(all, (0..trials).collect::<Vec<_>>(), "{trials} in {of}");
            }
        }
        for wrong in ["slice:0/3", "slice:4/3", "1/3", "slice:1", "slice:a/3", "slice:1/0"] {
            assert!(wrong.parse::<Partition>().is_err(), "{wrong}");
        }
        assert_eq!("slice:2/3".parse(), Ok(Partition { slice: 2, of: 3 }));
    }

    #[test]
    fn a_subject_has_a_name_and_a_digest() {
        let digest = "0f".repeat(32);
        let subject = format!("registry/app@1.2@sha256:{digest}").parse::<Subject>();
        assert_eq!(subject, Ok(Subject { name: "registry/app@1.2".into(), sha256: digest }));
        for wrong in ["app", "app@sha256:12", "@sha256:", "app@sha512:00"] {
            assert!(wrong.parse::<Subject>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_matrix_tells_the_pairs_seen_most() {
        let name = |n: usize| UserName::new(format!("user-{n:03}"));
        let mut counts = BTreeMap::new();
        for owner in 0..101 {
            for observer in 0..100 {
                counts.insert((name(owner), name(observer)), 1 + (owner == 7) as u64);
            }
        }
        let matrix = LeakMatrix::of(&counts);
        assert_eq!((matrix.pairs.len(), matrix.left_out), (10_000, 100));
        let of_seven = |pair: &&LeakPair| matrix.users[pair.owner as usize] == name(7);
        assert_eq!(matrix.pairs.iter().filter(of_seven).count(), 100);
    }
}
