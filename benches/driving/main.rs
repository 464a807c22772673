//! What it costs to drive and judge, side by side with a bare client that only parses and compares:
//! client CPU-seconds per million events, with the server in a process of its own.
//!
//! `cargo bench --bench driving` gives the cost, and `-- own-server` that of users who speak the same
//! protocol as one that a scenario file describes. `-- idle` and `-- idle own-server`, `-- many` and
//! `-- first` give the memory of idle users, five thousand users at once, and how soon a thousand
//! have their first event (the last against `partywall serve`). `-- soak` drives rounds of
//! `partywall run` for 40 seconds, with `--thorough` for ten minutes, and fails if memory grows. The
//! machine may be shared, so the two clients take turns, and of the ratios of all turns the median
//! counts.

mod bare;
mod figures;
mod plans;
mod server;
mod soak;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use partywall::campaign::budget::Stop;
use partywall::campaign::wire::drive::{drive_plan, user_runtime};
use partywall::oracle::{Case, judge};
use partywall::swarm::Servers;
use partywall::swarm::transport::TargetUrl;
use partywall::trial::canary::Scanner;
use partywall::trial::dialect::Dialect;
use partywall::trial::history::{Ending, History};
use partywall::trial::plan::Plan;
use partywall::world::recorder::Recorder;

/// Simulated users.
const USERS: u32 = 1_000;

/// Runs of each user in the two sizes of which the difference is the cost: connecting falls out.
const RUNS: [u16; 2] = [2, 22];

/// Events of a run.
const EVENTS: usize = 5;

/// How often each is measured; the median counts.
const TIMES: usize = 31;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is = |name: &str| arguments.iter().any(|argument| argument == name);
    partywall::campaign::open_files::raise();
    if is("serve") {
        return server::serve(is("one-write"));
    }
    if is("idle") {
        return figures::idle(is("own-server"));
    }
    if is("many") {
        return figures::many();
    }
    if is("first") {
        return figures::first();
    }
    if is("soak") {
        return soak::soak(is("--thorough"));
    }
    let plan = if is("own-server") { plans::of_own_server } else { |plan| plan };
    for one_write in [true, false] {
        compare(one_write, plan);
    }
}

/// What the harness makes of a plan.
type Speaking = fn(Plan) -> Plan;

fn compare(one_write: bool, speaking: Speaking) {
    let server = Server::start(if one_write { &["serve", "one-write"] } else { &["serve"] });
    let mut bare = Vec::new();
    let mut driven = Vec::new();
    let mut judged = Vec::new();
    for _ in 0..TIMES {
        bare.push(marginal(|runs| (bare_client(&server, runs), Duration::ZERO)).0);
        let (drive, whole) = marginal(|runs| harness(&server, speaking, runs));
        driven.push(drive);
        judged.push(whole);
    }
    // A slow moment of the machine strikes both sides of one turn.
    let ratio = |of: &[f64]| median(of.iter().zip(&bare).map(|(own, bare)| own / bare).collect());
    let ratios = [ratio(&judged), ratio(&driven)];
    let [bare, driven, judged] = [bare, driven, judged].map(median);
    let writes = if one_write { "one write" } else { "five writes" };
    println!(
        "events in {writes}, CPU-seconds per million events: bare client {bare:.2}, driving \
         {driven:.2}, driving and judging {judged:.2}; ratio {:.2} ({:.2} without judging)",
        ratios[0], ratios[1]
    );
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// CPU-seconds per million events of what the measure says first, and of both together.
fn marginal(measure: impl Fn(u16) -> (Duration, Duration)) -> (f64, f64) {
    let [small, large] = RUNS.map(measure);
    let events = f64::from(RUNS[1] - RUNS[0]) * f64::from(USERS) * EVENTS as f64 / 1e6;
    let first = (large.0.as_secs_f64() - small.0.as_secs_f64()) / events;
    (first, first + (large.1.as_secs_f64() - small.1.as_secs_f64()) / events)
}

fn bare_client(server: &Server, runs: u16) -> Duration {
    let plan = plans::chats(USERS, runs);
    let before = cpu_time();
    bare::drive(server.port, &plan);
    cpu_time() - before
}

/// What driving costs, and what judging costs.
fn harness(server: &Server, speaking: Speaking, runs: u16) -> (Duration, Duration) {
    let plan = speaking(plans::chats(USERS, runs));
    let before = cpu_time();
    let (history, _file) = drive(server.port, plan);
    let driven = cpu_time();
    judge_clean(&history, usize::from(runs) * USERS as usize);
    (driven - before, cpu_time() - driven)
}

/// The file that a history went to; it is gone when dropped, which no campaign pays for.
struct Recorded(PathBuf);

impl Drop for Recorded {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Drives as a campaign does, the history going to a file.
fn drive(port: u16, plan: Plan) -> (History, Recorded) {
    let path = std::env::temp_dir().join(format!("partywall-bench-{}.jsonl", std::process::id()));
    let file = std::fs::File::create(&path).expect("a temporary file");
    let runtime = user_runtime().expect("a runtime");
    let servers = Servers::at(TargetUrl::loopback(port));
    let stop = Stop::default();
    let driven = drive_plan(&servers, plan, Recorder::to_file(Box::new(file)), &stop);
    let (history, broken) = runtime.block_on(driven);
    assert!(broken.is_none(), "{broken:?}");
    assert_eq!(history.ending, Some(Ending::Finished));
    (history, Recorded(path))
}

fn judge_clean(history: &History, runs: usize) {
    let scanner = Scanner::new(history.plan.campaign);
    let dialect = Dialect::of(&history.plan);
    let case = Case::with_scanner(history, &dialect, &scanner);
    let judged = judge(&case);
    assert_eq!(judged.findings, [], "the server does not leak");
    let ended = case.messages.iter().filter(|message| message.is_terminal).count();
    assert_eq!(ended, runs, "every run ends");
}

/// CPU time of this thread, from the scheduler's own count.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

/// A server in a process of its own; it ends when dropped.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// This bench again, as the server that only sends.
    fn start(arguments: &[&str]) -> Self {
        Self::of(Command::new(std::env::current_exe().expect("a path")).args(arguments))
    }

    /// The first line of its output has its port.
    fn of(command: &mut Command) -> Self {
        use std::io::BufRead;
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("it is piped");
        std::io::BufReader::new(stdout).read_line(&mut line).expect("it says its port");
        let said: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let port = said["port"].as_u64().and_then(|port| port.try_into().ok()).expect("a port");
        Self { child, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
