//! The library in somebody's own tests: own code explored, found leaking, told, replayed first; and
//! what is no leak told apart from one.

#[path = "own_code/alone.rs"]
mod alone;
#[path = "own_code/endings.rs"]
mod endings;
#[path = "../examples/own_backend.rs"]
mod own_backend;
#[path = "../examples/own_code.rs"]
mod own_code_example;
#[path = "own_code/stale_reply.rs"]
mod stale_reply;
#[path = "own_code/third_party.rs"]
mod third_party;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use partywall::campaign::repro::Repro;
use partywall::campaign::search::Search;
use partywall::trial::plan::{FaultKind, Via};
use partywall::trial::replay_result::ReplayResult;
use partywall::trial::verdict::Verdict;
use partywall::world::backend::Backend;
use partywall::{Chat, Config, assert_isolated, explore, handler};

/// Where the prompt is kept while the request waits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    ForEverybody,
    PerRequest,
}

/// A service whose every request writes its prompt to a slot, waits, and answers from it.
fn service(form: Slot) -> impl Backend {
    let shared = Arc::new(Mutex::new(String::new()));
    handler(move |chat: Chat| {
        let slot = match form {
            Slot::ForEverybody => Arc::clone(&shared),
            Slot::PerRequest => Arc::default(),
        };
        async move {
            *slot.lock().expect("nobody panics") = chat.prompt().to_owned();
            for _ in 0..2 {
                chat.say("working on it");
                chat.world().turn().await;
            }
            let prompt = slot.lock().expect("nobody panics").clone();
            format!("you asked: {prompt}")
        }
    })
}

