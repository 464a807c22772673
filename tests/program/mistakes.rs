//! Typical mistakes in a scenario, and servers that fail: each report names the cause by its codes,
//! and what the server said stands in the first ten lines.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::sync::Mutex;

use partywall::trial::failure::Cause;
use partywall::trial::heard::{Asked, Came};
use partywall::trial::record::Record;
use partywall::trial::unmet::Expected;
use partywall::trial::verdict::{Outcome, ReasonCode};

use crate::support::hostile::{serve, serve_raw};
use crate::support::reports::{codes, only_level, report};
use crate::support::{Alone, Scratch, desk, ran};

const HEAD: &str = r#"
version = 1
name = "desk"
title = "A desk"
[target]
url = "URL"
[[setup]]
name = "login"
path = "/login"
json = { user = "{{ user }}", password = "open" }
capture = { token = { pointer = "/token" } }
[identity]
headers = { authorization = "Bearer {{ capture.token }}" }
[limits]
run_seconds = 1
[workload]
users = 4
runs_per_user = 2
rounds = 1
"#;

const CHAT: &str = r#"
[start]
by = "http"
path = "/chat"
answer = "json"
json = { message = "{{ prompt }}", id = "{{ request_id }}" }
"#;

const EVENTS: &str = r#"
type = "/type"
run = "/run"
user = "/user"
request = "/id"
sequence = "/seq"
accepted = "accepted"
types = ["token"]
ends = ["done"]
"#;

const STREAM: &str = r#"
[start]
by = "http"
path = "/stream"
answer = "stream"
json = { message = "{{ prompt }}", id = "{{ request_id }}" }
[events]
"#;

const SOCKET: &str = r#"
[start]
by = "message"
json = { type = "chat", message = "{{ prompt }}", id = "{{ request_id }}" }
[events]
connection = "websocket"
path = "/ws"
greeting = "welcome"
"#;

const PUSHED: &str = r#"
[start]
by = "http"
path = "/runs"
answer = "events"
json = { message = "{{ prompt }}", id = "{{ request_id }}" }
[events]
connection = "sse"
path = "/events"
greeting = "welcome"
"#;

const RPC: &str = r#"
[start]
by = "http"
path = "/rpc"
answer = "json"
[start.json]
jsonrpc = "2.0"
id = "{{ request_id }}"
method = "tools/call"
params = { name = "echo", arguments = { text = "{{ prompt }}" } }
"#;

/// How users speak in a scenario.
#[derive(Clone, Copy, Debug)]
enum Base {
    Chat,
    Stream,
    Socket,
    Pushed,
    Rpc,
}

impl Base {
    fn text(self) -> String {
        match self {
            Self::Chat => format!("{HEAD}{CHAT}"),
            Self::Stream => format!("{HEAD}{STREAM}{EVENTS}"),
            Self::Socket => format!("{HEAD}{SOCKET}{EVENTS}"),
            Self::Pushed => format!("{HEAD}{PUSHED}{EVENTS}"),
            Self::Rpc => format!("{HEAD}{RPC}"),
        }
    }
}

/// The cause that a report must name.
#[derive(Clone, Copy, Debug)]
enum Named {
    /// The log-in came to that.
    SetUp(Came),
    /// The opening of an event connection came to that.
    Connect(ReasonCode, Came),
    /// The request or message that starts a run came to that.
    Start(ReasonCode, Came),
    /// No message has what the scenario expects.
    Place(Expected),
    /// That, of the whole.
    Code(ReasonCode),
}

const fn status(status: u16) -> Came {
    Came::Status { status }
}

const fn failed(cause: Cause) -> Came {
    Came::Failed { cause }
}

use Base::{Chat, Pushed, Rpc, Socket, Stream};
use Named::{Code, Connect, Place, SetUp, Start};
use ReasonCode::{ConnectionLost, NoAnswer, Refused, UnexpectedProtocol, UsersAlike};

