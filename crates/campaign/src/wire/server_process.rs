//! One process of a server: started, waited for, and ended with its children.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use partywall_core::hidden::Secrets;
use partywall_core::template::{fill, plain};
use partywall_drive::scenario::Server;
use partywall_drive::transport::Servers;
use partywall_explore::store::budget::Stop;
use partywall_explore::store::error::{CampaignError, Kind};

/// How often it is looked whether a started server is ready.
const LOOK_INTERVAL: Duration = Duration::from_millis(25);
/// How long a server that is asked to end may take.
const END_LIMIT: Duration = Duration::from_secs(2);
/// How much of a server's output is told where it does not start: at most so many bytes and lines.
const LAST_WORDS: usize = 1200;
const LAST_LINES: usize = 6;

/// A started process; it ends with its children when this is dropped, and what it printed is kept,
/// without secrets.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    child: Child,
    log: PathBuf,
    secrets: Secrets,
}

impl ServerProcess {
    /// Starts the command for that port and waits until it is ready; its output is added to the log.
    pub(crate) fn start(
        target: &Server,
        given: &Servers,
        port: u16,
        log: &Path,
        stop: &Stop,
    ) -> Result<Self, CampaignError> {
        let child = spawn(target, given, port, log)?;
        let mut own = Self { child, log: log.to_owned(), secrets: Secrets::new(&given.secrets()) };
        own.await_ready(target, port, stop)?;
        Ok(own)
    }

    fn await_ready(
        &mut self,
        target: &Server,
        port: u16,
        stop: &Stop,
    ) -> Result<(), CampaignError> {
        let limit = Duration::from_secs(target.ready_seconds.max(1).into());
        let began = Instant::now();
        // What speaks TLS is asked nothing: its port must accept.
        let secure = target.urls.iter().any(|url| url.starts_with("https:"));
        let path = target.ready.as_deref().filter(|_| !secure);
        while !is_ready(port, path) {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.failed(target, &format!("ended before it was ready ({status})")));
            }
            if began.elapsed() > limit || stop.reason().is_some() {
                let what = format!("was not ready on port {port} after {limit:?}");
                return Err(self.failed(target, &what));
            }
            std::thread::sleep(LOOK_INTERVAL);
        }
        Ok(())
    }

    fn failed(&self, target: &Server, what: &str) -> CampaignError {
        let words = self.secrets.without(&last_words(&self.log));
        let text = format!(
            "`{}` {what}; its output is in {}{words}",
            target.command.join(" "),
            self.log.display(),
        );
        CampaignError::new(Kind::Target, text)
    }
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> Result<u16, CampaignError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|own| own.local_addr());
    listener.map(|address| address.port()).map_err(|error| {
        CampaignError::new(Kind::Target, format!("there is no free port on 127.0.0.1: {error}"))
    })
}

fn spawn(target: &Server, given: &Servers, port: u16, log: &Path) -> Result<Child, CampaignError> {
    let values = |name: &str| match name {
        "port" => Some(port.to_string()),
        "upstream.url" => given.upstream.as_ref().map(|upstream| upstream.url().to_owned()),
        name => given.environment.get(name.strip_prefix("env.")?).cloned(),
    };
    let filled = |text: &String| {
        let usage = |problem| CampaignError::usage(format!("in `[target]`: {problem}"));
        fill(text, &values, plain).map_err(usage)
    };
    let mut parts = target.command.iter().map(filled).collect::<Result<Vec<_>, _>>()?.into_iter();
    let program = parts.next().unwrap_or_default();
    let storage = |error: std::io::Error| CampaignError::storage("write", log, &error);
    let output = File::options().create(true).append(true).open(log).map_err(storage)?;
    let errors = output.try_clone().map_err(storage)?;
    let mut command = Command::new(&program);
    let input = if target.ends_with_input { Stdio::piped() } else { Stdio::null() };
    command.args(parts).stdin(input).stdout(output).stderr(errors);
    for (name, value) in &target.env {
        command.env(name, filled(value)?);
    }
    if let Some(folder) = &target.cwd {
        command.current_dir(PathBuf::from(folder));
    }
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().map_err(|error| {
        let shown = program.escape_debug();
        let remedy = "check `command` and `cwd` in `[target]`";
        CampaignError::usage(format!("`{shown}` could not be started: {error}; {remedy}"))
    })
}

/// Whether its port accepts, and answers where a path is given.
fn is_ready(port: u16, path: Option<&str>) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) else {
        return false;
    };
    let Some(path) = path else { return true };
    let request = format!("GET {path} HTTP/1.0\r\nhost: 127.0.0.1\r\n\r\n");
    let mut head = [0_u8; 12];
    let asked = stream
        .set_read_timeout(Some(Duration::from_secs(2)))
        .and_then(|()| stream.write_all(request.as_bytes()))
        .and_then(|()| stream.read_exact(&mut head));
    asked.is_ok() && head.get(9).is_some_and(|digit| (b'1'..b'5').contains(digit))
}

/// The last whole lines of the log, each on a line of its own.
fn last_words(log: &Path) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let from = bytes.len().saturating_sub(LAST_WORDS);
    let text = String::from_utf8_lossy(&bytes[from..]);
    // Where something was cut off, so was the first line.
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    if from > 0 && lines.len() > 1 {
        lines.remove(0);
    }
    lines.retain(|line| !line.is_empty());
    let last = lines.iter().skip(lines.len().saturating_sub(LAST_LINES));
    let words: String = last.flat_map(|line| ["\n  ", line]).collect();
    if words.is_empty() { words } else { format!("; it ends:{words}") }
}

/// Sends the signal to the whole process group.
fn signal(child: &Child, name: &str) {
    #[cfg(unix)]
    {
        let group = format!("-{}", child.id());
        let kill = Command::new("kill")
            .args(["-s", name, "--", &group])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        // It may have ended by itself.
        let _ = kill;
    }
    #[cfg(not(unix))]
    let _ = (child, name);
}

/// Takes the secrets out of what was printed, line by line.
fn redact(log: &Path, secrets: &Secrets) -> std::io::Result<()> {
    let partial = log.with_extension("partial");
    let mut lines = BufReader::new(File::open(log)?);
    let mut kept = BufWriter::new(File::create(&partial)?);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        kept.write_all(secrets.without(&text).as_bytes())?;
        line.clear();
    }
    kept.flush()?;
    std::fs::rename(partial, log)
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Where its input was kept open, it ends by this.
        drop(self.child.stdin.take());
        signal(&self.child, "TERM");
        let asked = Instant::now();
        while asked.elapsed() < END_LIMIT && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(LOOK_INTERVAL);
        }
        // Children may outlive their parent: the group is ended in any case.
        signal(&self.child, "KILL");
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !self.secrets.is_empty() && redact(&self.log, &self.secrets).is_err() {
            // Better no log than one with a secret in it.
            let _ = std::fs::remove_file(&self.log);
        }
    }
}
