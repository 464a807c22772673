//! Latent contamination: what a back end reports of its own memory is a warning of the level and of
//! every report, beside a verdict that stays what it is.

use std::sync::{Arc, Mutex};

use partywall::report::terminal::Style;
use partywall::report::{github, html, json, junit, markdown, sarif, terminal};
use partywall::trial::history::Note;
use partywall::trial::ids::{RunId, UserName};
use partywall::trial::record::{Latent, LevelName, Record};
use partywall::trial::verdict::Verdict;
use partywall::world::backend::Backend;
use partywall::{Chat, Config, explore, handler};

/// A service that keeps an emitter for everybody, and sets it right before it speaks.
fn rebinding() -> impl Backend {
    let bound_to: Arc<Mutex<Option<UserName>>> = Arc::default();
    handler(move |chat: Chat| {
        let bound_to = Arc::clone(&bound_to);
        async move {
            let user = UserName::new(chat.user());
            let before = bound_to.lock().expect("nobody panics").replace(user.clone());
            if let Some(of) = before {
                let (what, run) = ("an emitter".into(), RunId::new("run-x"));
                chat.world().report(Note::Held { what, user, run, of });
            }
            for _ in 0..2 {
                chat.say("working on it");
                chat.world().turn().await;
            }
            format!("you asked: {}", chat.prompt())
        }
    })
}

#[test]
fn what_crosses_in_memory_only_is_a_warning_of_a_clean_level() {
    let config = Config::named("rebinding").trials(200).regressions(None);
    let explored = explore(config, rebinding).expect("explored");
    assert_eq!((explored.verdict(), explored.findings().count()), (Verdict::Clean, 0));
    let latent = explored.level().latent.as_ref().expect("the back end says so");
    assert!(latent.trials > 100 && latent.first_trial == 1, "{latent:?}");
    assert!(latent.example.starts_with("an emitter of "), "{latent:?}");
}

/// The text without its line breaks.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn contaminated() -> Record {
    let mut record = crate::records::clean_explore();
    let level = record.levels.iter_mut().find(|level| level.level == LevelName::Explore);
    let example = "an emitter of user-1 (run-<b>1</b>) was bound to user-10".into();
    let latent = Latent { trials: 12, first_trial: 3, example };
    level.expect("a level").latent = Some(latent);
    record
}

#[test]
fn every_report_shows_it_beside_the_verdict_and_none_calls_it_a_leak() {
    let record = contaminated();
    let texts = [
        one_line(&terminal::render(&record, Style::default())),
        markdown::render(&record),
        html::render(&record),
        sarif::render(&record),
        github::annotations(&record),
        junit::render(&record, false),
        json::render(&record),
    ];
    for text in &texts[..6] {
        assert!(text.contains("latent contamination"), "{text}");
    }
    for text in &texts[..5] {
        assert!(text.contains("12 of 2,000 trials"), "{text}");
    }
    let [terminal, markdown, html, sarif, github, junit, json] = &texts;
    assert!(terminal.starts_with("CLEAN: ") && markdown.contains("CLEAN"));
    let above = terminal.find("Figures").unwrap_or(terminal.len());
    assert!(terminal.find("latent contamination").is_some_and(|at| at < above), "{terminal}");
    assert!(!html.contains("run-<b>"), "server text is escaped");
    assert!(sarif.contains("\"level\":\"warning\"") && !sarif.contains("\"level\":\"error\",\"m"));
    assert!(github.starts_with("::warning title=latent contamination::"), "{github}");
    assert!(!junit.contains("<failure") && !junit.contains("<error"), "{junit}");
    assert!(json.contains("\"first_trial\": 3"), "{json}");
    // Nothing of it where there is none.
    let clean = crate::records::clean_explore();
    assert!(!terminal::render(&clean, Style::default()).contains("latent"));
    assert!(github::annotations(&clean).is_empty());
}
