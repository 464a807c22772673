//! Saved repros on the command line: where they are, and whether new ones are added.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;

use super::common::stands;
use super::ending::Ended;
use super::output;
use crate::campaign::error::CampaignError;
use crate::campaign::regressions::{self, FOLDER};
use crate::campaign::repro::Repro;

/// The flags.
#[derive(Debug, clap::Args)]
pub(super) struct SavedArgs {
    /// The folder of saved repros, which are replayed before anything else
    #[arg(long, env = "PARTYWALL_REGRESSIONS", value_name = "DIR", default_value = FOLDER)]
    regressions: PathBuf,
    /// Save the repro of each finding there, to be committed
    #[arg(long, env = "PARTYWALL_SAVE_REGRESSIONS", value_parser = BoolishValueParser::new())]
    save_regressions: bool,
}

impl SavedArgs {
    /// The saved repros, read before anything is driven.
    pub(super) fn load(&self) -> Result<Vec<(PathBuf, Repro)>, CampaignError> {
        regressions::load(&self.regressions)
    }

    /// Saves what was found, if that was asked for. Not on CI, where nothing that is to be
    /// committed is written.
    fn save(&self, repros: &[Repro]) -> Result<(), CampaignError> {
        if !self.save_regressions || repros.is_empty() {
            return Ok(());
        }
        let folder = self.regressions.display().to_string();
        let folder = folder.escape_debug();
        if std::env::var_os("CI").is_some_and(|value| !value.is_empty()) {
            output::complain(&format!("not saved in `{folder}`, since CI is set"));
            return Ok(());
        }
        for repro in repros {
            regressions::save(&self.regressions, repro)?;
        }
        output::complain(&format!("{} repros saved in `{folder}`", repros.len()));
        Ok(())
    }

    /// The same beside a report, which is written whether they can be saved or not.
    pub(super) fn save_beside(
        &self,
        repros: &[Repro],
        report: impl FnOnce() -> Result<Ended, CampaignError>,
    ) -> Result<Ended, CampaignError> {
        let saved = self.save(repros);
        stands(report()?, saved.err())
    }
}
