//! `partywall init`: a commented starter for a scenario file.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use super::output;
use crate::campaign::error::CampaignError;
use crate::scenario::TEMPLATES;
use crate::trial::verdict::ExitCode;

/// The arguments of `init`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// chat-websocket, sse-chat, json-rpc, http-only or chat-migration
    template: String,
    /// The file to write [default: TEMPLATE.toml]
    file: Option<PathBuf>,
}

pub(super) fn exec(args: &Args) -> Result<ExitCode, CampaignError> {
    let Some((name, text)) = TEMPLATES.iter().find(|(name, _)| *name == args.template) else {
        let names: Vec<&str> = TEMPLATES.iter().map(|(name, _)| *name).collect();
        return Err(CampaignError::usage(format!(
            "there is no template `{}`; there are {}",
            args.template.escape_debug(),
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
    output::print(&format!("{shown}: change it, then `partywall check-scenario {shown}`\n"));
    Ok(ExitCode::Clean)
}
