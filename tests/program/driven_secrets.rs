//! Secrets of users: written nowhere, told apart all the same, and found where another user is shown
//! one.

use std::sync::{Arc, Condvar, Mutex};

use partywall::trial::finding::OracleId;
use partywall::trial::record::FindingRecord;
use tokio_tungstenite::tungstenite::Message;

use crate::support::hostile::serve;
use crate::support::reports::{contents, only_level, report};
use crate::support::{Ran, Scratch, partywall, ran};

const ASK: &str = r#"
version = 1
name = "ask"
title = "Questions"
[target]
url = "URL"
[identity]
IDENTITY
[start]
by = "http"
path = "/ask"
json = { question = "{{ prompt }}", id = "{{ request_id }}" }
[workload]
users = 3
runs_per_user = 2
rounds = 2
"#;

/// Users with secrets of their own.
fn listed(scratch: &Scratch, secrets: [&str; 3]) -> String {
    let [ann, bob, carl] = secrets;
    let lines = format!("ann\t{ann}\nbob\t{bob}\ncarl\t{carl}\n");
    let path = scratch.file("users.tsv", lines).display().to_string();
    format!(
        "headers = {{ authorization = \"Bearer {{{{ user.secret }}}}\" }}\nusers_file = \"{path}\""
    )
}

const SECRETS: [&str; 3] = ["open/sesame 1", "open/sesame 12", "open/sesame 2"];

/// What a server adds to an answer: header lines and a member. It is given the caller's credential
/// and another's.
type Adds = fn(&str, &str) -> (String, String);

