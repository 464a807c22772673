//! How simulated users prove who they are: lists of users, secrets, cookies, captures, ids.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use partywall::trial::verdict::{Outcome, ReasonCode};

use crate::support::hostile::serve;
use crate::support::reports::{codes, contents, only_level, report};
use crate::support::{Scratch, partywall, ran};

/// What came: path, head and body.
type Came = Arc<Mutex<Vec<(String, String, String)>>>;

/// A server that writes down what comes and logs everybody in: with a cookie of theirs, a header, a
/// JSON member and a text.
fn server() -> (String, Came) {
    let came = Came::default();
    let own = Arc::clone(&came);
    let url = serve(move |asked| {
        let (path, body) = (asked.path().to_owned(), asked.body.clone());
        own.lock().expect("nobody panics").push((path.clone(), asked.head.clone(), body.clone()));
        if path.starts_with("/login") {
            let who: serde_json::Value = serde_json::from_str(&body).expect("JSON");
            let who =
                who["user"].as_str().expect("a name").replace(|c: char| !c.is_alphanumeric(), "");
            let status = format!(
                "200 OK\r\nset-cookie: session=cookie-of-{who}; Path=/; HttpOnly\r\nx-key: key-of-{who}"
            );
            let body = format!(r#"{{"me":{{"id":"id-of-{who}"}},"note":"code=c-{who};"}}"#);
            return asked.answer(&status, "application/json", body);
        }
        let body = if body.is_empty() { "{}".to_owned() } else { body };
        asked.answer("200 OK", "application/json", body);
    });
    (url, came)
}

const ASK: &str = r#"
version = 1
name = "ask"
title = "Questions"
[target]
url = "URL"
[identity]
headers = { x-user = "{{ user }}" }
USERS
[start]
by = "http"
path = "/ask"
json = { question = "{{ prompt }}", id = "{{ request_id }}", in = "{{ thread }}" }
IDS
[workload]
users = 4
runs_per_user = 2
rounds = 1
"#;

fn asks(came: &Came) -> Vec<(String, serde_json::Value)> {
    let came = came.lock().expect("nobody panics");
    let asked = came.iter().filter(|(path, ..)| path == "/ask");
    asked.map(|(_, head, body)| (head.clone(), serde_json::from_str(body).expect("JSON"))).collect()
}

#[track_caller]
fn header(head: &str, name: &str) -> String {
    let found = head.lines().find_map(|line| {
        let (own, value) = line.split_once(": ")?;
        own.eq_ignore_ascii_case(name).then(|| value.to_owned())
    });
    found.unwrap_or_else(|| panic!("no {name} in {head}"))
}

#[test]
fn users_come_from_a_file_or_a_command_and_their_secrets_are_written_nowhere() {
    let scratch = Scratch::new("users");
    let list = "ann\topen-sesame-ann\nbob\topen-sesame-bob\n\ncarl\topen-sesame-carl\n";
    let path = scratch.path().join("users.tsv").display().to_string();
    std::fs::write(&path, list).expect("written");
    let secret =
        "headers = { authorization = \"Bearer {{ user.secret }}\", x-user = \"{{ user }}\" }";
    for from in
        [format!("users_file = \"{path}\""), format!("users_command = [\"cat\", \"{path}\"]")]
    {
        let (url, came) = server();
        let text = ASK.replace("URL", &url).replace("USERS", &from).replace("IDS", "");
        let text = text.replace("headers = { x-user = \"{{ user }}\" }", secret);
        // The server gives the secret back, so that there is something to be hidden.
        let text = text.replace("{{ prompt }}\"", "{{ prompt }} {{ user.secret }}\"");
        let file = scratch.file("ask.toml", text).display().to_string();
        let formats = "html,junit,sarif,markdown";
        let arguments = ["run", &file, "--report", formats];
        let ran = ran(&mut scratch.partywall(&arguments));
        assert!(matches!(ran.code, Some(0 | 5)), "{}", ran.stderr);
        let level_users: std::collections::BTreeSet<_> = asks(&came)
            .iter()
            .map(|(head, _)| (header(head, "x-user"), header(head, "authorization")))
            .collect();
        let pair = |who: &str| (who.to_owned(), format!("Bearer open-sesame-{who}"));
        assert_eq!(level_users, ["ann", "bob", "carl"].map(pair).into());
        assert!(!ran.stdout.contains("open-sesame") && !ran.stderr.contains("open-sesame"));
        for (path, bytes) in contents(&scratch.run_folder("run")) {
            assert!(!String::from_utf8_lossy(&bytes).contains("open-sesame"), "{path:?}");
        }
    }
}

#[test]
fn a_list_that_is_none_is_told_with_its_remedy() {
    let scratch = Scratch::new("no-users");
    let text = ASK.replace("URL", "http://127.0.0.1:1").replace("IDS", "");
    let one = scratch.file("one", "ann\n").display().to_string();
    let cases = [
        ("users_file = \"/no/such/file\"".to_owned(), "`users_file` in `[identity]`"),
        (format!("users_file = \"{one}\""), "at least two users"),
        ("users_command = [\"false\"]".to_owned(), "failed"),
        ("users_command = [\"/no/such/program\"]".to_owned(), "could not be started"),
        ("users = [\"a\", \"b\"]\nusers_file = \"x\"".to_owned(), "give one of"),
    ];
    for (users, complaint) in cases {
        let file = scratch.file("ask.toml", text.replace("USERS", &users)).display().to_string();
        ran(&mut scratch.partywall(&["run", &file])).exits(2).complains(&[complaint]);
    }
    let asks = text.replace("USERS", "").replace("{{ user }}", "{{ user.secret }}");
    let file = scratch.file("ask.toml", asks).display().to_string();
    let told = ran(&mut partywall(&["check-scenario", &file])).exits(2);
    told.complains(&["line 8", "users_file"]);
}

#[test]
fn a_login_gives_cookies_headers_members_and_texts_for_what_follows() {
    let (url, came) = server();
    let scratch = Scratch::new("login");
    let setup = r#"
cookies = { theme = "dark", me = "{{ capture.id }}" }
query = { code = "{{ capture.code }}" }
[[setup]]
name = "login"
path = "/login"
json = { user = "{{ user }}" }
capture = { key = { header = "x-key" }, id = { pointer = "/me/id" }, code = { regex = "code=([^;]*);" } }
"#;
    let text = ASK.replace("URL", &url).replace("USERS", setup).replace("IDS", "");
    let text = text.replace("{ x-user = \"{{ user }}\" }", "{ x-key = \"{{ capture.key }}\" }");
    let file = scratch.file("ask.toml", text).display().to_string();
    ran(&mut scratch.partywall(&["run", &file]));
    let level = only_level(&report(&scratch.run_folder("run"))).clone();
    assert_eq!((level.runs_started, level.runs_completed), (8, 8));
    let came = came.lock().expect("nobody panics");
    // One user may be driven alone afterwards.
    let asked: Vec<_> = came.iter().filter(|(path, ..)| path.starts_with("/ask")).take(8).collect();
    assert_eq!(asked.len(), 8);
    for (path, head, _) in asked {
        let who = header(head, "x-key").strip_prefix("key-of-").expect("a key").to_owned();
        assert_eq!(
            *path,
            format!("/ask?code=c-{}", who.replace(|c: char| !c.is_ascii(), "")).as_str()
        );
        let cookie = header(head, "cookie");
        for part in
            [format!("session=cookie-of-{who}"), "theme=dark".into(), format!("me=id-of-{who}")]
        {
            assert!(cookie.split("; ").any(|own| own == part), "{cookie}");
        }
    }
}

#[test]
fn client_side_ids_are_equal_unique_or_collide() {
    let scratch = Scratch::new("ids");
    let mut seen = BTreeMap::new();
    for ids in ["equal", "unique", "colliding"] {
        let (url, came) = server();
        let line = format!("ids = \"{ids}\"");
        let text = ASK.replace("URL", &url).replace("USERS", "").replace("IDS", &line);
        let file = scratch.file("ask.toml", text).display().to_string();
        ran(&mut scratch.partywall(&["run", &file]));
        let all: Vec<(String, String, String)> = asks(&came)
            .iter()
            // One user may be driven alone afterwards.
            .take(8)
            .map(|(head, body)| {
                let text = |name: &str| body[name].as_str().expect("a text").to_owned();
                (header(head, "x-user"), text("id"), text("in"))
            })
            .collect();
        assert_eq!(all.len(), 8, "{ids}");
        seen.insert(ids, all);
    }
    let different = |ids: &str, of: fn(&(String, String, String)) -> String| {
        seen[ids].iter().map(of).collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!(
        (different("equal", |one| one.1.clone()), different("equal", |one| one.2.clone())),
        (2, 1)
    );
    assert_eq!(
        (different("unique", |one| one.1.clone()), different("unique", |one| one.2.clone())),
        (8, 4)
    );
    // Joined with their users' names, two are one.
    let joined = |one: &(String, String, String)| format!("{}{}", one.0, one.1);
    assert!(different("colliding", |one| format!("{} {}", one.0, one.1)) == 8);
    assert!(
        seen["colliding"].iter().map(joined).collect::<std::collections::BTreeSet<_>>().len() < 8
    );
    let bad = ASK.replace("USERS", "").replace("IDS", "ids = \"odd\"");
    let file = scratch.file("ask.toml", bad).display().to_string();
    let told = ran(&mut partywall(&["check-scenario", &file])).exits(2);
    told.complains(&["line 14", "start.ids", "odd", "equal", "unique", "colliding"]);
}

#[test]
fn a_dry_run_prints_the_first_users_requests_and_sends_nothing() {
    let (url, came) = server();
    let scratch = Scratch::new("dry");
    let setup = r#"
[[setup]]
name = "login"
path = "/login"
json = { user = "{{ user }}", password = "{{ env.SESAME }}" }
capture = { key = { header = "x-key" } }
"#;
    let text = ASK.replace("URL", &url).replace("USERS", setup).replace("IDS", "");
    let text = text.replace("x-user = \"{{ user }}\"", "x-key = \"{{ capture.key }}\"");
    let file = scratch.file("ask.toml", text).display().to_string();
    let mut command = scratch.partywall(&["run", &file, "--dry-run"]);
    let shown = ran(command.env("SESAME", "open-sesame-4711")).exits(0).stdout;
    let login = format!(
        "POST {url}/login\ncontent-type: application/json\n\n{{\"password\":\"env.SESAME\""
    );
    assert!(shown.contains(&login), "{shown}");
    let ask = format!(
        "POST {url}/ask\nx-key: capture.key\ncontent-type: application/json\n\n{{\"id\":\"1\""
    );
    assert!(shown.contains(&ask), "{shown}");
    assert!(!shown.contains("open-sesame"), "{shown}");
    assert!(came.lock().expect("nobody panics").is_empty());
    assert!(!scratch.path().join("runs").exists());
    // The secret is not even asked for.
    ran(&mut scratch.partywall(&["run", &file, "--dry-run"])).exits(0);
}

/// A log-in that gives everybody the same, or whose gift nobody shows, leaves the server without a way
/// to tell users apart: neither is it clean, nor is what it mixes up a leak.
#[test]
fn users_whom_the_server_cannot_tell_apart_exercise_nothing() {
    let last = Arc::new(Mutex::new(String::new()));
    let url = serve(move |asked| {
        let body = match asked.path() {
            "/login" => r#"{"token":"the-token-of-everybody"}"#.to_owned(),
            // What the one before has said, whoever asks.
            _ => std::mem::replace(&mut *last.lock().expect("nobody panics"), asked.body.clone()),
        };
        asked.answer("200 OK", "application/json", body);
    });
    let login = r#"
[[setup]]
name = "login"
path = "/login"
json = { user = "{{ user }}" }
capture = { token = { pointer = "/token" } }
"#;
    let (by_token, by_name) =
        ("{ authorization = \"Bearer {{ capture.token }}\" }", "{ x-user = \"{{ user }}\" }");
    let scratch = Scratch::new("alike");
    for (headers, none, expected) in [
        (by_token, "", Some(4)),
        ("{ accept = \"*/*\" }", "", Some(4)),
        (by_token, "none = true", None),
        (by_name, "", None),
    ] {
        let text = ASK.replace("URL", &url).replace("USERS", &format!("{none}\n{login}"));
        let text = text.replace("{ x-user = \"{{ user }}\" }", headers).replace("IDS", "");
        let file = scratch.file("ask.toml", text).display().to_string();
        let ran = ran(&mut scratch.partywall(&["run", &file]));
        let record = report(&scratch.run_folder("run"));
        let alike = codes(&record).contains(&ReasonCode::UsersAlike);
        assert_eq!(alike, expected.is_some(), "{headers} {none}: {:?}", record.reasons);
        match expected {
            Some(code) => {
                assert_eq!((ran.code, record.verdict), (Some(code), Outcome::Inconclusive))
            }
            None => assert_eq!(record.verdict, Outcome::Leaked, "{headers} {none}"),
        }
    }
}
