//! The stub that plays a target's model and tools: what clients get, what it writes down, and what
//! the oracle of attribution makes of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use partywall::oracle::{Case, judge};
use partywall::trial::canary::{CampaignKey, Field, Mint, Owner};
use partywall::trial::dialect::Dialect;
use partywall::trial::finding::OracleId;
use partywall::trial::history::History;
use partywall::trial::ids::UserName;
use partywall::trial::plan::{PLAN_VERSION, Plan, UserPlan};
use partywall::upstream::{Account, Call, Options, Order, Service, Upstream};
use partywall::world::World;
use partywall::world::recorder::Recorder;
use serde_json::{Value, json};

/// A client that keeps its connection, as pooled clients do.
struct Client(BufReader<TcpStream>);

/// An answer, as far as it came.
#[derive(Debug)]
struct Answer {
    status: u16,
    content_type: String,
    body: String,
    /// Whether it came to its orderly end.
    whole: bool,
}

impl Client {
    fn to(upstream: &Upstream) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", upstream.port())).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("an option");
        Self(BufReader::new(stream))
    }

    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) {
        let mut text =
            format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n", body.len());
        headers.iter().for_each(|(name, value)| text += &format!("{name}: {value}\r\n"));
        let whole = format!("{text}content-type: application/json\r\n\r\n{body}");
        self.0.get_mut().write_all(whole.as_bytes()).expect("it is taken");
    }

    /// None if the connection was closed without a byte.
    fn read(&mut self) -> Option<Answer> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        let (mut length, mut chunked, mut content_type) = (0, false, String::new());
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).expect("headers");
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().expect("a length"),
                "transfer-encoding" => chunked = value == "chunked",
                "content-type" => content_type = value.to_owned(),
                _ => {}
            }
        }
        let mut body = Vec::new();
        let whole = if chunked { self.chunks(&mut body) } else { self.bytes(length, &mut body) };
        let body = String::from_utf8(body).expect("text");
        Some(Answer { status, content_type, body, whole })
    }

    fn bytes(&mut self, length: usize, body: &mut Vec<u8>) -> bool {
        let mut bytes = vec![0; length];
        let came = self.0.read_exact(&mut bytes).is_ok();
        body.extend(bytes);
        came
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> bool {
        loop {
            let mut size = String::new();
            if !matches!(self.0.read_line(&mut size), Ok(1..)) {
                return false;
            }
            let size = usize::from_str_radix(size.trim(), 16).expect("a size");
            let mut chunk = vec![0; size + 2];
            if self.0.read_exact(&mut chunk).is_err() {
                return false;
            }
            if size == 0 {
                return true;
            }
            body.extend(&chunk[..size]);
        }
    }

    fn ask(&mut self, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.send("POST", "/v1/chat/completions", headers, &body.to_string());
        self.read().expect("an answer")
    }
}

fn start(change: impl FnOnce(&mut Options)) -> Upstream {
    let mut options = Options::default();
    change(&mut options);
    Upstream::start(options).expect("a free port")
}

fn chat(text: &str) -> Value {
    json!({"model": "any", "messages": [{"role": "user", "content": text}]})
}

fn streamed(text: &str) -> Value {
    let mut request = chat(text);
    request["stream"] = true.into();
    request
}

fn content(answer: &Answer) -> String {
    let answer: Value = serde_json::from_str(&answer.body).expect("JSON");
    answer["choices"][0]["message"]["content"].as_str().expect("text").to_owned()
}

fn deltas(answer: &Answer) -> Vec<String> {
    let events = answer.body.split_terminator("\n\n");
    let data = events.map(|event| event.strip_prefix("data: ").expect("data"));
    let delta = |data: &str| -> Option<String> {
        let event: Value = serde_json::from_str(data).expect("JSON");
        event["choices"][0]["delta"]["content"].as_str().map(str::to_owned)
    };
    data.filter(|data| *data != "[DONE]").filter_map(delta).collect()
}

const NONCE: &str = "nonce-0123456789abcdef";

