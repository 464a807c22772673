//! A repro: the plan and the schedule of one finding, as a file that replays it.

use serde::{Deserialize, Serialize};

use std::path::Path;

use crate::store::error::{CampaignError, shown};
use partywall_core::finding::{Finding, Fingerprint, OracleId};
use partywall_core::plan::Plan;
use partywall_core::record::LevelName;
use partywall_core::schedule::Schedule;
use partywall_core::target::Target;

/// The version of the repro format that this program writes and reads.
pub const REPRO_VERSION: u32 = 2;

/// What the `format` field of a repro says.
pub const REPRO_FORMAT: &str = "partywall-repro";

/// A finding that can be had again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repro {
    /// [`REPRO_FORMAT`].
    pub format: String,
    /// [`REPRO_VERSION`].
    pub version: u32,
    /// The program's version.
    pub partywall: String,
    /// `explore` or `wire`.
    pub level: LevelName,
    /// What was driven.
    pub target: Target,
    /// What must be found again.
    pub fingerprint: Fingerprint,
    /// By which oracle.
    pub oracle: OracleId,
    /// The finding in one sentence.
    pub summary: String,
    /// The chain of causes, in words, where the back end reported it.
    pub story: Vec<String>,
    /// What every user does.
    pub plan: Plan,
    /// Explore: the schedule, in its printed form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
}

impl Repro {
    /// The repro of a finding.
    pub fn new(
        level: LevelName,
        target: Target,
        finding: &Finding,
        story: Vec<String>,
        plan: Plan,
        schedule: Option<&Schedule>,
    ) -> Self {
        Self {
            format: REPRO_FORMAT.into(),
            version: REPRO_VERSION,
            partywall: env!("CARGO_PKG_VERSION").into(),
            level,
            target,
            fingerprint: finding.fingerprint.clone(),
            oracle: finding.oracle,
            summary: finding.summary(),
            story,
            plan,
            schedule: schedule.map(Schedule::to_string),
        }
    }

    /// The file's text.
    pub fn to_file(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("plain data serialises");
        text.push('\n');
        text
    }

    /// Reads a repro file.
    ///
    /// # Errors
    ///
    /// It is not a repro, is of another version, or its plan or schedule cannot be driven.
    pub fn from_file(text: &str) -> Result<Self, CampaignError> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u32,
            partywall: String,
        }
        let not_a_repro = |error: serde_json::Error| {
            CampaignError::usage(format!("not a repro that partywall wrote: {error}"))
        };
        let head: Head = serde_json::from_str(text).map_err(not_a_repro)?;
        if head.format != REPRO_FORMAT {
            return Err(CampaignError::usage(format!("`format` is not `{REPRO_FORMAT}`")));
        }
        if head.version != REPRO_VERSION {
            return Err(CampaignError::usage(format!(
                "repro format {} was written by partywall {}; this one reads format \
                 {REPRO_VERSION}: drive the scenario again, or use the one that wrote it",
                head.version,
                head.partywall.escape_debug()
            )));
        }
        let repro: Self = serde_json::from_str(text).map_err(not_a_repro)?;
        let in_plan = |error| CampaignError::usage(format!("in `plan`: {error}"));
        repro.plan.check().map_err(in_plan)?;
        repro.schedule()?;
        Ok(repro)
    }

    /// Reads a repro file that was named on the command line; the error names it.
    ///
    /// # Errors
    ///
    /// As [`Self::from_file`].
    pub fn from_named_file(path: &Path, text: &str) -> Result<Self, CampaignError> {
        Self::from_file(text).map_err(|error| {
            let remedy = "give a file of the folder `repros` of a run";
            CampaignError::usage(format!("{}: {error}; {remedy}", shown(path)))
        })
    }

    /// The schedule, read.
    ///
    /// # Errors
    ///
    /// It is malformed, or missing in a repro of an explored trial.
    pub fn schedule(&self) -> Result<Schedule, CampaignError> {
        match (&self.schedule, self.level) {
            (Some(text), _) => text
                .parse()
                .map_err(|error| CampaignError::usage(format!("in `schedule`: {error}"))),
            (None, LevelName::Explore) => {
                Err(CampaignError::usage("`schedule` is missing: an explored trial has one"))
            }
            (None, _) => Ok(Schedule::default()),
        }
    }

    /// How small it is, in words.
    pub fn size(&self) -> String {
        let active = self.plan.users.iter().filter(|user| !user.is_bystander()).count();
        let bystanders = self.plan.users.len() - active;
        let starts = self.plan.runs().count();
        let mut text = format!("{active} active users, {starts} runs");
        if bystanders > 0 {
            text.push_str(&format!(", {bystanders} bystander"));
        }
        if let Ok(schedule) = self.schedule()
            && self.schedule.is_some()
        {
            let deviations = schedule.delays();
            let s = if deviations == 1 { "" } else { "s" };
            text.push_str(&format!(", {deviations} deviation{s}"));
        }
        text
    }
}

/// The line that reproduces a finding. A path that a shell would take apart is quoted.
pub fn replay_line(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+');
    if text.chars().all(plain) {
        format!("partywall replay {text}")
    } else {
        format!("partywall replay '{}'", text.replace('\'', r"'\''"))
    }
}
