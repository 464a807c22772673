//! Findings that are known and borne for a while, each with a reason and a day on which that ends.
//! A finding that is not in the list is never hidden, and neither is one whose day has passed.

use serde::Deserialize;
use toml::Spanned;

use partywall_explore::store::error::CampaignError;

/// The version of baseline files that this program reads.
const VERSION: u32 = 1;
/// What the remedy of every error is.
const SHAPE: &str = "an entry is [[known]] with fingerprint = \"16 hex digits\", reason = \"why\" \
                     and expires = \"YYYY-MM-DD\"";

/// The known findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// The entries, in the order of the file.
    pub known: Vec<Known>,
}

/// One known finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub fingerprint: String,
    /// Why it is borne.
    pub reason: String,
    /// The last day on which it is, `YYYY-MM-DD`.
    pub expires: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: Spanned<u32>,
    #[serde(default)]
    known: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    fingerprint: Spanned<String>,
    reason: Spanned<String>,
    expires: Spanned<String>,
}

impl Baseline {
    /// Reads a baseline file; `name` is what errors call it.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its line.
    pub fn parse(text: &str, name: &str) -> Result<Self, CampaignError> {
        let line_of = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        let error = |at: Option<usize>, problem: &str| {
            let place = at.map(|at| format!(", line {}", line_of(at))).unwrap_or_default();
            let name = name.escape_debug();
            CampaignError::usage(format!("`{name}`{place}: {problem}; {SHAPE}"))
        };
        let file: File = toml::from_str(text)
            .map_err(|wrong| error(wrong.span().map(|span| span.start), wrong.message()))?;
        if *file.version.get_ref() != VERSION {
            return Err(error(Some(file.version.span().start), "`version` is not 1"));
        }
        let mut known: Vec<Known> = Vec::new();
        for entry in file.known {
            let at = |field: &Spanned<String>| Some(field.span().start);
            let fingerprint = entry.fingerprint.get_ref();
            if fingerprint.len() != 16 || !fingerprint.bytes().all(|c| c.is_ascii_hexdigit()) {
                return Err(error(at(&entry.fingerprint), "that is no fingerprint"));
            }
            if known.iter().any(|other| other.fingerprint == *fingerprint) {
                return Err(error(at(&entry.fingerprint), "that fingerprint stands there twice"));
            }
            if entry.reason.get_ref().trim().is_empty() {
                return Err(error(at(&entry.reason), "a known finding has a reason"));
            }
            if !is_day(entry.expires.get_ref()) {
                return Err(error(at(&entry.expires), "that is no day"));
            }
            known.push(Known {
                fingerprint: fingerprint.clone(),
                reason: entry.reason.into_inner(),
                expires: entry.expires.into_inner(),
            });
        }
        Ok(Self { known })
    }

    /// The entry of that finding.
    pub fn entry(&self, fingerprint: &str) -> Option<&Known> {
        self.known.iter().find(|known| known.fingerprint == fingerprint)
    }
}

impl Known {
    /// Whether it still counts on that day, `YYYY-MM-DD`.
    pub fn holds_on(&self, today: &str) -> bool {
        // Days written like that sort by time.
        self.expires.as_str() >= today
    }
}

fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let number = |text: &str, digits: usize| {
        let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<u32>().ok()).flatten()
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2))
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let entry = |fingerprint: &str, reason: &str, expires: &str| {
            format!(
                "version = 1\n[[known]]\nfingerprint = \"{fingerprint}\"\nreason = \"{reason}\"\n\
                 expires = \"{expires}\"\n"
            )
        };
        let good = entry("0123456789abcdef", "ticket 7", "2028-02-29");
        let baseline = Baseline::parse(&good, "b").expect("it is right");
        assert_eq!(
            baseline.entry("0123456789abcdef").map(|known| known.reason.as_str()),
            Some("ticket 7")
        );
        let cases = [
            (entry("0123", "x", "2028-01-01"), "line 3"),
            (entry("0123456789abcdef", " ", "2028-01-01"), "line 4"),
            (entry("0123456789abcdef", "x", "2027-02-29"), "line 5"),
            (entry("0123456789abcdef", "x", "tomorrow"), "line 5"),
            ("version = 2".to_owned(), "line 1"),
            ("version = 1\nknow = 1".to_owned(), "line 2"),
            (format!("{good}{}", &good[12..]), "line 7"),
        ];
        for (text, line) in cases {
            let error = Baseline::parse(&text, "b").expect_err("it is wrong").to_string();
            assert!(error.contains(line) && error.contains("[[known]]"), "{text}: {error}");
        }
    }

    #[test]
    fn an_entry_holds_until_its_day_has_passed() {
        let known = Known {
            fingerprint: String::new(),
            reason: String::new(),
            expires: "2027-03-31".into(),
        };
        assert!(known.holds_on("2027-03-31") && known.holds_on("2026-12-31"));
        assert!(!known.holds_on("2027-04-01"));
    }
}