/// A folder of saved repros that is empty.
fn regressions(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("own-code").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

fn config(name: &str) -> Config {
    Config::named(name).regressions(None)
}

#[test]
fn every_search_finds_the_slot_and_none_blames_the_request() {
    let searches = [
        Search::Random,
        Search::Pct { depth: 2 },
        Search::Guided,
        Search::Exhaustive { delays: Some(1) },
        Search::Sweep { kinds: vec![FaultKind::Vanish], plans: 4 },
    ];
    for search in searches {
        let config = config("slot").search(search.clone()).trials(300);
        let leaks = explore(config.clone(), || service(Slot::ForEverybody)).expect("explored");
        assert_eq!(leaks.verdict(), Verdict::Leaked, "{search:?}");
        let clean = explore(config, || service(Slot::PerRequest)).expect("explored");
        assert_eq!(clean.findings().count(), 0, "{search:?}");
    }
}

#[test]
fn a_service_that_shares_nothing_is_isolated() {
    assert_isolated(config("isolated"), || service(Slot::PerRequest));
    // The other form of `make`, and faults on top.
    let config = config("isolated-with-faults").faults(0..=2).runs_per_user(2);
    assert_isolated(config, |_: &partywall::World| service(Slot::PerRequest));
}

/// A service with the given slot, whose requests wait once and send nothing on the way.
fn waits_once(form: Slot, speaks: bool) -> impl Backend {
    let shared = Arc::new(Mutex::new(String::new()));
    handler(move |chat: Chat| {
        let slot = match form {
            Slot::ForEverybody => Arc::clone(&shared),
            Slot::PerRequest => Arc::default(),
        };
        async move {
            *slot.lock().expect("nobody panics") = chat.prompt().to_owned();
            if speaks {
                chat.say("working on it");
            }
            chat.world().turn().await;
            let prompt = slot.lock().expect("nobody panics").clone();
            format!("you asked: {prompt}")
        }
    })
}

/// The example of the README, cured, and one that sends nothing but its answer.
#[test]
fn one_await_is_enough_for_the_default_to_be_clean() {
    for speaks in [true, false] {
        for via in [Via::Socket, Via::Http] {
            let config = config("waits-once").via(&[via]);
            let leaks = explore(config.clone(), || waits_once(Slot::ForEverybody, speaks));
            assert_eq!(leaks.expect("explored").verdict(), Verdict::Leaked);
            assert_isolated(config, || waits_once(Slot::PerRequest, speaks));
        }
    }
}

#[test]
fn a_leak_fails_the_test_with_its_story_and_is_replayed_first_from_then_on() {
    let folder = regressions("story");
    let with = || Config::named("slot").regressions(Some(folder.clone()));
    let failed = std::panic::catch_unwind(|| {
        assert_isolated(with(), || service(Slot::ForEverybody));
    });
    let story = failed.expect_err("it leaks");
    let story = story.downcast_ref::<String>().expect("a message").clone();
    for part in [
        "LEAKED in trial",
        "shrunk to 2 active users, 2 runs",
        "pw-schedule-1;",
        "DEVIATION:",
        " step  ",
        ">>> ",
        "replayed first",
        "Reproduce with: cargo test slot",
    ] {
        assert!(story.contains(part), "no `{part}` in\n{story}");
    }
    assert!(story.lines().all(|line| line.chars().count() <= 200), "{story}");

    let saved = std::fs::read_dir(&folder).expect("it was made").count();
    assert_eq!(saved, 1);
    // One trial would not do by itself: it is the saved repro that shows it.
    let again = explore(with().trials(1).users(2..=2).seed(3), || service(Slot::ForEverybody));
    let again = again.expect("explored");
    assert_eq!(again.saved_repros()[0].replay, ReplayResult::Same);
    assert_eq!(again.verdict(), Verdict::Leaked);
    let cured = explore(with(), || service(Slot::PerRequest)).expect("explored");
    assert_eq!(cured.saved_repros()[0].replay, ReplayResult::Gone);
    assert_eq!(cured.verdict(), Verdict::Clean);
}

#[test]
fn a_saved_repro_of_another_version_is_one_clear_error() {
    let folder = regressions("version");
    let isolation = explore(config("slot"), || service(Slot::ForEverybody)).expect("explored");
    let repro: &Repro = isolation.repros().first().expect("it leaks");
    std::fs::create_dir_all(&folder).expect("a folder");
    let text = repro.to_file();
    let cases = [
        (
            "version.json",
            text.replace("\"version\": 2,\n  \"partywall\"", "\"version\": 9,\n  \"partywall\""),
            "format 9",
        ),
        ("cut.json", text[..text.len() / 2].to_owned(), "not a repro"),
        ("schedule.json", text.replace("pw-schedule-1;", "pw-schedule-1;x"), ""),
        ("cut-schedule.json", text.replace('@', ""), "in `schedule`"),
    ];
    for (name, text, problem) in cases {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("written");
        let with = Config::named("slot").regressions(Some(folder.clone())).trials(1);
        let came_to = explore(with, || service(Slot::PerRequest));
        if problem.is_empty() {
            // Well-formed, but of no task that there is: told as diverged, not as gone.
            let diverged = came_to.expect("explored");
            assert!(diverged.saved_repros()[0].replay == ReplayResult::Diverged, "{diverged:?}");
        } else {
            let error = came_to.expect_err("refused").to_string();
            assert!(error.contains(name) && error.contains(problem), "{error}");
            assert!(error.contains("--save-regressions"), "{error}");
        }
        std::fs::remove_file(&path).expect("removed");
    }
}

#[test]
fn the_examples_show_what_they_say() {
    own_code_example::main().expect("explored");
    own_backend::main().expect("explored");
}

#[test]
fn values_out_of_range_are_refused_and_not_changed() {
    let wrong: [fn() -> Config; 6] = [
        || config("none").users(0..=2),
        || config("many").users(2..=5_001),
        || config("runs").runs_per_user(0),
        || config("runs").runs_per_user(1_001),
        || config("faults").faults(0..=17),
        || config("trials").trials(0),
    ];
    for (number, make) in wrong.iter().enumerate() {
        assert!(std::panic::catch_unwind(make).is_err(), "{number}");
    }
}
