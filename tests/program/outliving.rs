//! Servers and stores that outlive a campaign: what they remember of it, rightly or not.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use partywall::trial::finding::OracleId;
use partywall::trial::history::History;
use partywall::trial::migration::StateVerdict;
use partywall::trial::record::{FindingRecord, Record};
use partywall::trial::replay_result::ReplayResult;
use partywall::trial::verdict::{Outcome, ReasonCode, Verdict};
use serde_json::{Value, json};

use crate::support::hostile::{Asked, serve};
use crate::support::reports::{codes, files, only_level, report};
use crate::support::{Scratch, partywall, ran};

/// What lives as long as the server, or longer.
type Store<T> = Arc<Mutex<T>>;

fn answer(asked: Asked, body: &Value) {
    // Users who ask together are answered together.
    std::thread::sleep(Duration::from_millis(20));
    asked.answer("200 OK", "application/json", body.to_string());
}

fn asked_json(asked: &Asked) -> Value {
    serde_json::from_str(&asked.body).expect("JSON")
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().expect("a text").to_owned()
}

/// Runs the scenario and gives the report.
#[track_caller]
fn run(scratch: &Scratch, file: &str, more: &[&str], code: i32) -> Record {
    ran(scratch.partywall(&["run", file]).args(more)).exits(code);
    report(&scratch.run_folder("run"))
}

/// Logs users in, each time with another member number, and shows pages, which are made of the member
/// who asks and the path.
fn members(page: fn(&mut Members, &str, &str) -> String) -> String {
    let store: Store<Members> = Arc::default();
    serve(move |asked| {
        let mut members = store.lock().expect("nobody panics");
        if asked.path() == "/login" {
            let (user, member) = (text(&asked_json(&asked), "user"), members.next());
            members.users.entry(user.clone()).or_default().push(member.clone());
            members.sessions.insert(member.clone(), user);
            let head = format!("200 OK\r\nset-cookie: sid={member}-session; HttpOnly");
            return asked.answer(
                &head,
                "application/json",
                json!({ "member": member }).to_string(),
            );
        }
        let cookie = asked.header("cookie").unwrap_or_default();
        let member = cookie.trim_start_matches("sid=").trim_end_matches("-session").to_owned();
        let path = asked.path().to_owned();
        let body = json!({ "page": page(&mut members, &member, &path) });
        drop(members);
        answer(asked, &body);
    })
}

#[derive(Default)]
struct Members {
    /// The numbers of each user, the last one last.
    users: BTreeMap<String, Vec<String>>,
    /// Whose number it is.
    sessions: BTreeMap<String, String>,
    cache: BTreeMap<String, String>,
    count: u64,
}

impl Members {
    fn next(&mut self) -> String {
        self.count += 1;
        format!("M{:016x}{:08x}", self.count.wrapping_mul(0x9E37_79B9_7F4A_7C15), self.count)
    }
}

const PAGES: &str = r#"
version = 1
name = "pages"
title = "Pages of members"
[target]
url = "URL"
[[setup]]
name = "login"
path = "/login"
json = { user = "{{ user }}" }
capture = { member = { pointer = "/member", private = true } }
[start]
by = "http"
method = "GET"
path = "/page?q={{ prompt }}"
answer = "json"
headers = { x-settings = "{{ settings }}" }
[workload]
users = 8
runs_per_user = 2
rounds = 2
"#;

#[test]
fn a_warm_cache_that_knows_no_users_leaks_in_every_run_and_seed_and_on_replay() {
    let url = members(|members, member, path| {
        let fresh = format!("member {member} asked for {path}");
        members.cache.entry(path.to_owned()).or_insert(fresh).clone()
    });
    let scratch = Scratch::new("warm-cache");
    let pages = format!("{}equal_percent = 50\n", PAGES.replace("URL", &url));
    let file = scratch.file("pages.toml", pages).display().to_string();
    let mut record = run(&scratch, &file, &[], 1);
    for seed in ["1", "1", "7"] {
        record = run(&scratch, &file, &["--seed", seed], 1);
    }
    let found = |found: &&FindingRecord| found.oracle == OracleId::Ownership;
    let found = only_level(&record).findings.iter().find(found).expect("a member's number");
    let repro = scratch.run_folder("run").join(found.repro.as_ref().expect("a repro"));
    let repro = repro.display().to_string();
    // It shows as often as it is asked again, and the server has all the old pages.
    for _ in 0..2 {
        ran(&mut partywall(&["replay", &repro, "--times", "3"])).exits(1);
    }
}

