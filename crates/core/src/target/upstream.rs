//! How the stub answers: when, in which order, and what goes wrong.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How the stub answers. What is drawn for a call follows from the seed and its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The port on the loopback address; 0 takes a free one.
    pub port: u16,
    /// What delays and faults are drawn with.
    pub seed: u64,
    /// From and to how long a reply takes to begin.
    pub delay: (Duration, Duration),
    /// Between two pieces of a reply that is streamed.
    pub gap: Duration,
    /// In how many pieces a reply is streamed, at least.
    pub chunks: u16,
    /// In which order replies come.
    pub order: Order,
    /// How long a call is held at most until enough others are there to put them in order.
    pub hold: Duration,
    /// How many calls of a hundred fail: an error, too many requests, or a cut somewhere.
    pub fail_percent: u8,
    /// The largest body that is taken, in bytes.
    pub largest_body: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            seed: 1,
            delay: (Duration::ZERO, Duration::ZERO),
            gap: Duration::from_millis(1),
            chunks: 5,
            order: Order::Arrival,
            hold: Duration::from_millis(250),
            fail_percent: 0,
            largest_body: 4 << 20,
        }
    }
}

/// In which order replies come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Each as soon as it is due.
    #[default]
    Arrival,
    /// That many calls together, as they came, each when the one before it is whole.
    Held(u16),
    /// Of that many calls the last one first, each when the one before it is whole.
    Reversed(u16),
    /// That many calls in an order drawn with the seed, each when the one before it is whole.
    Shuffled(u16),
}

/// A text that is no [`Order`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderError;

impl fmt::Display for OrderError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(
            "an order is `arrival`, `held:N`, `reversed:N` or `shuffled:N`, N from 2 to 1000",
        )
    }
}

impl std::error::Error for OrderError {}

impl FromStr for Order {
    type Err = OrderError;

    fn from_str(text: &str) -> Result<Self, OrderError> {
        if text == "arrival" {
            return Ok(Self::Arrival);
        }
        let (name, width) = text.split_once(':').ok_or(OrderError)?;
        let width = width.parse().ok().filter(|width| (2..=1000).contains(width));
        match (name, width) {
            ("held", Some(width)) => Ok(Self::Held(width)),
            ("reversed", Some(width)) => Ok(Self::Reversed(width)),
            ("shuffled", Some(width)) => Ok(Self::Shuffled(width)),
            _ => Err(OrderError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_from_its_name() {
        assert_eq!("reversed:2".parse(), Ok(Order::Reversed(2)));
        assert_eq!("shuffled:1000".parse(), Ok(Order::Shuffled(1000)));
        assert_eq!("arrival".parse(), Ok(Order::Arrival));
        for bad in ["", "reversed", "reversed:1", "shuffled:1001", "reversed:-2", "arrival:2"] {
            assert_eq!(bad.parse::<Order>(), Err(OrderError), "{bad}");
        }
    }
}
