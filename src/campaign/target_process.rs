//! The reference back end as a process of its own: this program, started as `serve --port 0`.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use serde::Deserialize;

use super::error::{CampaignError, Kind};
use super::subject::Reference;
use crate::swarm::Servers;
use crate::swarm::transport::TargetUrl;

/// How long the server may take to say its port.
const START_LIMIT: Duration = Duration::from_secs(20);

/// A started server; it ends when this is dropped, and also when this process is killed, since it
/// serves only as long as its standard input stays open.
#[derive(Debug)]
pub struct TargetProcess {
    child: Child,
    url: TargetUrl,
}

/// The first line on the standard output of `serve`.
#[derive(Debug, Deserialize)]
struct Ready {
    port: u16,
}

impl TargetProcess {
    /// Starts `program serve --port 0` as that reference back end; what it prints to its
    /// standard error goes to the log.
    ///
    /// # Errors
    ///
    /// It cannot be started, or does not say its port.
    pub fn start(
        program: &Path,
        reference: Reference,
        log: PathBuf,
    ) -> Result<Self, CampaignError> {
        let failed = |what: &str| {
            let text = format!(
                "`{} serve` {what}; its messages are in {}",
                program.display(),
                log.display()
            );
            CampaignError::new(Kind::Target, text)
        };
        let errors =
            File::create(&log).map_err(|error| CampaignError::storage("write", &log, &error))?;
        let mut command = Command::new(program);
        if let Some(defect) = reference.defect {
            command.arg("serve").args(["--defect", &defect.to_string()]);
        } else {
            command.arg("serve");
        }
        let mut child = command
            .args(["--port", "0", "--until-stdin-closes", "--migrated"])
            .arg(reference.migration.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(|error| failed(&format!("could not be started: {error}")))?;
        let output = child.stdout.take();
        let mut this = Self { child, url: TargetUrl::loopback(0) };
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let mut first = String::new();
            if let Some(output) = output {
                let mut output = BufReader::new(output);
                let _ = output.read_line(&mut first);
                let _ = sender.send(first);
                // Goes on reading, so that the server never waits for room in the pipe.
                let _ = std::io::copy(&mut output, &mut std::io::sink());
            }
        });
        let first = lines.recv_timeout(START_LIMIT).map_err(|_| failed("did not say its port"))?;
        let ready: Ready =
            serde_json::from_str(&first).map_err(|_| failed("did not say its port"))?;
        this.url = TargetUrl::loopback(ready.port);
        Ok(this)
    }

    /// The same for those who drive it.
    pub fn servers(&self) -> Arc<Servers> {
        Servers::at(self.url.clone())
    }

    /// Where it serves.
    pub fn url(&self) -> &TargetUrl {
        &self.url
    }
}

impl Drop for TargetProcess {
    fn drop(&mut self) {
        // Closing its input asks it to end; killing it makes sure.
        if let Some(mut input) = self.child.stdin.take() {
            let _ = input.flush();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
