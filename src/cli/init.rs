//! `partywall init`: a commented starter for a scenario file.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;

use super::ending::Ended;
use super::output;
use crate::campaign::error::CampaignError;
use crate::scenario::{Scenario, starters};
use crate::trial::verdict::ExitCode;

/// The arguments of `init`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The name of a ready scenario; --list shows them
    #[arg(required_unless_present = "list")]
    template: Option<String>,
    /// The file to write [default: TEMPLATE.toml]
    file: Option<PathBuf>,
    /// List the ready scenarios, and write nothing
    #[arg(long, env = "PARTYWALL_LIST", value_parser = BoolishValueParser::new())]
    list: bool,
}

pub(super) fn exec(args: &Args) -> Result<Ended, CampaignError> {
    let Some(template) = args.template.as_ref().filter(|_| !args.list) else {
        output::print(&list());
        let next = "partywall init NAME";
        return Ok(Ended::new(ExitCode::Clean, "listed").next(next));
    };
    let Some((name, text)) = starters().find(|(name, _)| name == template) else {
        let names: Vec<&str> = starters().map(|(name, _)| name).collect();
        return Err(CampaignError::usage(format!(
            "there is no ready scenario `{}`; use one of {}",
            template.escape_debug(),
            names.join(", ")
        )));
    };
    let path = args.file.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.toml")));
    let shown = path.display().to_string();
    let written = OpenOptions::new().write(true).create_new(true).open(&path);
    written.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
        let remedy = "name another file: what is there is not overwritten";
        CampaignError::usage(format!("cannot write `{}`: {error}; {remedy}", shown.escape_debug()))
    })?;
    output::print(&format!("{shown}: edit it, then run `partywall check-scenario {shown}`\n"));
    Ok(Ended::new(ExitCode::Clean, "written").next(format!("partywall check-scenario {shown}")))
}

/// Each name with the title of its scenario.
fn list() -> String {
    let width = starters().map(|(name, _)| name.len()).max().unwrap_or_default();
    let line = |(name, text): (&str, &str)| {
        // The tests parse them all.
        let title = Scenario::parse(text).map(|scenario| scenario.title).unwrap_or_default();
        format!("{name:width$}  {title}\n")
    };
    starters().map(line).collect()
}
