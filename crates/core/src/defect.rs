//! A defect: a mechanism that is switched on in the reference back end, for some of its requests.

use std::fmt;
use std::str::FromStr;

use super::mechanism::Mechanism;

/// A mechanism that is switched on, and for how many requests of ten thousand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Defect {
    mechanism: Mechanism,
    share: u32,
}

/// One request in how many makes the whole.
const WHOLE: u32 = 10_000;

impl Defect {
    /// That mechanism, for every request.
    pub fn new(mechanism: Mechanism) -> Self {
        Self { mechanism, share: WHOLE }
    }

    /// The rare form: for that many of a hundred requests, chosen by what they hold.
    pub fn rare(mechanism: Mechanism, percent: u32) -> Self {
        Self { mechanism, share: percent.min(100) * (WHOLE / 100) }
    }

    /// Whether it strikes a request, by a digest of what the request holds.
    pub fn strikes(self, digest: u64) -> bool {
        digest % u64::from(WHOLE) < u64::from(self.share)
    }

    /// The mechanism.
    pub fn mechanism(self) -> Mechanism {
        self.mechanism
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.share {
            WHOLE => self.mechanism.fmt(out),
            share => write!(out, "{}@{}%", self.mechanism, f64::from(share) / 100.0),
        }
    }
}

/// Why a defect cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownDefect(String);

impl fmt::Display for UnknownDefect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.escape_debug();
        write!(
            out,
            "there is no defect `{text}`; write one of M01 to M24, or such as M05@2% for a share \
             of the requests"
        )
    }
}

impl std::error::Error for UnknownDefect {}

impl FromStr for Defect {
    type Err = UnknownDefect;

    fn from_str(text: &str) -> Result<Self, UnknownDefect> {
        let unknown = || UnknownDefect(text.to_owned());
        let (code, share) = match text.split_once('@') {
            None => (text, WHOLE),
            Some((code, share)) => {
                let percent: f64 =
                    share.strip_suffix('%').ok_or_else(unknown)?.parse().map_err(|_| unknown())?;
                if !(0.01..=100.0).contains(&percent) {
                    return Err(unknown());
                }
                (code, (percent * 100.0).round() as u32)
            }
        };
        Ok(Self { mechanism: code.parse().map_err(|_| unknown())?, share })
    }
}
