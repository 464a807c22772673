//! `partywall generate`: shell completions and man pages, from the definition of the command line.

use std::path::PathBuf;

use clap::{CommandFactory, ValueEnum};
use clap_complete::Shell;

use super::ending::Ended;
use super::output;
use crate::campaign::error::CampaignError;
use crate::trial::verdict::ExitCode;

/// The arguments of `generate`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to generate; completions go to standard output
    #[arg(value_name = "WHAT", value_enum)]
    what: What,
    /// The folder for man pages
    #[arg(value_name = "DIR", default_value = "man")]
    folder: PathBuf,
}

/// What can be generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Completions for Bash
    Bash,
    /// Completions for Elvish
    Elvish,
    /// Completions for fish
    Fish,
    /// Completions for PowerShell
    Powershell,
    /// Completions for Zsh
    Zsh,
    /// A man page for each command, in DIR
    Man,
}

impl What {
    /// The shell to complete for; none for man pages.
    fn shell(self) -> Option<Shell> {
        Some(match self {
            Self::Bash => Shell::Bash,
            Self::Elvish => Shell::Elvish,
            Self::Fish => Shell::Fish,
            Self::Powershell => Shell::PowerShell,
            Self::Zsh => Shell::Zsh,
            Self::Man => return None,
        })
    }
}

pub(super) fn exec(args: &Args) -> Result<Ended, CampaignError> {
    let mut command = super::Cli::command();
    let Some(shell) = args.what.shell() else {
        let folder = &args.folder;
        std::fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(command, folder))
            .map_err(|error| {
                let folder = folder.display();
                CampaignError::usage(format!("cannot write man pages to {folder}: {error}"))
            })?;
        let folder = folder.display();
        return Ok(Ended::new(ExitCode::Clean, "man pages written")
            .next(format!("man -l {folder}/partywall.1")));
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, "partywall", &mut text);
    output::print(&String::from_utf8_lossy(&text));
    Ok(Ended::with_text())
}
