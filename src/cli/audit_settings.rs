//! Settings of an audit that stand in a file: the same keys as the flags, which override them.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::audit::Args;
use crate::audit::settings::{OWN, PROJECT, Settings};
use crate::campaign::error::CampaignError;

/// The arguments with what the settings add: those of `--config`, or else of the first file that is
/// there, in the folder that is searched and then in the current one.
///
/// # Errors
///
/// A file cannot be read, or says something that is no setting.
pub(super) fn with_settings(args: &Args) -> Result<Args, CampaignError> {
    let found = match &args.config {
        Some(path) => {
            Some(read(path)?.unwrap_or_default()).map(|settings| (settings, path.clone()))
        }
        None => found(&args.path)?,
    };
    let Some((settings, path)) = found else { return Ok(args.clone()) };
    merged(args.clone(), settings, &path)
}

fn found(root: &Path) -> Result<Option<(Settings, PathBuf)>, CampaignError> {
    for folder in [root, Path::new("")] {
        for name in [OWN, PROJECT] {
            let path = folder.join(name);
            if path.is_file()
                && let Some(settings) = read(&path)?
            {
                return Ok(Some((settings, path)));
            }
        }
    }
    Ok(None)
}

/// What a file says, if it says anything of an audit.
fn read(path: &Path) -> Result<Option<Settings>, CampaignError> {
    let shown = path.display().to_string().escape_debug().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        CampaignError::usage(format!("cannot read {shown}: {error}; name a file that is there"))
    })?;
    let is_project = path.file_name().is_some_and(|name| name == PROJECT);
    Settings::of_file(&text, is_project)
        .map_err(|error| CampaignError::usage(format!("{shown}: {error}")))
}

fn merged(mut args: Args, settings: Settings, path: &Path) -> Result<Args, CampaignError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let beside = |path: PathBuf| folder.join(path);
    let is_named = args.symbol.is_some() || args.symbols.is_some();
    if !is_named {
        args.symbols = settings.symbols.map(beside);
        args.symbol = settings.symbol;
    }
    if args.replacement.is_none() && !is_named {
        args.replacement = settings.replacement;
    }
    args.find_singletons |= settings.find_singletons;
    args.include_generated |= settings.include_generated;
    if args.test_pattern.is_empty() {
        args.test_pattern = settings.test_pattern;
    }
    if args.context.is_empty() {
        args.context = settings.context;
    }
    // What is not searched adds up: a flag leaves out more.
    args.exclude.extend(settings.exclude);
    args.baseline = args.baseline.or_else(|| settings.baseline.map(beside));
    args.format = or(args.format, "format", settings.format, path)?;
    args.fail_on = or(args.fail_on, "fail-on", settings.fail_on, path)?;
    args.scope = or(args.scope, "scope", settings.scope, path)?;
    Ok(args)
}

/// What the flag says, or else the file.
fn or<T: ValueEnum>(
    flag: Option<T>,
    key: &str,
    given: Option<String>,
    path: &Path,
) -> Result<Option<T>, CampaignError> {
    let (None, Some(given)) = (&flag, given) else { return Ok(flag) };
    let known = T::from_str(&given, false).map_err(|_| {
        let names = T::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let names: Vec<String> = names.map(|name| format!("\"{}\"", name.get_name())).collect();
        CampaignError::usage(format!(
            "{}: {key} = \"{}\" is not known; use {}",
            path.display().to_string().escape_debug(),
            given.escape_debug(),
            names.join(", ")
        ))
    });
    known.map(Some)
}
