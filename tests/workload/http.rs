//! The same over HTTP: a server that keeps every request, and on which connection it came.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use partywall::trial::history::{Observation, What};

use super::drive::drive;

/// A request as it came.
#[derive(Clone, Debug)]
struct Asked {
    connection: usize,
    who: String,
    body: String,
}

/// Answers each request with its body, on connections that are kept.
fn serve() -> (String, Arc<Mutex<Vec<Asked>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let all: Arc<Mutex<Vec<Asked>>> = Arc::default();
    let asked = Arc::clone(&all);
    std::thread::spawn(move || {
        for (connection, stream) in listener.incoming().enumerate() {
            let (Ok(stream), asked) = (stream, Arc::clone(&asked)) else { continue };
            std::thread::spawn(move || converse(connection, stream, &asked));
        }
    });
    (url, all)
}

fn converse(connection: usize, stream: TcpStream, all: &Mutex<Vec<Asked>>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut writer = stream;
    loop {
        let (mut length, mut who, mut line) = (0, String::new(), String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse().ok()?;
                }
                Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                    who = value.to_owned();
                }
                None if line.trim_end().is_empty() => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let body = String::from_utf8(body).ok()?;
        let (status, answer) = match serde_json::from_str::<serde_json::Value>(&body) {
            Ok(_) if body.len() > 100_000 => ("413 Too Large", "{}".to_owned()),
            Ok(_) => ("200 OK", body.clone()),
            Err(_) => ("400 Bad Request", "{}".to_owned()),
        };
        all.lock().ok()?.push(Asked { connection, who, body });
        // Long enough that requests overlap.
        std::thread::sleep(std::time::Duration::from_millis(5));
        let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\n");
        let length = answer.len();
        write!(writer, "{head}content-length: {length}\r\n\r\n{answer}").ok()?;
    }
}

fn plain(workload: &str) -> String {
    format!(
        r#"version = 1
name = "plain"
title = "Requests"
[target]
url = "http://127.0.0.1:1"
[identity]
headers = {{ authorization = "{{{{ user }}}}" }}
[start]
by = "http"
path = "/ask"
json = {{ text = "{{{{ prompt }}}}", settings = "{{{{ settings }}}}" }}
[workload]
bystander = false
sequential = false
{workload}
"#
    )
}

fn asked(workload: &str) -> Vec<Asked> {
    let (url, all) = serve();
    let came = drive(&url, &plain(workload));
    assert_eq!(came.level.findings, []);
    let mut all = all.lock().expect("no thread panics").clone();
    // After the one round that is planned, what comes is to tell how long a run takes.
    let planned = came.histories.last().expect("the round sorts last");
    let asked = |seen: &&Observation| matches!(seen.what, What::Request { .. });
    all.truncate(planned.observations.iter().filter(asked).count());
    all
}

#[test]
fn another_user_goes_on_on_the_same_keep_alive_connection() {
    let shared = |all: &[Asked]| {
        let mut users: std::collections::BTreeMap<usize, Vec<&str>> = Default::default();
        for one in all {
            users.entry(one.connection).or_default().push(&one.who);
        }
        users.values().filter(|users| users.iter().any(|user| user != &users[0])).count()
    };
    let all = asked("users = 5\nruns_per_user = 2\nrounds = 1\nswitch_percent = 100");
    assert!(shared(&all) >= 1, "{all:#?}");
    let all = asked("users = 5\nruns_per_user = 2\nrounds = 1");
    assert_eq!(shared(&all), 0);
}

#[test]
fn users_say_the_same_words_and_keep_their_settings() {
    let all = asked("users = 4\nruns_per_user = 1\nrounds = 1\nequal_percent = 100");
    let read = |one: &Asked, name: &str| {
        let body: serde_json::Value = serde_json::from_str(&one.body).expect("JSON");
        body[name].as_str().expect("text").to_owned()
    };
    let of = |name: &str| {
        let mut texts: Vec<String> = all.iter().map(|one| read(one, name)).collect();
        texts.sort();
        texts.dedup();
        texts.len()
    };
    // The first user has words of their own.
    assert_eq!((all.len(), of("text"), of("settings")), (4, 2, 4));
}

#[test]
fn requests_are_malformed_and_oversize() {
    let all = asked("users = 3\nruns_per_user = 2\nrounds = 1\nmalformed_percent = 100");
    let malformed =
        all.iter().filter(|one| serde_json::from_str::<serde_json::Value>(&one.body).is_err());
    assert_eq!((all.len(), malformed.count()), (10, 4));
    let work = "users = 3\nruns_per_user = 2\nrounds = 1\noversize_percent = 100\n\
                oversize_bytes = 300000";
    let all = asked(work);
    assert_eq!(all.iter().filter(|one| one.body.len() > 300_000).count(), 4);
}
