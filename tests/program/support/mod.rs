//! Starts the program and what it talks to; waits for events, never for a length of time.

pub(crate) mod client;
pub(crate) mod desk;
pub(crate) mod hostile;
pub(crate) mod reports;
pub(crate) mod toy;
mod turn;

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub(crate) use turn::Alone;

/// What no step of a test takes unless something hangs.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// Whether the budgets are those of the project's figures, and not what fits into every build.
pub(crate) fn is_thorough() -> bool {
    std::env::var_os("PARTYWALL_THOROUGH_TESTS").is_some()
}

/// A folder of this test's own; removed again unless the test fails.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let own = format!("{name}-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(own);
        std::fs::create_dir_all(&path).expect("the folder of tests can be written");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file and gives its path.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("the folder of tests can be written");
        path
    }

    /// The program with its report going here.
    pub(crate) fn partywall(&self, arguments: &[&str]) -> Command {
        let mut command = partywall(arguments);
        command.arg("--report-dir").arg(&self.0);
        command
    }

    /// The last run folder of that name.
    pub(crate) fn run_folder(&self, name: &str) -> PathBuf {
        self.0.join("runs").join(name).join("latest")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// The program with those arguments and nothing of this process's environment that it reads.
pub(crate) fn partywall(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_partywall"));
    clean_environment(&mut command);
    command.args(arguments);
    command
}

/// Takes out of the environment what the program reads.
pub(crate) fn clean_environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let own = name.to_string_lossy().starts_with("PARTYWALL_");
        if own || ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"].iter().any(|n| name == *n) {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Ran {
    /// Checks the exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        let Self { stdout, stderr, .. } = &self;
        assert_eq!(self.code, Some(code), "stdout:\n{stdout}\nstderr:\n{stderr}");
        self
    }

    /// Checks that the program complained about all of these, in its last line or two.
    #[track_caller]
    pub(crate) fn complains(self, of: &[&str]) -> Self {
        for part in of {
            assert!(self.stderr.contains(part), "no `{part}` in:\n{}", self.stderr);
        }
        self
    }
}

/// Runs the command to its end. Nothing that the program is given makes it panic.
#[track_caller]
pub(crate) fn ran(command: &mut Command) -> Ran {
    started(command).ends()
}

/// A command that goes on.
#[derive(Debug)]
pub(crate) struct Started {
    child: Child,
    output: [Option<JoinHandle<String>>; 2],
    since: Instant,
    _turn: turn::Turn,
}

/// Starts the command; what it prints is gathered meanwhile.
#[track_caller]
pub(crate) fn started(command: &mut Command) -> Started {
    let turn = turn::Turn::new();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let output = [
        child.stdout.take().map(|stream| std::thread::spawn(move || read_all(stream))),
        child.stderr.take().map(|stream| std::thread::spawn(move || read_all(stream))),
    ];
    Started { child, output, since: Instant::now(), _turn: turn }
}

fn read_all(mut stream: impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8(bytes).expect("the program prints UTF-8")
}

impl Started {
    /// Sends a signal, such as `INT`.
    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it is ours to wait for").is_some()
    }

    /// The most memory that it had so far, in KiB.
    #[cfg(target_os = "linux")]
    pub(crate) fn peak_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn ends(mut self) -> Ran {
        let code = wait(&mut self.child);
        let took = self.since.elapsed();
        let [stdout, stderr] = self.output.each_mut().map(|gathered| {
            gathered.take().map_or_else(String::new, |text| text.join().expect("it is UTF-8"))
        });
        assert!(!stderr.contains("panicked at"), "{stderr}");
        assert_ne!(code, Some(101), "{stderr}");
        Ran { code, stdout, stderr, took }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn wait(child: &mut Child) -> Option<i32> {
    let ended = || child.try_wait().expect("it is ours to wait for");
    until("the end of the program", ended).code()
}

#[track_caller]
fn signal(child: &Child, name: &str) {
    let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", child.id())).status();
    assert!(sent.expect("there is a shell").success());
}

/// Asks again and again until there is an answer.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < LIMIT, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A running `partywall serve`.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    pub(crate) first_line: serde_json::Value,
}

impl Server {
    /// Starts it with those call sites migrated, and waits for its first line.
    #[track_caller]
    pub(crate) fn start(migrated: &str) -> Self {
        let mut command = partywall(&["serve", "--port", "0", "--migrated", migrated]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it says its port");
        let first_line: serde_json::Value = serde_json::from_str(&line).expect("the line is JSON");
        let port = first_line["port"].as_u64().and_then(|port| u16::try_from(port).ok());
        Self { child, port: port.expect("a port"), first_line }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Sends a signal and waits for its end.
    #[track_caller]
    pub(crate) fn end_by(mut self, signal_name: &str) -> Option<i32> {
        signal(&self.child, signal_name);
        wait(&mut self.child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