/// A server that logs in with tokens and remembers who else has asked.
fn server(adds: Adds) -> String {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    serve(move |asked| {
        if asked.path() == "/login" {
            let who: serde_json::Value = serde_json::from_str(&asked.body).expect("JSON");
            let who = format!("{:08x}", crc(who["user"].as_str().expect("a name").as_bytes()));
            let head = format!("200 OK\r\nset-cookie: sid=cookie-0123456789-{who}; Path=/");
            let body = format!(r#"{{"token":"tok-{who}","all":"token-of-everybody"}}"#);
            return asked.answer(&head, "application/json", body);
        }
        let own = asked.header("authorization").unwrap_or_default();
        let own = own.trim_start_matches("Bearer ").to_owned();
        let mut seen = seen.lock().expect("nobody panics");
        if !seen.contains(&own) {
            seen.push(own.clone());
        }
        let other = seen.iter().find(|other| **other != own).cloned().unwrap_or_default();
        let (headers, member) = adds(&own, &other);
        let body = format!("{},\"more\":{member}}}", asked.body.trim_end_matches('}'));
        asked.answer(&format!("200 OK{headers}"), "application/json", body);
    })
}

/// Any number that differs between names.
fn crc(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(7, |sum, byte| u32::from(*byte) ^ sum.rotate_left(5).wrapping_mul(0x9E37_79B1))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Runs it, sees that none of that was written down, and gives what was found.
#[track_caller]
fn driven(scratch: &Scratch, text: &str, secret: &[&str]) -> (Ran, Vec<FindingRecord>) {
    let file = scratch.file("driven.toml", text).display().to_string();
    let ran = ran(&mut scratch.partywall(&["run", &file, "--report", "html,junit,sarif,markdown"]));
    let folder = scratch.run_folder("run");
    for (path, bytes) in contents(&folder) {
        let bytes = String::from_utf8_lossy(&bytes);
        for secret in secret {
            assert!(!bytes.contains(secret), "{secret} in {}", path.display());
        }
    }
    for secret in secret {
        assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{secret}");
    }
    let level = only_level(&report(&folder)).clone();
    assert!(level.runs_completed > 0, "{:?}", level.reasons);
    assert_eq!(level.controls.judge.missed, [""; 0]);
    (ran, level.findings)
}

#[track_caller]
fn is_found(scratch: &Scratch, (ran, findings): (Ran, Vec<FindingRecord>), operation: &str) {
    let ran = ran.exits(1);
    let found = |finding: &&FindingRecord| {
        finding.oracle == OracleId::Ownership && finding.victim_operation == operation
    };
    let finding = findings.iter().find(found).unwrap_or_else(|| panic!("{findings:#?}"));
    assert_ne!(finding.victim, finding.observer);
    assert!(ran.stdout.contains(operation), "{}", ran.stdout);
    // The history alone shows it too.
    let history = scratch.run_folder("run").join(finding.history.as_ref().expect("a history"));
    let history = history.display().to_string();
    let again = crate::support::ran(&mut partywall(&["check", &history])).exits(1);
    assert!(again.stdout.contains(operation), "{}", again.stdout);
}

#[test]
fn another_users_secret_is_found_wherever_it_comes_and_is_written_nowhere() {
    let leaks: [Adds; 5] = [
        |_, other| (String::new(), quoted(&format!("as {other}"))),
        |_, other| (String::new(), format!("{{{}:1}}", quoted(other))),
        |_, other| (format!("\r\nx-was: Bearer {other}"), "1".into()),
        |_, other| {
            (
                String::new(),
                quoted(&format!("/?a=b%20{}", other.replace('/', "%2f").replace(' ', "%20"))),
            )
        },
        |_, other| (String::new(), quoted(other).replace('/', "\\/")),
    ];
    for leak in leaks {
        let scratch = Scratch::new("secret-shown");
        let identity = listed(&scratch, SECRETS);
        let text = ASK.replace("URL", &server(leak)).replace("IDENTITY", &identity);
        let secret = ["open/sesame", "open%2fsesame", "open\\/sesame"];
        is_found(&scratch, driven(&scratch, &text, &secret), "secret `user.secret`");
    }
}

#[test]
fn own_secrets_and_what_looks_like_a_mark_accuse_nobody() {
    let clean: [Adds; 3] = [
        |own, _| (format!("\r\nx-you-are: {own}"), quoted(own)),
        |_, _| (String::new(), quoted("***1*** ***2*** ***1-0123456789abcdef***")),
        // Part of a longer word that nobody has.
        |_, other| (String::new(), quoted(&format!("{other}23"))),
    ];
    for adds in clean {
        let scratch = Scratch::new("secret-own");
        let identity = listed(&scratch, SECRETS);
        let text = ASK.replace("URL", &server(adds)).replace("IDENTITY", &identity);
        let (_, findings) = driven(&scratch, &text, &["open/sesame"]);
        assert_eq!(findings, []);
    }
}

#[test]
fn a_secret_that_several_have_accuses_nobody() {
    let shows: Adds = |own, _| (String::new(), quoted(&format!("{own} and swordfish-4711")));
    let scratch = Scratch::new("secret-shared");
    let identity = listed(&scratch, ["swordfish-4711", "swordfish-4711", "another-4711"]);
    let text = ASK.replace("URL", &server(shows)).replace("IDENTITY", &identity);
    assert_eq!(driven(&scratch, &text, &["swordfish"]).1, []);
    // One that the scenario has for all is nobody's either, whoever else was given it.
    let identity = listed(&scratch, ["swordfish-4711", "a-secret-4711", "another-4711"]);
    let identity = identity.replace("{ auth", "{ x-key = \"{{ env.SWORDFISH }}\", auth");
    let text = ASK.replace("URL", &server(shows)).replace("IDENTITY", &identity);
    let file = scratch.file("ask.toml", text).display().to_string();
    ran(scratch.partywall(&["run", &file]).env("SWORDFISH", "swordfish-4711"));
    assert_eq!(only_level(&report(&scratch.run_folder("run"))).findings, []);
}

const LOGIN: &str = r#"headers = { authorization = "Bearer {{ capture.NAME }}" }
[[setup]]
name = "login"
path = "/login"
json = { user = "{{ user }}" }
capture = { NAME = CAPTURE }
"#;

#[test]
fn what_a_login_gives_is_hidden_from_the_answer_on_and_found_with_another() {
    let shows: Adds = |_, other| (format!("\r\nx-was: {other}"), "1".into());
    let own: Adds = |own, _| (format!("\r\nx-is: {own}"), "1".into());
    let pattern = r#"{ regex = '"token":"(tok-[0-9a-f]+)"', private = true }"#;
    for (capture, operation) in [
        ("{ pointer = \"/token\" }", "credential `token`"),
        ("{ pointer = \"/token\", private = true }", "private `token`"),
        (pattern, "private `token`"),
    ] {
        let scratch = Scratch::new("login-shown");
        let identity = LOGIN.replace("NAME", "token").replace("CAPTURE", capture);
        let text = |adds| ASK.replace("URL", &server(adds)).replace("IDENTITY", &identity);
        let secret = ["tok-", "cookie-0123456789-"];
        // The pattern of the scenario holds the beginning, which its plans state.
        let secret = if capture == pattern { &secret[1..] } else { &secret[..] };
        is_found(&scratch, driven(&scratch, &text(shows), secret), operation);
        let scratch = Scratch::new("login-own");
        assert_eq!(driven(&scratch, &text(own), secret).1, []);
    }
    // A token that everybody is given is nobody's.
    let scratch = Scratch::new("login-of-all");
    let identity = LOGIN.replace("NAME", "all").replace("CAPTURE", "{ pointer = \"/all\" }");
    let text = ASK.replace("URL", &server(own)).replace("IDENTITY", &identity);
    assert_eq!(driven(&scratch, &text, &["token-of-everybody"]).1, []);
}

/// A session that every second user shares with the one before is told by the name that it is shown
/// under; a role that several have is nobody's.
#[test]
fn a_session_that_two_users_are_given_is_found_by_its_name() {
    for (shared, header, exits) in
        [(2, "mcp-session-id", 1), (1, "mcp-session-id", 0), (2, "x-role", 0)]
    {
        let scratch = Scratch::new("session-of-two");
        let known: Arc<Mutex<Vec<String>>> = Arc::default();
        let url = serve(move |asked| {
            if asked.path() != "/login" {
                let body = asked.body.clone();
                return asked.answer("200 OK", "application/json", body);
            }
            let mut known = known.lock().expect("nobody panics");
            let at = known.iter().position(|body| *body == asked.body).unwrap_or_else(|| {
                known.push(asked.body.clone());
                known.len() - 1
            });
            let body = format!(r#"{{"given":"value-0123456789-{}"}}"#, at / shared);
            asked.answer("200 OK", "application/json", body);
        });
        let identity = format!(
            "headers = {{ {header} = \"{{{{ capture.given }}}}\" }}\n\
             [[setup]]\nname = \"log in\"\npath = \"/login\"\n\
             json = {{ user = \"{{{{ user }}}}\" }}\n\
             capture = {{ given = {{ pointer = \"/given\" }} }}"
        );
        let text = ASK.replace("URL", &url).replace("IDENTITY", &identity);
        let text = text.replace("users = 3", "users = 12");
        let (ran, findings) = driven(&scratch, &text, &[]);
        if exits == 1 {
            is_found(&scratch, (ran, findings), "credential `given`");
        } else {
            assert_eq!(findings, [], "{header}");
        }
    }
}

#[test]
fn what_is_shown_before_its_own_user_has_it_is_hidden_and_found() {
    let scratch = Scratch::new("login-early");
    let identity = LOGIN.replace("NAME", "token").replace("CAPTURE", "{ pointer = \"/token\" }");
    // In the second round users come one after the other: the first is shown the token of another
    // one, whose login is answered after that only.
    let state: Arc<(Mutex<(u32, bool)>, Condvar)> = Arc::default();
    let url = serve(move |asked| {
        let token = |user: &str| format!("tok-{:08x}", crc(user.as_bytes()));
        let (state, changed) = &*state;
        let mut state = state.lock().expect("nobody panics");
        if asked.path() == "/login" {
            let who: serde_json::Value = serde_json::from_str(&asked.body).expect("JSON");
            let who = who["user"].as_str().expect("a name");
            state.0 += 1;
            if state.0 > 3 && who != "user-1" {
                drop(changed.wait_while(state, |(_, shown)| !*shown).expect("nobody panics"));
            }
            let body = format!(r#"{{"token":"{}"}}"#, token(who));
            return asked.answer("200 OK", "application/json", body);
        }
        let second = state.0 > 3;
        let more = if second { token("user-10") } else { "nothing".into() };
        let body = asked.body.replace('}', &format!(",\"more\":{}}}", quoted(&more)));
        asked.answer("200 OK", "application/json", body);
        state.1 |= second;
        changed.notify_all();
    });
    let text = ASK.replace("URL", &url).replace("IDENTITY", &identity);
    is_found(&scratch, driven(&scratch, &text, &["tok-"]), "credential `token`");
}

#[test]
fn a_secret_that_cannot_be_hidden_is_refused_with_its_remedy() {
    let scratch = Scratch::new("unfit");
    let shorts = [("short", "is shorter than 6 bytes"), ("4711471147", "is a number")];
    for (secret, why) in shorts.into_iter().chain([("question", "stands in the scenario itself")]) {
        let remedy = "give a longer one that stands nowhere else";
        let identity = listed(&scratch, ["open-sesame", "open-barley", secret]);
        let text = ASK.replace("URL", "http://127.0.0.1:1").replace("IDENTITY", &identity);
        let file = scratch.file("ask.toml", text).display().to_string();
        let told = ran(&mut scratch.partywall(&["run", &file])).exits(2);
        told.complains(&["the secret of user `carl`", why, remedy]);
        let identity = "headers = { x-user = \"{{ user }}\", x-key = \"{{ env.SESAME }}\" }";
        let text = ASK.replace("URL", "http://127.0.0.1:1").replace("IDENTITY", identity);
        let file = scratch.file("ask.toml", text).display().to_string();
        let told = ran(scratch.partywall(&["run", &file]).env("SESAME", secret)).exits(2);
        told.complains(&["`{{ env.SESAME }}`", why, remedy]);
    }
    // What only the server's command is given need be no secret.
    let text =
        ASK.replace("url = \"URL\"", "command = [\"false\"]\nenv = { A = \"{{ env.SESAME }}\" }");
    let text = text.replace("IDENTITY", "headers = { x-user = \"{{ user }}\" }");
    let file = scratch.file("ask.toml", text).display().to_string();
    let told = ran(scratch.partywall(&["run", &file]).env("SESAME", "short"));
    assert!(!told.stderr.contains("env.SESAME"), "{}", told.stderr);
}

const TALK: &str = r#"
version = 1
name = "talk"
title = "Talks"
[target]
url = "URL"
[identity]
IDENTITY
[start]
by = "message"
json = { question = "{{ prompt }}", id = "{{ request_id }}" }
[events]
connection = "websocket"
path = "/ws"
type = "/type"
run = "/run"
request = "/id"
ends = ["done"]
[workload]
users = 3
runs_per_user = 2
rounds = 2
sequential = false
[limits]
run_seconds = 3
"#;

/// What a server adds to the answer that opens an event connection, and whether it is a refusal. It
/// is given what the user said before, what another did, and how many were opened.
type Opens = fn(&str, &str, usize) -> (String, bool);

/// A server of event connections.
fn sockets(opens: Opens) -> String {
    let said: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    let opened = Arc::new(Mutex::new(0));
    serve(move |asked| {
        let own = asked.header("authorization").or_else(|| asked.header("x-user"));
        let own = own.unwrap_or_default().trim_start_matches("Bearer ").to_owned();
        let texts = said.lock().expect("nobody panics").clone();
        let text_of = |is_own: bool| {
            let found = texts.iter().find(|(user, _)| (*user == own) == is_own);
            found.map(|(_, text)| text.as_str()).unwrap_or_default()
        };
        let count = {
            let mut opened = opened.lock().expect("nobody panics");
            *opened += 1;
            *opened
        };
        let (headers, refused) = opens(text_of(true), text_of(false), count);
        if refused {
            return asked.answer(&format!("403 Forbidden{headers}"), "text/plain", "no");
        }
        let Ok(mut line) = asked.open_with(&headers) else { return };
        let mut runs = 0;
        while let Some(heard) = line.hear() {
            runs += 1;
            said.lock().expect("nobody panics").push((own.clone(), heard.clone()));
            let members = heard.trim_start_matches('{');
            let run = quoted(&format!("run-{runs}-{own}"));
            line.send(Message::text(format!(r#"{{"type":"done","run":{run},{members}"#)));
        }
    })
}

#[test]
fn ids_that_differ_in_a_secret_only_stay_apart() {
    let scratch = Scratch::new("secret-ids");
    let identity = listed(&scratch, SECRETS);
    let url = sockets(|_, _, _| (String::new(), false));
    let text = TALK.replace("URL", &url).replace("IDENTITY", &identity);
    assert_eq!(driven(&scratch, &text, &["open/sesame"]).1, []);
}

#[test]
fn headers_of_openings_and_of_refusals_are_judged() {
    let identity = "headers = { x-user = \"{{ user }}\" }";
    let leaking: [(Opens, &str); 2] = [
        (|_, other, _| (format!("\r\nx-last: {other}"), false), "websocket"),
        (|_, other, count| (format!("\r\nx-last: {other}"), count > 4), "http answer"),
    ];
    for (opens, channel) in leaking {
        let scratch = Scratch::new("opening-leaks");
        let text = TALK.replace("URL", &sockets(opens)).replace("IDENTITY", identity);
        let (ran, findings) = driven(&scratch, &text, &[]);
        ran.exits(1);
        let seen = findings.iter().find(|finding| {
            finding.oracle == OracleId::Canary && finding.observer_operation == channel
        });
        assert!(seen.is_some(), "{findings:#?}");
    }
    let clean: [Opens; 2] = [
        |own, _, _| (format!("\r\nx-last: {own}"), false),
        |own, _, count| (format!("\r\nx-last: {own}"), count > 4),
    ];
    for opens in clean {
        let scratch = Scratch::new("opening-clean");
        let text = TALK.replace("URL", &sockets(opens)).replace("IDENTITY", identity);
        assert_eq!(driven(&scratch, &text, &[]).1, []);
    }
}