#[test]
fn what_a_server_gave_in_an_earlier_round_is_anothers_in_the_next() {
    // The number that the next user had in the round before.
    let late = |members: &mut Members, member: &str, path: &str| {
        let own = members.sessions[member].clone();
        let mut after = members.users.range(own.clone()..).skip(1).chain(members.users.iter());
        let (_, numbers) = after.next().expect("there are users");
        format!("{path} {}", numbers.iter().rev().nth(1).map_or("nothing", String::as_str))
    };
    let scratch = Scratch::new("late-members");
    let pages = PAGES.replace("URL", &members(late));
    let file = scratch.file("pages.toml", pages).display().to_string();
    let record = run(&scratch, &file, &["--rounds", "1"], 0);
    assert_eq!(only_level(&record).controls.judge.missed, [""; 0]);
    // The server lives on, the campaign does not: the next one knows nothing of those numbers.
    let record = run(&scratch, &file, &["--rounds", "2"], 1);
    let level = only_level(&record);
    assert_eq!(level.first_leak_at_trial, Some(2));
    let of_earlier = |found: &FindingRecord| {
        found.oracle == OracleId::Ownership
            && found.victim_operation == "private `member` of an earlier round"
            && found.victim != found.observer
    };
    assert!(level.findings.iter().any(of_earlier), "{:#?}", level.findings);
    // One's own of the round before is one's own.
    let own = |members: &mut Members, member: &str, path: &str| {
        let numbers = &members.users[&members.sessions[member]];
        format!("{path} {}", numbers.iter().rev().nth(1).map_or("nothing", String::as_str))
    };
    let pages = PAGES.replace("URL", &members(own));
    let file = scratch.file("own.toml", pages).display().to_string();
    run(&scratch, &file, &["--rounds", "3"], 0);
}

const PEOPLE: [&str; 8] = ["ann", "bert", "cleo", "dora", "emil", "fred", "gwen", "hugo"];

const ASK: &str = r#"
version = 1
name = "people"
title = "Questions of people"
[target]
url = "URL"
[identity]
headers = { x-user = "{{ user }}" }
users_file = "people.txt"
[start]
by = "http"
path = "/ask"
json = { question = "{{ prompt }}" }
[workload]
users = 8
runs_per_user = 2
rounds = 2
"#;

/// A server that tells users what they asked last; once it mixes people up, everybody what the one
/// across from them had asked last when that began.
fn last_questions(mixed_up: &Arc<AtomicBool>) -> String {
    #[derive(Default)]
    struct Asked {
        last: BTreeMap<String, String>,
        frozen: Option<BTreeMap<String, String>>,
    }
    let (mixed_up, store) = (Arc::clone(mixed_up), Store::<Asked>::default());
    serve(move |asked| {
        let user = asked.header("x-user").expect("a user");
        let question = text(&asked_json(&asked), "question");
        let mut all = store.lock().expect("nobody panics");
        let last = all.last.insert(user.clone(), question.clone());
        let last = match mixed_up.load(Ordering::Relaxed) {
            false => last,
            true => {
                let at = PEOPLE.iter().position(|one| *one == user).expect("one of them");
                let now = all.last.clone();
                all.frozen.get_or_insert(now).get(PEOPLE[PEOPLE.len() - 1 - at]).cloned()
            }
        };
        drop(all);
        answer(asked, &json!({ "question": question, "last": last }));
    })
}

#[test]
fn the_same_people_in_another_order_are_the_same_people() {
    let mixed_up = Arc::new(AtomicBool::new(false));
    let scratch = Scratch::new("people");
    let list = scratch.path().join("people.txt").display().to_string();
    let scenario = ASK.replace("URL", &last_questions(&mixed_up)).replace("people.txt", &list);
    let file = scratch.file("people.toml", scenario).display().to_string();
    let backwards: Vec<&str> = PEOPLE.iter().rev().copied().collect();
    let crossings = |people: &[&str], code| {
        scratch.file("people.txt", people.join("\n"));
        only_level(&run(&scratch, &file, &[], code)).findings.clone()
    };
    // What comes back to each is what they said themselves, in an earlier campaign too.
    assert_eq!(crossings(&PEOPLE, 0), []);
    assert_eq!(crossings(&backwards, 0), []);
    assert_eq!(crossings(&PEOPLE, 0), []);
    // Whoever is across has the index now that one had oneself.
    mixed_up.store(true, Ordering::Relaxed);
    let found = crossings(&backwards, 1);
    let of_earlier = |found: &FindingRecord| {
        let at = |name: &str| PEOPLE.iter().position(|one| *one == name);
        found.victim_operation == "prompt of a run of an earlier campaign"
            && at(found.victim.as_str()).map(|at| PEOPLE.len() - 1 - at)
                == at(found.observer.as_str())
    };
    assert!(found.iter().any(of_earlier), "{found:#?}");
}

/// The notes of each user, the last few.
type Notes = Store<BTreeMap<String, Vec<String>>>;

/// Keeps notes and shows users theirs. One that misfiles puts every third under the name of whoever
/// asked before.
fn notes(notes: &Notes, misfiles: bool) -> String {
    let notes = Arc::clone(notes);
    let asked_before = Store::<(u64, String)>::default();
    serve(move |asked| {
        let user = asked.header("x-user").expect("a user");
        let question = asked_json(&asked);
        let mut before = asked_before.lock().expect("nobody panics");
        before.0 += 1;
        let other = std::mem::replace(&mut before.1, user.clone());
        let wrong = misfiles && before.0 % 3 == 0;
        drop(before);
        let owner = if wrong { other } else { user.clone() };
        let mut all = notes.lock().expect("nobody panics");
        let of_owner = all.entry(owner).or_default();
        of_owner.push(text(&question, "text"));
        of_owner.drain(..of_owner.len().saturating_sub(12));
        let own = all.get(&user).cloned().unwrap_or_default();
        drop(all);
        answer(asked, &json!({ "id": question["id"], "notes": own }));
    })
}

