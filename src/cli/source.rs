//! What a sign-off is told besides what it drives: what the source still has, and which states of
//! the migration leak.

use std::path::{Path, PathBuf};

use clap::builder::BoolishValueParser;

use super::audit::{ScopeName, read_audit};
use super::report;
use crate::campaign::error::{CampaignError, shown};
use crate::trial::audit::{AuditRecord, Scope};
use crate::trial::migration::MigrationRecord;
use crate::trial::record::Record;
use crate::trial::verdict::{ExitCode, Outcome, Reason, ReasonCode};

/// The arguments that name it.
#[derive(Debug, clap::Args)]
pub(super) struct SourceArgs {
    /// An audit in JSON, to stand in the report
    #[arg(long, env = "PARTYWALL_AUDIT", value_name = "FILE")]
    audit: Option<PathBuf>,
    /// What `partywall migration` came to: its run folder or report.json
    #[arg(long, env = "PARTYWALL_MIGRATION", value_name = "FOLDER")]
    migration: Option<PathBuf>,
    /// Fail where the audit has call sites left
    #[arg(long, env = "PARTYWALL_REQUIRE_MIGRATED", value_parser = BoolishValueParser::new(), requires = "audit")]
    require_migrated: bool,
    /// The code in which no call site may be left
    #[arg(
        long,
        env = "PARTYWALL_SCOPE",
        value_name = "SCOPE",
        value_enum,
        default_value_t,
        requires = "require_migrated"
    )]
    scope: ScopeName,
}

/// What they name, read.
#[derive(Debug)]
pub(super) struct FromSource {
    audit: Option<AuditRecord>,
    migration: Option<MigrationRecord>,
    must_be_migrated: Option<Scope>,
}

impl SourceArgs {
    /// Reads what is named.
    pub(super) fn read(&self) -> Result<FromSource, CampaignError> {
        Ok(FromSource {
            audit: self.audit.as_deref().map(read_audit).transpose()?,
            migration: self.migration.as_deref().map(matrix).transpose()?,
            must_be_migrated: self.require_migrated.then(|| self.scope.scope()),
        })
    }
}

impl FromSource {
    /// Puts it into the record, and into its verdict where that asks for it.
    pub(super) fn stands_in(self, record: &mut Record) {
        let Self { audit, migration, must_be_migrated } = self;
        if let (Some(audit), Some(scope)) = (&audit, must_be_migrated) {
            require_migrated(record, audit, scope);
        }
        (record.audit, record.migration) = (audit, migration);
    }
}

/// The matrix of a report that `migration` wrote.
fn matrix(path: &Path) -> Result<MigrationRecord, CampaignError> {
    let path = report::file_of(path);
    report::read(&path)?.migration.ok_or_else(|| {
        let remedy = "name a run folder of `partywall migration`";
        CampaignError::usage(format!("{} has no states in it; {remedy}", shown(&path)))
    })
}

/// What is left in the source counts as much as what was seen: only a leak or an interruption
/// weighs more.
fn require_migrated(record: &mut Record, audit: &AuditRecord, scope: Scope) {
    let left = audit.remaining_in(scope).count();
    let (files, skipped) = (audit.files.found, audit.files.skipped.len());
    if left == 0 && files > 0 && skipped == 0 {
        return;
    }
    let reason = if left == 0 {
        // What was not searched may hold one.
        if record.verdict == Outcome::Fixed {
            record.verdict = Outcome::Inconclusive;
        }
        let text = format!(
            "whether call sites remain is not shown: of {files} source files {skipped} could not \
             be searched"
        );
        Reason::new(ReasonCode::PreconditionNotMet, text)
    } else {
        if record.verdict != Outcome::StillLeaks {
            record.verdict = Outcome::NotMigrated;
        }
        let sites = if left == 1 { "call site remains" } else { "call sites remain" };
        let text =
            format!("{left} {sites} in {}; `--require-migrated` allows none", scope.as_str());
        Reason::new(ReasonCode::CallSitesRemain, text)
    };
    record.reasons.insert(0, reason);
    record.exit_code = ExitCode::of(record.verdict, &record.reasons);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::json;
    use crate::trial::audit::{AUDIT_VERSION, FilesRow, SkippedFile};

    fn audit(found: u64, skipped: &[&str]) -> AuditRecord {
        let skip = |path: &&str| SkippedFile { path: (*path).into(), why: "too long".into() };
        let skipped = skipped.iter().map(skip).collect();
        AuditRecord {
            audit_version: AUDIT_VERSION,
            partywall: String::new(),
            root: "app".into(),
            symbols: Vec::new(),
            files: FilesRow { found, skipped, ..FilesRow::default() },
            uses: Vec::new(),
            searched_singletons: false,
            suspects: Vec::new(),
            compared: None,
        }
    }

    #[test]
    fn what_was_not_searched_is_not_known_to_be_migrated() {
        let sample = include_str!("../../reports/sample/report.json");
        let judged = |verdict, audit: AuditRecord| {
            let mut record = json::read(sample).expect("the sample");
            (record.verdict, record.reasons) = (verdict, Vec::new());
            require_migrated(&mut record, &audit, Scope::App);
            (record.verdict, record.reasons.len())
        };
        assert_eq!(judged(Outcome::Fixed, audit(3, &[])), (Outcome::Fixed, 0));
        assert_eq!(judged(Outcome::Fixed, audit(3, &["a.py"])), (Outcome::Inconclusive, 1));
        assert_eq!(judged(Outcome::Fixed, audit(0, &[])), (Outcome::Inconclusive, 1));
        assert_eq!(judged(Outcome::StillLeaks, audit(0, &[])), (Outcome::StillLeaks, 1));
    }
}
