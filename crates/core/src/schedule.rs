//! A schedule: where an explored trial deviates from the default policy.
//!
//! By default the task that ran last goes on until it cannot, and then the ready task that was woken
//! last does (of several, the one with the lowest name). A schedule lists only the deviations, each keyed by the name of the task that
//! ran last and that task's own step count, never by an index: a smaller plan moves neither.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ids::TaskName;

/// What a printed schedule starts with; the number is the format version.
const PREFIX: &str = "pw-schedule-1";

/// One deviation from the default policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// The task that ran last; empty at the very start.
    pub after: TaskName,
    /// How many steps that task had taken by then.
    pub step: u64,
    /// The task that goes on instead of the default one.
    pub run: TaskName,
}

/// The deviations of one explored trial, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schedule {
    /// The deviations, in the order in which they happened.
    pub deviations: Vec<Deviation>,
}

impl Schedule {
    /// How far the schedule is from the default policy: one for each deviation.
    pub fn delays(&self) -> usize {
        self.deviations.len()
    }
}

/// One line: `pw-schedule-1;alice/run1@4>bob/run1;…`. `%`, `;`, `@`, `>` and control characters in
/// names are written as `%XX`.
impl fmt::Display for Schedule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(PREFIX)?;
        for Deviation { after, step, run } in &self.deviations {
            write!(out, ";{}@{step}>{}", escape(after.as_str()), escape(run.as_str()))?;
        }
        Ok(())
    }
}

/// Why a printed schedule cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleError(String);

impl fmt::Display for ScheduleError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for ScheduleError {}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let mut parts = text.trim().split(';');
        let prefix = parts.next().unwrap_or_default();
        if prefix != PREFIX {
            return Err(ScheduleError(format!(
                "a schedule starts with `{PREFIX}`, this one with `{}`",
                prefix.escape_debug()
            )));
        }
        let deviations = parts.enumerate().map(|(at, part)| {
            read_deviation(part).ok_or_else(|| {
                ScheduleError(format!(
                    "deviation {} (`{}`) is not of the form `task@step>task`",
                    at + 1,
                    part.escape_debug()
                ))
            })
        });
        Ok(Self { deviations: deviations.collect::<Result<_, _>>()? })
    }
}

fn read_deviation(text: &str) -> Option<Deviation> {
    let (at, run) = text.split_once('>')?;
    let (after, step) = at.rsplit_once('@')?;
    let run = unescape(run)?;
    if run.is_empty() {
        return None;
    }
    Some(Deviation { after: unescape(after)?.into(), step: step.parse().ok()?, run: run.into() })
}

fn escape(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '%' | ';' | '@' | '>') || c.is_control() {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                text.push_str(&format!("%{byte:02X}"));
            }
        } else {
            text.push(c);
        }
    }
    text
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let pair = [rest.next()?, rest.next()?];
            bytes.extend(super::raw::from_hex(std::str::from_utf8(&pair).ok()?)?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(names: &[(&str, u64, &str)]) -> Schedule {
        let deviation = |&(after, step, run): &(&str, u64, &str)| Deviation {
            after: after.into(),
            step,
            run: run.into(),
        };
        Schedule { deviations: names.iter().map(deviation).collect() }
    }

    #[test]
    fn a_printed_schedule_reads_back() {
        for whole in [
            schedule(&[]),
            schedule(&[("", 0, "bob"), ("alice/run1", 4, "bob/run1")]),
            schedule(&[("a@b;c>d%e\n/x", 7, "acme:alice_t1/run1")]),
        ] {
            let text = whole.to_string();
            assert!(!text.contains('\n'));
            assert_eq!(text.parse::<Schedule>().expect("reads back"), whole);
        }
    }

    #[test]
    fn a_malformed_schedule_names_the_place() {
        let cases = [
            ("", "starts with"),
            ("pw-schedule-9;a@1>b", "starts with"),
            ("pw-schedule-1;a@1>b;a@x>b", "deviation 2"),
            ("pw-schedule-1;a@1>", "deviation 1"),
            ("pw-schedule-1;%zz@1>b", "deviation 1"),
        ];
        for (text, place) in cases {
            let error = text.parse::<Schedule>().expect_err("malformed").to_string();
            assert!(error.contains(place), "{error}");
        }
    }
}
