//! The run folder: everything is written as it goes, so that a killed process loses at most the
//! trial in hand.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use crate::store::error::{CampaignError, Kind, write_whole};
use partywall_core::record::LevelName;

/// A run folder: `<report dir>/runs/<name>/<timestamp>/`, with a link `latest` beside it.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes a new folder; an earlier one is never written to.
    ///
    /// # Errors
    ///
    /// The name is not a plain one, or the folder cannot be made.
    pub fn create(report_dir: &Path, name: &str, now: SystemTime) -> Result<Self, CampaignError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            return Err(CampaignError::usage(format!(
                "`{}` cannot name a run folder; use letters, digits, `-`, `_` and `.`",
                name.escape_debug()
            )));
        }
        let series = report_dir.join("runs").join(name);
        fs::create_dir_all(&series)
            .map_err(|error| CampaignError::storage("make the folder", &series, &error))?;
        let stamp = humantime::format_rfc3339_seconds(now).to_string().replace(':', "-");
        for attempt in 1..1_000 {
            let own = if attempt == 1 { stamp.clone() } else { format!("{stamp}-{attempt}") };
            let path = series.join(&own);
            match fs::create_dir(&path) {
                Ok(()) => {
                    link_latest(&series, &own);
                    return Ok(Self { path });
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(CampaignError::storage("make the folder", &path, &error)),
            }
        }
        Err(CampaignError::new(Kind::Storage, format!("{stamp} is taken a thousand times over")))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where that file of it is.
    pub fn file(&self, relative: &str) -> PathBuf {
        self.path.join(relative)
    }

    /// Writes a whole file, by way of a temporary one: what was there before stays until the new
    /// text is complete.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn write(&self, relative: &str, text: &str) -> Result<PathBuf, CampaignError> {
        let path = self.ready(relative)?;
        write_whole(&path, text)?;
        Ok(path)
    }

    /// Opens a file to append lines to.
    ///
    /// # Errors
    ///
    /// It cannot be opened.
    pub fn lines(&self, relative: &str) -> Result<Lines, CampaignError> {
        let path = self.ready(relative)?;
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.map_err(|error| CampaignError::storage("write", &path, &error))?;
        Ok(Lines { file: Mutex::new(file), path })
    }

    /// Opens a file that is overwritten again and again: the trial in hand.
    ///
    /// # Errors
    ///
    /// It cannot be opened.
    pub(crate) fn in_hand(&self, relative: &str) -> Result<InHand, CampaignError> {
        let path = self.ready(relative)?;
        let file = File::create(&path);
        let file = file.map_err(|error| CampaignError::storage("write", &path, &error))?;
        Ok(InHand { file, path })
    }

    fn ready(&self, relative: &str) -> Result<PathBuf, CampaignError> {
        let path = self.path.join(relative);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .map_err(|error| CampaignError::storage("make the folder", folder, &error))?;
        }
        Ok(path)
    }
}

/// `latest` is a convenience: where links cannot be made there is none.
fn link_latest(series: &Path, own: &str) {
    let latest = series.join("latest");
    let is_link = fs::symlink_metadata(&latest).map(|found| found.file_type().is_symlink());
    if is_link.unwrap_or(false) {
        let _ = fs::remove_file(&latest);
    }
    #[cfg(unix)]
    let _ = std::os::unix::fs::symlink(own, &latest);
    #[cfg(not(unix))]
    let _ = own;
}

/// A file that grows line by line.
#[derive(Debug)]
pub struct Lines {
    file: Mutex<File>,
    path: PathBuf,
}

impl Lines {
    /// Appends a line (its newline included) in one write.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn append(&self, line: &str) -> Result<(), CampaignError> {
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.write_all(line.as_bytes())
            .map_err(|error| CampaignError::storage("write", &self.path, &error))
    }
}

/// What one worker is about to do, on disk before it does it.
#[derive(Debug)]
pub(crate) struct InHand {
    file: File,
    path: PathBuf,
}

impl InHand {
    /// Replaces what was in hand.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(crate) fn take(&mut self, text: &str) -> Result<(), CampaignError> {
        use std::io::Seek;
        self.file
            .rewind()
            .and_then(|()| self.file.write_all(text.as_bytes()))
            .and_then(|()| self.file.set_len(text.len() as u64))
            .map_err(|error| CampaignError::storage("write", &self.path, &error))
    }
}

/// Seconds since 1970; for headers only.
pub fn unix_now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// The folder of one level within the run folder.
pub fn home(side: &str, level: LevelName, scenario: &str) -> String {
    match side {
        "" => format!("{}-{scenario}", level.as_str()),
        side => format!("{side}-{}-{scenario}", level.as_str()),
    }
}
