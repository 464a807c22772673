//! The example target in Python: clean it keeps two users apart, with `--leak` it does not. Without
//! `python3` the tests say so and pass.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use partywall::upstream::{Account, Log, Options, Order, Upstream};

struct Python(Child);

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn python() -> Option<&'static str> {
    let there = Command::new("python3").arg("--version").output();
    let there = there.is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("skipped: there is no python3 to start the example with");
    }
    there.then_some("python3")
}

fn start(python: &str, upstream: &Upstream, leak: bool) -> (Python, u16) {
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/examples/python-chat/server.py");
    let mut command = Command::new(python);
    command.arg(script).args(leak.then_some("--leak"));
    command.env("OPENAI_BASE_URL", upstream.openai_url()).stdout(Stdio::piped());
    let mut child = Python(command.spawn().expect("python3 starts"));
    let mut line = String::new();
    let stdout = child.0.stdout.as_mut().expect("it is piped");
    BufReader::new(stdout).read_line(&mut line).expect("it says its port");
    let said: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    let port = said["port"].as_u64().and_then(|port| port.try_into().ok()).expect("a port");
    (child, port)
}

/// Sends a chat and waits for its first event: from then on the server works on it.
fn begin(port: u16, who: &str, text: &str) -> (BufReader<TcpStream>, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("an option");
    let body = format!(r#"{{"id":"1","message":"{text}"}}"#);
    let head = format!("POST /chat HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {who}-key\r\n");
    let whole = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(whole.as_bytes()).expect("it is taken");
    (BufReader::new(stream), String::new())
}

/// Both start, and the calls of the model are held until both are there.
fn two_users(python: &str, leak: bool) -> ([String; 2], Log) {
    let mut options = Options::default();
    (options.order, options.hold) = (Order::Held(2), Duration::from_secs(60));
    let upstream = Upstream::start(options).expect("a free port");
    upstream.know(&[
        Account::new(&"alice".into(), Some("alice-key")),
        Account::new(&"bob".into(), Some("bob-key")),
    ]);
    let (_server, port) = start(python, &upstream, leak);
    let answers = [("alice", "A-said"), ("bob", "B-said")]
        .map(|(who, text)| begin(port, who, text))
        .map(|(mut reader, mut answer)| {
            reader.read_to_string(&mut answer).expect("it ends");
            answer
        });
    (answers, upstream.take_log())
}

#[test]
fn a_clean_one_answers_each_with_what_they_asked() {
    let Some(python) = python() else { return };
    let ([alice, bob], log) = two_users(python, false);
    assert!(alice.contains("A-said") && !alice.contains("B-said"), "{alice}");
    assert!(bob.contains("B-said") && !bob.contains("A-said"), "{bob}");
    for answer in [alice, bob] {
        assert_eq!(answer.matches("event: piece").count(), 5, "{answer}");
        assert!(answer.contains("event: done"), "{answer}");
    }
    let asked = log.calls.iter().filter(|call| call.text.contains("-said"));
    for call in asked {
        let own = if call.text.contains("A-said") { "alice" } else { "bob" };
        assert_eq!(call.accounts, [own.into()], "{call:?}");
    }
    assert_eq!(log.calls.len(), 4);
}

#[test]
fn a_leaking_one_asks_what_the_last_one_said() {
    let Some(python) = python() else { return };
    // Both are in the slot before either is answered for the first time.
    let ([alice, bob], log) = two_users(python, true);
    assert_ne!(alice.contains("A-said"), bob.contains("B-said"), "{alice}{bob}");
    let said = |text: &str| log.calls.iter().filter(|call| call.text.contains(text)).count();
    assert!([(0, 2), (2, 0)].contains(&(said("A-said"), said("B-said"))), "{log:?}");
}

/// By its scenario file: the program starts the server, drives it and ends it.
#[test]
fn its_scenario_is_clean_and_with_the_leak_it_is_not() {
    let Some(_) = python() else { return };
    let mut options = Options::default();
    // It answers in pieces that take their time, so that runs overlap.
    options.gap = Duration::from_millis(10);
    let upstream = Upstream::start(options).expect("a free port");
    let own = "scenarios/examples/python-chat/scenario.toml";
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(own));
    let leaky =
        text.expect("the scenario").replacen("\"{{ port }}\"]", "\"{{ port }}\", \"--leak\"]", 1);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python_chat");
    std::fs::create_dir_all(&folder).expect("it can be made");
    let file = folder.join("leaky.toml");
    std::fs::write(&file, leaky).expect("it can be written");
    for (file, code, says) in [(Path::new(own), 0, "CLEAN"), (&file, 1, "LEAKED")] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_partywall"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PARTYWALL_") {
                command.env_remove(name);
            }
        }
        command.env("OPENAI_BASE_URL", upstream.openai_url());
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        command.arg("run").arg(file).args(["--users", "8", "--rounds", "3", "--report-dir"]);
        let ran = command.arg(&folder).output().expect("the program starts");
        let told = String::from_utf8_lossy(&ran.stdout);
        let all = format!("{told}{}", String::from_utf8_lossy(&ran.stderr));
        assert_eq!(ran.status.code(), Some(code), "{all}");
        assert!(told.starts_with(says), "{all}");
        assert!(code == 0 || told.contains("O1 canary"), "{all}");
    }
}
