//! `partywall shrink`: a repro, made as small as it goes.

use std::path::PathBuf;

use super::common::quoted_line;
use super::output;
use crate::campaign::budget::Stop;
use crate::campaign::error::{CampaignError, read_text, write_whole};
use crate::campaign::repro::Repro;
use crate::campaign::shrink::shrink_repro;
use crate::trial::verdict::ExitCode;

/// The arguments of `shrink`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The repro file, of an explored trial
    file: PathBuf,
    /// Where the small one goes [default: FILE with the extension `small.json`]
    #[arg(long, env = "PARTYWALL_OUTPUT", value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn exec(args: &Args) -> Result<ExitCode, CampaignError> {
    let repro = Repro::from_named_file(&args.file, &read_text(&args.file)?)?;
    let reference = repro.reference()?.ok_or_else(|| {
        CampaignError::usage("only repros of the reference back end are shrunk by this command")
    })?;
    let Some(small) = shrink_repro(&repro, &reference, &Stop::default())? else {
        output::print(
            "GONE: the back end does not show this finding any more; nothing to shrink\n",
        );
        return Ok(ExitCode::Clean);
    };
    let path = args.output.clone().unwrap_or_else(|| args.file.with_extension("small.json"));
    write_whole(&path, &small.to_file())?;
    output::print(&format!(
        "before: {}\nafter:  {}\nReproduce with: {}\n",
        repro.size(),
        small.size(),
        quoted_line(&path)
    ));
    Ok(ExitCode::Leaked)
}