#[test]
fn plain_and_streamed_answers_echo_what_was_said_over_one_connection() {
    let upstream = start(|_| ());
    let mut client = Client::to(&upstream);
    let plain = client.ask(&[], &chat(NONCE));
    let stream = client.ask(&[], &streamed(NONCE));
    assert_eq!((plain.status, stream.status), (200, 200));
    assert!(stream.content_type.starts_with("text/event-stream"));
    assert!(stream.body.ends_with("data: [DONE]\n\n") && stream.whole, "{stream:?}");
    let pieces = deltas(&stream);
    assert_eq!(pieces.len(), 5);
    assert!(pieces.iter().all(|piece| piece.contains(NONCE)), "{pieces:?}");
    assert_eq!(pieces.concat(), content(&plain));
    // The same question, the same answer; and another client does not matter.
    assert_eq!(content(&Client::to(&upstream).ask(&[], &chat(NONCE))), content(&plain));
    client.send("GET", "/v1/models", &[], "");
    let models: Value = serde_json::from_str(&client.read().expect("models").body).expect("JSON");
    assert_eq!(models["data"][0]["object"], "model");
    client.send("POST", "/echo/any/tool", &[], r#"{"a":[1,1.50,"\u0041"]}"#);
    assert_eq!(client.read().expect("an echo").body, r#"{"echo":{"a":[1,1.50,"\u0041"]}}"#);
    assert_eq!(upstream.take_log().calls.len(), 4);
}

#[test]
fn what_is_malformed_gets_one_answer_that_says_why() {
    let upstream = start(|options| options.largest_body = 1000);
    let deep = "[".repeat(900);
    let cases = [
        ("/v1/chat/completions", "{", 400, "no chat completion request"),
        ("/v1/chat/completions", r#"{"messages":[]}"#, 400, "is empty"),
        ("/v1/chat/completions", r#"{"messages":[{"content":"x"}]}"#, 400, "role"),
        ("/v1/chat/completions", deep.as_str(), 400, "no chat completion request"),
        ("/echo", "", 400, "no JSON"),
        ("/echo", "{\"a\":1}}", 400, "no JSON"),
        ("/echo", "\"[[upstream nap=3]]\"", 400, "nap=3"),
        ("/echo", &format!("\"{}\"", "x".repeat(1000)), 413, "longer than 1000 bytes"),
        ("/v1/nothing", "{}", 404, "POST /v1/chat/completions"),
        ("/v1/models", "{}", 405, "GET /v1/models"),
    ];
    for (path, body, status, says) in cases {
        let mut client = Client::to(&upstream);
        client.send("POST", path, &[], body);
        let answer = client.read().expect("an answer");
        assert_eq!(answer.status, status, "{path} {body}: {answer:?}");
        let error: Value = serde_json::from_str(&answer.body).expect("JSON");
        let message = error["error"]["message"].as_str().expect("a message");
        assert!(message.contains(says), "{path} {body}: {message}");
    }
    let mut client = Client::to(&upstream);
    client.0.get_mut().write_all(b"nonsense\r\n\r\n").expect("it is taken");
    assert_eq!(client.read().expect("an answer").status, 400);
    assert!(upstream.take_log().calls.is_empty(), "what was refused was not asked");
}

#[test]
fn errors_and_cuts_strike_where_they_are_asked_for() {
    let upstream = start(|_| ());
    let failed = Client::to(&upstream).ask(&[], &chat("[[upstream error=503]]"));
    assert_eq!((failed.status, failed.whole), (503, true));
    let mut client = Client::to(&upstream);
    client.send("POST", "/echo", &[], r#""[[upstream cut=0]]""#);
    assert!(client.read().is_none(), "cut before the first byte");
    let cut = Client::to(&upstream).ask(&[], &streamed(&format!("{NONCE} [[upstream cut=2]]")));
    assert_eq!((deltas(&cut).len(), cut.whole), (2, false), "{cut:?}");
    let half = Client::to(&upstream).ask(&[], &chat(&format!("{NONCE} [[upstream cut=1]]")));
    assert!(!half.whole && half.body.starts_with('{') && !half.body.ends_with('}'), "{half:?}");
    // However late the cut, the end never comes.
    let late = Client::to(&upstream).ask(&[], &streamed("[[upstream cut=999]]"));
    assert!(!late.whole && !late.body.contains("[DONE]"), "{late:?}");
    assert_eq!(upstream.take_log().calls.len(), 5, "what fails was asked all the same");
}

#[test]
fn calls_that_are_put_in_order_are_all_answered() {
    let upstream = start(|options| options.order = Order::Reversed(3));
    // Three make a group; the fourth is let go when the hold is over.
    for count in [3, 1] {
        let mut clients: Vec<_> = (0..count).map(|_| Client::to(&upstream)).collect();
        for client in &mut clients {
            client.send("POST", "/echo", &[], "1");
        }
        for client in &mut clients {
            assert_eq!(client.read().map(|answer| answer.body).as_deref(), Some("{\"echo\":1}"));
        }
    }
}

#[test]
fn credentials_are_known_by_name_or_digest_and_never_kept() {
    let upstream = start(|_| ());
    let (alice, bob) = (UserName::new("alice"), UserName::new("bob"));
    upstream.know(&[Account::new(&alice, Some("Bearer alices-secret")), Account::new(&bob, None)]);
    let mut client = Client::to(&upstream);
    let mut of_bob = chat("two");
    of_bob["user"] = "bob".into();
    client.ask(&[("authorization", "Bearer alices-secret")], &chat("one"));
    client.ask(&[("authorization", "Bearer shared-secret")], &of_bob);
    client.ask(&[("api-key", "alices-secret")], &of_bob);
    client.ask(&[("cookie", "a=1; session=alices-secret")], &chat("four"));
    client.ask(&[("authorization", "Bearer shared-secret")], &chat("five"));
    let log = upstream.take_log();
    let of = |call: &Call| call.accounts.iter().map(ToString::to_string).collect::<Vec<_>>();
    let accounts: Vec<Vec<String>> = log.calls.iter().map(of).collect();
    assert_eq!(accounts, [vec!["alice"], vec!["bob"], vec!["alice", "bob"], vec!["alice"], vec![]]);
    assert!(log.calls.iter().all(|call| call.service == Service::Model));
    let written = format!("{log:?} {}", serde_json::to_string(&log.calls).expect("JSON"));
    assert!(!written.contains("secret"), "{written}");
    assert_eq!(log.calls[1].credentials, log.calls[4].credentials);
    assert!(log.calls[4].credentials[0].starts_with("sha256:"));
}

/// What attribution finds, and why it is blind, after those calls: credential, and whose canary.
fn judged(calls: &[(&str, u32)]) -> (Vec<(String, String)>, Option<String>) {
    let names = ["alice", "bob"].map(UserName::new);
    let key = CampaignKey::from_seed(7);
    let user = |index: usize| UserPlan {
        name: names[index].clone(),
        index: index as u32,
        browser: None,
        steps: Vec::new(),
    };
    let plan = Plan {
        version: PLAN_VERSION,
        scenario: "upstream".into(),
        campaign: key,
        trial: 0,
        users: vec![user(0), user(1)],
        faults: Vec::new(),
        linger: 0,
        protocol: partywall::trial::protocol::Protocol::reference(),
    };
    let upstream = start(|_| ());
    let secrets = names.each_ref().map(|name| format!("{name}-key"));
    let account = |at: usize| Account::new(&names[at], Some(&secrets[at]));
    upstream.know(&[account(0), account(1)]);
    let recorder = Recorder::in_memory();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let _guard = runtime.as_ref().expect("a runtime").enter();
    upstream.report_to(Some(World::live(Some(recorder.clone()))));
    let mut client = Client::to(&upstream);
    for (credential, owner) in calls {
        let canary = Mint::new(key).mint(Owner { user: *owner, run: 1, field: Field::Prompt });
        client.ask(&[("authorization", &format!("Bearer {credential}"))], &streamed(&canary));
    }
    drop(upstream);
    let (observations, _) = recorder.finish();
    assert_eq!(observations.len(), calls.len());
    let history = History { plan, observations, ending: None };
    let judged = judge(&Case::new(&history, &Dialect::reference()));
    let of_upstream = judged.findings.iter().filter(|found| found.oracle == OracleId::Attribution);
    let found = of_upstream.map(|found| (found.victim.to_string(), found.observer.to_string()));
    let rows = judged.rows.into_iter();
    let row = rows.clone().find(|(oracle, ..)| *oracle == OracleId::Attribution).expect("a row");
    (found.collect(), row.2)
}

#[test]
fn a_text_under_another_users_credential_is_found() {
    let own = [("alice-key", 0), ("bob-key", 1)];
    assert_eq!(judged(&own), (vec![], None));
    let crossed = [("alice-key", 0), ("alice-key", 1)];
    assert_eq!(judged(&crossed), (vec![("bob".into(), "alice".into())], None));
}

#[test]
fn one_key_for_the_whole_service_is_nobodys_and_attribution_says_it_is_blind() {
    let (found, blind) = judged(&[("service-key", 0), ("service-key", 1)]);
    assert_eq!(found, []);
    assert_eq!(blind.as_deref(), Some("the upstream was asked under no simulated user's account"));
}

#[test]
fn it_ends_when_dropped_whoever_is_connected() {
    let upstream = start(|_| ());
    let mut idle = Client::to(&upstream);
    idle.ask(&[], &chat("hello"));
    let mut waiting = Client::to(&upstream);
    let (arrived, arrivals) = std::sync::mpsc::channel();
    upstream.listen(move |call| {
        let _ = arrived.send(call.n);
    });
    waiting.send("POST", "/echo", &[], r#""[[upstream delay=60000]]""#);
    arrivals.recv().expect("it arrives");
    let port = upstream.port();
    drop(upstream);
    assert!(waiting.read().is_none() && idle.read().is_none(), "both are closed");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "nobody listens any more");
}
