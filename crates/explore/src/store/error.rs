//! What can go wrong around a campaign, as opposed to what it finds.

use std::fmt;
use std::path::{Path, PathBuf};

use partywall_core::verdict::{ExitCode, ReasonCode};

/// An error with the place and the remedy in its text.
#[derive(Debug)]
pub struct CampaignError {
    kind: Kind,
    text: String,
}

/// What kind of error it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Something that was given cannot be used.
    Usage,
    /// A file or folder cannot be read or written.
    Storage,
    /// The server that was to be started did not start.
    Target,
    /// partywall itself is at fault.
    Internal,
}

impl CampaignError {
    /// An error of that kind; the text names the place and the remedy.
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    /// Something that was given cannot be used; the text names the place and the remedy.
    pub fn usage(text: impl Into<String>) -> Self {
        Self::new(Kind::Usage, text)
    }

    /// A scenario that cannot be driven as it was asked for.
    pub fn in_scenario(error: impl fmt::Display) -> Self {
        Self::usage(error.to_string())
    }

    /// What only a test can drive.
    pub fn of_code(name: &str) -> Self {
        Self::usage(format!(
            "this repro is of code in a test, `{}`; run that test, which replays its saved repros \
             first",
            name.escape_debug()
        ))
    }

    /// A file or folder that cannot be read or written, with the remedy.
    pub fn storage(what: &str, path: &Path, error: &std::io::Error) -> Self {
        let remedy = match what {
            "read" => "name a file that partywall wrote",
            _ => "give a folder with room that may be written, by --report-dir",
        };
        Self::new(Kind::Storage, format!("cannot {what} {}: {error}; {remedy}", shown(path)))
    }

    /// What kind of error it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Under which code it stands among the reasons of a report, where it came after something was
    /// seen that must be told.
    pub fn reason_code(&self) -> ReasonCode {
        match self.kind {
            Kind::Target | Kind::Usage => ReasonCode::TargetUnreachable,
            Kind::Storage | Kind::Internal => ReasonCode::HistoryCut,
        }
    }

    /// The exit code that goes with it.
    pub fn exit_code(&self) -> ExitCode {
        match self.kind {
            Kind::Usage | Kind::Storage => ExitCode::Usage,
            Kind::Target => ExitCode::Inconclusive,
            Kind::Internal => ExitCode::Internal,
        }
    }
}

impl fmt::Display for CampaignError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl std::error::Error for CampaignError {}

/// A path as it is shown: file names may hold control characters.
pub fn shown(path: &Path) -> String {
    format!("`{}`", path.display().to_string().escape_debug())
}

/// Reads a file that may have been cut short anywhere: half a character at its end is left out.
///
/// # Errors
///
/// It is not there, or is not UTF-8 text.
pub fn read_cut_text(path: &PathBuf) -> Result<String, CampaignError> {
    let mut bytes = std::fs::read(path).map_err(|e| CampaignError::storage("read", path, &e))?;
    if let Err(error) = std::str::from_utf8(&bytes)
        && error.error_len().is_none()
    {
        bytes.truncate(error.valid_up_to());
    }
    String::from_utf8(bytes).map_err(|error| {
        let error = std::io::Error::new(std::io::ErrorKind::InvalidData, error.utf8_error());
        CampaignError::storage("read", path, &error)
    })
}

/// Writes a whole file, by way of a temporary one.
///
/// # Errors
///
/// It cannot be written.
pub fn write_whole(path: &Path, text: &str) -> Result<(), CampaignError> {
    let partial = path.with_extension("partial");
    std::fs::write(&partial, text)
        .and_then(|()| std::fs::rename(&partial, path))
        .map_err(|error| CampaignError::storage("write", path, &error))
}

/// Reads a file that was named on the command line.
///
/// # Errors
///
/// It is not there, or is not UTF-8 text.
pub fn read_text(path: &PathBuf) -> Result<String, CampaignError> {
    std::fs::read_to_string(path).map_err(|error| CampaignError::storage("read", path, &error))
}