const NOTES: &str = r#"
version = 1
name = "notes"
title = "Notes in a store"
[target]
[identity]
headers = { x-user = "{{ user }}" }
[start]
by = "http"
path = "/notes"
answer = "json"
json = { id = "{{ request_id }}", text = "{{ prompt }} by {{ user }}" }
[events]
request = "/id"
[workload]
users = 8
runs_per_user = 2
rounds = 2
"#;

/// Signs off notes whose `before` misfiles; `after` has that store, and misfiles or not.
fn signed_off(scratch: &Scratch, own_store: bool, misfiles: bool) -> Record {
    let (old, new) = (Notes::default(), Notes::default());
    let before = notes(&old, true);
    let after = notes(if own_store { &new } else { &old }, misfiles);
    let sides = format!("[before]\nurl = \"{before}\"\n[after]\nurl = \"{after}\"\n");
    let file = scratch.file("notes.toml", format!("{NOTES}{sides}")).display().to_string();
    ran(&mut scratch.partywall(&["signoff", &file, "--nonce", "70"]));
    report(&scratch.run_folder("signoff"))
}

#[test]
fn what_before_misfiled_is_no_crossing_of_after_and_is_told_with_the_remedy() {
    let scratch = Scratch::new("left-in-store");
    let record = signed_off(&scratch, false, false);
    assert_eq!(record.verdict, Outcome::Inconclusive);
    assert!(codes(&record).contains(&ReasonCode::LeftInStore), "{:?}", record.reasons);
    let after = record.after.as_ref().expect("a side");
    assert_eq!((after.verdict, after.levels[0].findings.len()), (Verdict::Inconclusive, 0));
    assert!(record.cross_checks.iter().all(|check| check.replay == ReplayResult::Gone));
    // With a store of its own nothing is left that speaks against it.
    let record = signed_off(&scratch, true, false);
    assert_eq!(record.verdict, Outcome::Fixed, "{:?}", record.reasons);
    assert_eq!(record.after.expect("a side").verdict, Verdict::Clean);
}

#[test]
fn what_after_misfiles_itself_still_leaks() {
    for own_store in [true, false] {
        let scratch = Scratch::new("misfiles-still");
        let record = signed_off(&scratch, own_store, true);
        assert_eq!(record.verdict, Outcome::StillLeaks);
        let after = record.after.as_ref().expect("a side");
        assert_eq!(after.verdict, Verdict::Leaked);
        assert!(after.levels[0].findings.iter().all(|found| found.victim != found.observer));
    }
}

#[test]
fn each_side_of_a_sign_off_has_the_next_nonce() {
    let scratch = Scratch::new("nonces");
    signed_off(&scratch, true, false);
    let histories = files(&scratch.run_folder("signoff").join("histories"), ".jsonl");
    assert!(histories.len() >= 4);
    for path in histories {
        let history = std::fs::read_to_string(&path).expect("a history");
        let history = History::from_file(&history).expect("a history");
        let is_after = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('a'));
        let key = history.plan.campaign;
        assert_eq!(key.nonce(), if is_after { 71 } else { 70 });
        assert_eq!(key.is_of_later_state(), is_after);
    }
}

#[test]
fn what_an_earlier_listed_state_misfiled_leaves_a_later_one_undecided() {
    let scratch = Scratch::new("left-by-state");
    let (old, new) = (Notes::default(), Notes::default());
    let states: String = [
        ("legacy", "[\"filing\", \"export\"]", notes(&old, true)),
        ("cured", "[\"export\"]", notes(&old, false)),
        ("cured-and-empty", "[]", notes(&new, false)),
    ]
    .into_iter()
    .map(|(name, legacy, url)| {
        format!("[[state]]\nname = \"{name}\"\nlegacy = {legacy}\nurl = \"{url}\"\n")
    })
    .collect();
    let file = scratch.file("notes.toml", format!("{NOTES}{states}")).display().to_string();
    ran(&mut scratch.partywall(&["migration", &file, "--nonce", "70"]));
    let matrix = report(&scratch.run_folder("migration")).migration.expect("it has states");
    let verdict = |name: &str| {
        let named =
            |row: &&partywall::trial::migration::StateRow| row.name.as_deref() == Some(name);
        matrix.states.iter().find(named).expect("a state").verdict
    };
    assert_eq!(verdict("legacy"), StateVerdict::Leaked);
    assert_eq!(verdict("cured"), StateVerdict::Inconclusive);
    assert_eq!(verdict("cured-and-empty"), StateVerdict::Clean);
}