/// What stands in a scenario, what a new user writes in its place, what the report must name, and words
/// of the server, or of the scenario, that the first ten lines must hold.
type Mistake = (Base, &'static str, &'static str, Named, &'static str);

const PASSWORD: &str = "password = \"open\"";
const USER: &str = "user = \"{{ user }}\"";
const TOKEN: &str = "\"Bearer {{ capture.token }}\"";
const MESSAGE: &str = "message = \"{{ prompt }}\"";
const ID: &str = "id = \"{{ request_id }}\"";
const LOGIN: &str = "path = \"/login\"";

const MISTAKES: &[Mistake] = &[
    // The log-in.
    (Chat, PASSWORD, "password = \"wrong\"", SetUp(status(401)), "wrong password"),
    (Stream, PASSWORD, "secret = \"open\"", SetUp(status(401)), "wrong password"),
    (Chat, USER, "name = \"{{ user }}\"", SetUp(status(400)), "who is it?"),
    (Socket, USER, "name = \"{{ user }}\"", SetUp(status(400)), "who is it?"),
    (Chat, LOGIN, "path = \"/log-in\"", SetUp(status(404)), "/log-in"),
    (Socket, LOGIN, "path = \"/api/login\"", SetUp(status(404)), "/api/login"),
    (Chat, LOGIN, "method = \"GET\"\npath = \"/login\"", SetUp(status(405)), "GET /login"),
    (Pushed, LOGIN, "path = \"/down\"", SetUp(status(500)), "the database is down"),
    (Socket, LOGIN, "path = \"/down\"", SetUp(status(500)), "the database is down"),
    (Chat, LOGIN, "path = \"/strict\"", Code(ReasonCode::NamesRefused), "acme:alice"),
    (Chat, LOGIN, "path = \"/form\"", SetUp(failed(Cause::NotCaptured)), "/form"),
    (Chat, "\"/token\"", "\"/data/token\"", SetUp(failed(Cause::NotCaptured)), "desk-"),
    (Stream, "\"/token\"", "\"/access_token\"", SetUp(failed(Cause::NotCaptured)), "token"),
    (Chat, LOGIN, "path = \"/hang\"", SetUp(failed(Cause::Late)), "/hang"),
    (Chat, LOGIN, "path = \"/page\"", SetUp(failed(Cause::NotCaptured)), "It works"),
    // The identity.
    (Chat, TOKEN, "\"Bearer desk-616e6e61\"", Code(UsersAlike), "of them: each"),
    (Socket, TOKEN, "\"Bearer desk-616e6e61\"", Code(UsersAlike), "of them: each"),
    (Chat, TOKEN, "\"Bearer nobody\"", Start(Refused, status(403)), "this token is not known"),
    (
        Chat,
        TOKEN,
        "\"Token {{ capture.token }}\"",
        Start(Refused, status(401)),
        "show a bearer token",
    ),
    (Chat, "authorization =", "x-token =", Start(Refused, status(401)), "show a bearer token"),
    (Stream, TOKEN, "\"{{ capture.token }}\"", Start(Refused, status(401)), "show a bearer token"),
    (
        Stream,
        TOKEN,
        "\"Bearer {{ user }}\"",
        Start(Refused, status(403)),
        "this token is not known",
    ),
    (
        Socket,
        TOKEN,
        "\"{{ capture.token }}\"",
        Connect(Refused, status(401)),
        "show a bearer token",
    ),
    (Socket, TOKEN, "\"Bearer x\"", Connect(Refused, status(403)), "this token is not known"),
    (Pushed, "authorization =", "x-token =", Connect(Refused, status(401)), "show a bearer token"),
    (Rpc, "authorization =", "x-token =", Start(Refused, status(401)), "show a bearer token"),
    // The path.
    (Chat, "\"/chat\"", "\"/chats\"", Start(Refused, status(404)), "POST /chats"),
    (Stream, "\"/stream\"", "\"/v1/stream\"", Start(Refused, status(404)), "POST /v1/stream"),
    (Socket, "\"/ws\"", "\"/socket\"", Connect(Refused, status(404)), "GET /socket"),
    (Pushed, "\"/events\"", "\"/event\"", Connect(Refused, status(404)), "GET /event"),
    (Pushed, "\"/runs\"", "\"/run\"", Start(Refused, status(404)), "POST /run"),
    (Rpc, "\"/rpc\"", "\"/mcp\"", Start(Refused, status(404)), "POST /mcp"),
    (Chat, "\"/chat\"", "\"/talk\"", Start(Refused, status(308)), "/chat"),
    (Chat, "\"/chat\"", "\"/guest\"", Start(Refused, status(303)), "/sign-in"),
    (Stream, "\"/stream\"", "\"/talk\"", Start(Refused, status(308)), "/chat"),
    (Socket, "\"/ws\"", "\"/guest\"", Connect(Refused, status(303)), "/sign-in"),
    // The method, and what is sent.
    (
        Chat,
        "path = \"/chat\"",
        "method = \"GET\"\npath = \"/chat\"",
        Start(Refused, status(405)),
        "GET /chat",
    ),
    (
        Stream,
        "path = \"/stream\"",
        "method = \"PUT\"\npath = \"/stream\"",
        Start(Refused, status(405)),
        "PUT",
    ),
    (Chat, "\"/chat\"", "\"/xml\"", Start(Refused, status(406)), "only XML"),
    (Chat, MESSAGE, "text = \"{{ prompt }}\"", Start(Refused, status(422)), "`message` is missing"),
    (
        Stream,
        MESSAGE,
        "prompt = \"{{ prompt }}\"",
        Start(Refused, status(422)),
        "`message` is missing",
    ),
    (
        Pushed,
        MESSAGE,
        "prompt = \"{{ prompt }}\"",
        Start(Refused, status(422)),
        "`message` is missing",
    ),
    (
        Chat,
        ID,
        "id = \"{{ request_id | number }}\"",
        Start(Refused, status(422)),
        "`id` must be a text",
    ),
    (
        Chat,
        "json = { message = \"{{ prompt }}\", id = \"{{ request_id }}\" }",
        "text = \"{{ prompt }}\"",
        Start(Refused, status(415)),
        "only JSON is read",
    ),
    (
        Stream,
        "json = { message = \"{{ prompt }}\", id = \"{{ request_id }}\" }",
        "text = \"{{ prompt }}\"",
        Start(Refused, status(400)),
        "the body is no JSON",
    ),
    (Chat, "\"/chat\"", "\"/busy\"", Start(Refused, status(429)), "busy"),
    (Rpc, "\"echo\"", "\"ecko\"", Start(Refused, Came::ToolError), "unknown tool: ecko"),
    (
        Rpc,
        "text = \"{{ prompt }}\"",
        "message = \"{{ prompt }}\"",
        Start(Refused, Came::ToolError),
        "`text` is required",
    ),
    (Rpc, "tools/call", "tool/call", Start(Refused, Came::ToolError), "method not found"),
    (
        Socket,
        "type = \"chat\"",
        "type = \"quit\"",
        Start(Refused, Came::Closed { code: Some(1008) }),
        "no such command",
    ),
    (Socket, "type = \"chat\"", "type = \"say\"", Code(UnexpectedProtocol), "unknown type"),
    // Servers that fail.
    (Chat, "\"/chat\"", "\"/down\"", Start(Refused, status(500)), "the database is down"),
    (Stream, "\"/stream\"", "\"/down\"", Start(Refused, status(500)), "the database is down"),
    (Socket, "\"/ws\"", "\"/down\"", Connect(Refused, status(500)), "the database is down"),
    (Chat, "\"/chat\"", "\"/hang\"", Start(NoAnswer, failed(Cause::Late)), "POST /hang"),
    (Stream, "\"/stream\"", "\"/hang\"", Start(NoAnswer, failed(Cause::Late)), "POST /hang"),
    (Socket, "\"/ws\"", "\"/hang\"", Connect(NoAnswer, failed(Cause::Late)), "GET /hang"),
    // Types and places of events.
    (Stream, "ends = [\"done\"]", "ends = [\"finished\"]", Place(Expected::Ends), "finished"),
    (Socket, "ends = [\"done\"]", "ends = [\"finished\"]", Place(Expected::Ends), "finished"),
    (Pushed, "ends = [\"done\"]", "ends = [\"finished\"]", Place(Expected::Ends), "finished"),
    (Stream, "type = \"/type\"", "type = \"/kind\"", Place(Expected::Type), "/kind"),
    (Socket, "type = \"/type\"", "type = \"/kind\"", Place(Expected::Type), "/kind"),
    (Socket, "request = \"/id\"", "request = \"/ref\"", Place(Expected::Request), "/ref"),
    (Stream, "user = \"/user\"", "user = \"/run\"", Place(Expected::User), "/run"),
    (
        Socket,
        "greeting = \"welcome\"",
        "greeting = \"hello\"",
        Place(Expected::Greeting),
        "welcome",
    ),
    (
        Pushed,
        "greeting = \"welcome\"",
        "greeting = \"hello\"",
        Place(Expected::Greeting),
        "welcome",
    ),
    (Pushed, "\"/runs\"", "\"/chat\"", Code(UnexpectedProtocol), "about"),
    (Stream, "\"/stream\"", "\"/page\"", Code(UnexpectedProtocol), "It works"),
];

/// What a report and the terminal say of the scenario; an error where it is none.
fn driven(text: &str, url: &str, scratch: &Scratch) -> Result<(Record, String), String> {
    let file = scratch.file("desk.toml", text.replace("URL", url)).display().to_string();
    let ran = ran(&mut scratch.partywall(&["run", &file]));
    match ran.code {
        Some(2) => Err(ran.stderr),
        _ => Ok((report(&scratch.run_folder("run")), ran.stdout)),
    }
}

/// The first ten lines, as one.
fn top(stdout: &str) -> String {
    let words: Vec<&str> = stdout.lines().take(10).flat_map(str::split_whitespace).collect();
    words.join(" ")
}

/// What is wrong with the report; none where it names the cause.
fn wrong(record: &Record, stdout: &str, named: Named, words: &str) -> Option<String> {
    if record.verdict != Outcome::Inconclusive {
        return Some(format!("the verdict is {}", record.verdict));
    }
    let heard = &only_level(record).heard;
    let codes = codes(record);
    let answered = |code, came: Came, asked: fn(&Asked) -> bool| {
        let first = heard.answers.first().map(|first| (asked(&first.asked), first.came));
        codes.first() == Some(&code) && first == Some((true, came))
    };
    let is_named = match named {
        SetUp(came) => answered(
            ReasonCode::SetUpFailed,
            came,
            |asked| matches!(asked, Asked::SetUp { name } if name == "login"),
        ),
        Connect(code, came) => answered(code, came, |asked| *asked == Asked::Connect),
        Start(code, came) => answered(code, came, |asked| *asked == Asked::Start),
        Place(expected) => {
            let unmatched = heard.unmatched.iter().any(|unmet| unmet.expected == expected);
            unmatched && codes[..codes.len().min(2)].contains(&ReasonCode::PlaceUnmatched)
        }
        Code(code) => codes.contains(&code),
    };
    if !is_named {
        return Some(format!("codes {codes:?}, heard {heard:?}"));
    }
    if codes.contains(&ReasonCode::TargetUnreachable) {
        return Some("the target is said to be out of reach".into());
    }
    let top = top(stdout);
    (!top.contains(words)).then(|| format!("no {words:?} in the first ten lines: {top}"))
}

/// Does that for each, several at once since most of them wait.
fn for_each<T: Sync>(all: &[T], does: impl Fn(&T) -> Option<String> + Sync) {
    let left: Mutex<VecDeque<&T>> = Mutex::new(all.iter().collect());
    let all_wrong = Mutex::new(String::new());
    let work = || {
        loop {
            let Some(next) = left.lock().expect("nobody panics").pop_front() else { break };
            if let Some(wrong) = does(next) {
                let _ = writeln!(all_wrong.lock().expect("nobody panics"), "{wrong}\n");
            }
        }
    };
    std::thread::scope(|together| (0..6).for_each(|_| drop(together.spawn(work))));
    let wrong = all_wrong.into_inner().expect("nobody panics");
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn each_mistake_is_named() {
    for_each(MISTAKES, |(base, from, to, named, words)| {
        // Each has its own, since others have users of the same names.
        let url = desk::serve();
        let text = base.text();
        assert!(text.contains(from), "{base:?}: {from}");
        let scratch = Scratch::new("mistake");
        let driven = driven(&text.replacen(from, to, 1), &url, &scratch);
        let (wrong, stdout) = match driven {
            Ok((record, stdout)) => (wrong(&record, &stdout, *named, words)?, stdout),
            Err(usage) => (usage, String::new()),
        };
        Some(format!("{base:?}, {from} -> {to}: not {named:?}: {wrong}\n{stdout}"))
    });
}

#[test]
fn without_a_mistake_nothing_is_wrong() {
    let _alone = Alone::new();
    for base in [Chat, Stream, Socket, Pushed, Rpc] {
        let (scratch, url) = (Scratch::new("no-mistake"), desk::serve());
        let (record, stdout) = driven(&base.text(), &url, &scratch).expect("a scenario");
        assert_eq!(codes(&record), [ReasonCode::Shown], "{base:?}: {:?}\n{stdout}", record.reasons);
    }
}

/// The chat of users who need no log-in.
fn without_log_in() -> String {
    let (begin, rest) = HEAD.split_once("[[setup]]").expect("a set-up");
    let (_, end) = rest.split_once("[identity]").expect("an identity");
    let text = format!("{begin}[identity]{end}{CHAT}");
    text.replace("{{ capture.token }}", "{{ user }}")
}

#[test]
fn servers_that_fail_are_told_apart() {
    let reset = serve_raw(|mut stream| {
        let _ = stream.read(&mut [0; 64]);
    });
    let cut_short = serve(|mut asked| {
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n";
        let _ = asked.stream.write_all(format!("{head}{{\"reply\": \"ab").as_bytes());
    });
    let closed = {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        format!("http://{}", listener.local_addr().expect("it is bound"))
    };
    for (url, code, cause, words) in [
        (reset, ConnectionLost, Cause::Lost, "POST /chat"),
        (cut_short, ConnectionLost, Cause::CutShort, "POST /chat"),
        (closed, ReasonCode::TargetUnreachable, Cause::Unreachable, "refused"),
    ] {
        let scratch = Scratch::new("failing");
        let (record, stdout) = driven(&without_log_in(), &url, &scratch).expect("a scenario");
        let first = only_level(&record).heard.answers.first();
        let first = first.map(|first| (first.asked.clone(), first.came));
        assert_eq!(first, Some((Asked::Start, failed(cause))), "{stdout}");
        assert_eq!(codes(&record).first(), Some(&code), "{stdout}");
        assert!(top(&stdout).contains(words), "{stdout}");
    }
}

/// What is wrong with a scenario before anything is asked of a server.
const USAGE: &[(Base, &str, &str, &[&str])] = &[
    (Chat, "{{ prompt }}", "{{ promt }}", &["promt"]),
    (Chat, "{{ capture.token }}", "{{ capture.tokn }}", &["tokn"]),
    (Chat, USER, "user = \"anna\"", &["[identity]"]),
    (Chat, "by = \"http\"", "by = \"htpp\"", &["\"http\""]),
    (Chat, "answer = \"json\"", "answer = \"whole\"", &["\"json\""]),
    (Socket, "connection = \"websocket\"", "connection = \"ws\"", &["\"websocket\""]),
    (Socket, "type = \"/type\"", "typ = \"/type\"", &["typ"]),
    (Stream, "type = \"/type\"", "type = \"type\"", &["type"]),
    (Chat, "[limits]", "[limit]", &["limit"]),
];

#[test]
fn what_is_wrong_in_the_file_is_named_before_anything_is_asked() {
    for_each(USAGE, |(base, from, to, words)| {
        let text = base.text();
        assert!(text.contains(from), "{base:?}: {from}");
        let scratch = Scratch::new("usage");
        let refused = driven(&text.replacen(from, to, 1), "http://127.0.0.1:1", &scratch);
        let Err(stderr) = refused else { return Some(format!("{to}: it was driven")) };
        let named = words.iter().all(|word| stderr.contains(word));
        (!named).then(|| format!("{to}: {stderr}"))
    });
}
