//! A repro: the plan and the schedule of one finding, as a file that replays it.

use serde::{Deserialize, Serialize};

use std::fmt;
use std::path::Path;

use super::error::{CampaignError, shown};
use super::subject::Reference;
use crate::scenario::ServerTarget;
use crate::trial::finding::{Finding, Fingerprint, OracleId};
use crate::trial::plan::Plan;
use crate::trial::record::LevelName;
use crate::trial::schedule::Schedule;

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

/// What a repro is driven against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// The reference back end with those call sites migrated, as `--migrated` takes them.
    Reference {
        /// `none`, `all`, or call sites.
        migrated: String,
        /// The defect that was switched on, as `--defect` takes it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        defect: Option<String>,
    },
    /// Somebody's own code, explored in its own tests.
    Code {
        /// What its author calls it.
        name: String,
    },
    /// A server of somebody's own, as its scenario says where it is or how it is started.
    Server {
        /// That.
        target: Box<ServerTarget>,
    },
    /// A server by URL.
    Url {
        /// The URL.
        url: String,
    },
}

impl Target {
    /// Whether partywall plays its upstream and must be told whose account each call comes under.
    pub(super) fn has_judged_upstream(&self) -> bool {
        let Self::Server { target } = self else { return false };
        target.upstream.as_ref().is_some_and(|upstream| upstream.judged)
    }

    /// What it is, in a few words.
    pub fn in_words(&self) -> String {
        match self {
            Self::Reference { migrated, defect } => {
                let defect = defect.as_ref().map(|defect| format!(", with defect {defect}"));
                let defect = defect.unwrap_or_default();
                format!("reference back end, migrated {migrated}{defect}")
            }
            Self::Code { name } => format!("code in a test, `{name}`"),
            Self::Url { url } => format!("the server at {url}"),
            Self::Server { target } if target.command.is_empty() => {
                format!("the server at {}", target.urls.join(", "))
            }
            Self::Server { target } => format!("`{}`", target.command.join(" ")),
        }
    }
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
        repro.reference()?;
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

    /// The reference back end that it is of; none for another target.
    ///
    /// # Errors
    ///
    /// A call site or the defect is unknown.
    pub fn reference(&self) -> Result<Option<Reference>, CampaignError> {
        let in_target =
            |error: &dyn fmt::Display| CampaignError::usage(format!("in `target`: {error}"));
        let Target::Reference { migrated, defect } = &self.target else { return Ok(None) };
        let migration = migrated.parse().map_err(|error| in_target(&error))?;
        let defect = defect.as_deref().map(str::parse).transpose();
        Ok(Some(Reference { migration, defect: defect.map_err(|error| in_target(&error))? }))
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
