//! The listed states of a migration of somebody's own server, driven on the wire.

use std::path::Path;

use partywall::trial::migration::{Exercise, MigrationRecord, SiteRow, StateVerdict};
use partywall::trial::record::Side;
use partywall::trial::verdict::Outcome;

use crate::support::reports::{files, report};
use crate::support::toy::{Leak, serve};
use crate::support::{Scratch, partywall, ran};

/// The ready scenario, with this build as the server and little patience.
fn scenario() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/chat-migration.toml");
    let text = std::fs::read_to_string(path).expect("a ready scenario");
    let program = format!("\"{}\",", env!("CARGO_BIN_EXE_partywall"));
    text.replace("\"partywall\",", &program).replace("run_seconds = 3", "run_seconds = 1")
}

/// The scenario with those of its states only.
fn with_states(text: &str, names: &[&str]) -> String {
    let (head, rest) = text.split_once("[[state]]").expect("there are states");
    let (states, tail) = rest.split_once("[identity]").expect("it follows the states");
    let mut kept = head.to_owned();
    for state in states.split("[[state]]") {
        if names.iter().any(|name| state.contains(&format!("name = \"{name}\""))) {
            kept.push_str("[[state]]");
            kept.push_str(state);
        }
    }
    kept + "[identity]" + tail
}

fn drive(scratch: &Scratch, text: &str, more: &[&str], code: i32) -> (MigrationRecord, Outcome) {
    let file = scratch.file("states.toml", text).display().to_string();
    let small = ["migration", &file, "--users", "10", "--report", "html"];
    let rounds: &[&str] = if more.contains(&"--rounds") { &[] } else { &["--rounds", "2"] };
    // Two: the second lets users work one after the other.
    ran(scratch.partywall(&small).args(rounds).args(more)).exits(code);
    let record = report(&scratch.run_folder("migration"));
    (record.migration.expect("it has states"), record.verdict)
}

#[track_caller]
fn site<'m>(matrix: &'m MigrationRecord, name: &str) -> &'m SiteRow {
    matrix.site_rows.iter().find(|row| row.site == name).expect("a call site")
}

fn verdicts(matrix: &MigrationRecord) -> Vec<(&str, StateVerdict)> {
    let of = |row: &'_ partywall::trial::migration::StateRow| row.verdict;
    matrix.states.iter().map(|row| (row.name.as_deref().unwrap_or_default(), of(row))).collect()
}

#[test]
fn listed_states_say_what_leaks_and_what_was_never_exercised() {
    use StateVerdict::{Clean, Inconclusive, Leaked};
    let scratch = Scratch::new("states");
    let (matrix, outcome) = drive(&scratch, &scenario(), &[], 0);
    assert_eq!(outcome, Outcome::Fixed);
    assert_eq!(
        verdicts(&matrix),
        [
            ("legacy", Leaked),
            // Clean to look at; but the call site that would leak over HTTP never ran.
            ("socket-migrated", Inconclusive),
            ("supervisor-left", Clean),
            ("only-socket", Leaked),
            ("only-http", Inconclusive),
            ("only-startup", Clean),
            ("migrated", Clean),
        ]
    );
    let marks = [
        ("startup", Exercise::BeforeOnly),
        ("request_dependency", Exercise::NotExercised),
        ("websocket_route", Exercise::Exercised),
        ("supervisor_agent", Exercise::Exercised),
        ("execution_engine_factory", Exercise::Exercised),
        ("user_execution_engine", Exercise::Exercised),
    ];
    for (name, exercised) in marks {
        assert_eq!(site(&matrix, name).exercised, exercised, "{name}");
    }
    assert_eq!(matrix.leak_alone, ["websocket_route"]);
    assert!(site(&matrix, "websocket_route").shown_by.contains("only-socket leaks"));
    assert_eq!(site(&matrix, "supervisor_agent").alone, None);
    let open = matrix.undetermined.join("\n");
    assert!(open.contains("leak alone: request_dependency, supervisor_agent"), "{open}");
    assert_eq!(matrix.order.last().map(|step| step.migrate.join("+")), Some("startup".into()));
    let migrated: usize = matrix.order.iter().map(|step| step.migrate.len()).sum();
    assert_eq!(migrated, matrix.sites.len());
    let legacy = &matrix.states[0];
    assert!(legacy.first_leak_at_trial.is_some() && legacy.leaking >= 1);
    assert!(legacy.leaks.iter().all(|leak| leak.reproduce_with.is_some()));
    let folder = scratch.run_folder("migration");
    assert!(!files(&folder.join("repros"), ".json").is_empty());
    let page = std::fs::read_to_string(folder.join("report.html")).expect("it was asked for");
    assert!(page.contains("7 listed states of the migration") && page.contains("supervisor-left"));
    assert!(page.contains("not exercised"), "the page marks call sites");
}

#[test]
fn without_evidence_nothing_is_called_exercised_but_what_was_seen_to_leak() {
    let scratch = Scratch::new("states-blind");
    let few = with_states(&scenario(), &["only-socket", "only-http", "migrated"]);
    let start = few.find("[migration]").expect("a table");
    let end = few.find("[[state]]").expect("states");
    let blind = few[..start].to_owned() + &few[end..];
    let (matrix, _) = drive(&scratch, &blind, &[], 0);
    assert_eq!(site(&matrix, "websocket_route").exercised, Exercise::Exercised);
    assert_eq!(site(&matrix, "request_dependency").exercised, Exercise::Unknown);
    let open = matrix.undetermined.join("\n");
    assert!(open.contains("never ran: only-http"), "{open}");
    assert!(open.contains("another user's settings"), "{open}");
    // A pattern that matches nothing anywhere is no evidence either.
    let wrong = few.replace("deprecated factory used by", "no such line");
    assert_ne!(wrong, few);
    let (matrix, _) = drive(&scratch, &wrong, &[], 0);
    assert_eq!(site(&matrix, "request_dependency").exercised, Exercise::Unknown);
    assert!(matrix.undetermined.join("\n").contains("told of no call site in any state"));
}

#[test]
fn what_is_not_listed_is_not_concluded_and_bad_states_are_told() {
    let scratch = Scratch::new("states-few");
    let few = with_states(&scenario(), &["only-socket"]);
    let (matrix, outcome) = drive(&scratch, &few, &["--rounds", "1"], 5);
    assert_eq!(outcome, Outcome::Inconclusive);
    assert!(matrix.leak_alone.is_empty(), "nothing shows that it would not leak migrated, too");
    assert!(matrix.undetermined.join("\n").contains("no such state is listed"));
    let spoilt = [
        ("legacy = []", "legacy = [\"startup\"]", "legacy in the state `only-startup`"),
        ("name = \"migrated\"", "name = \"legacy\"", "already"),
        ("legacy = []", "legacy = [\"startup\", \"startup\"]", "each once"),
        ("used by {{ site }}$", "used by {{ sight }}", "sight"),
        ("used by {{ site }}$", "used by ({{ site }}", "regular expression"),
        ("legacy = []\n", "", "legacy"),
    ];
    for (good, bad, told) in spoilt {
        let text = scenario().replacen(good, bad, 1);
        assert_ne!(text, scenario(), "{good}");
        let file = scratch.file("bad.toml", text).display().to_string();
        ran(&mut partywall(&["check-scenario", &file])).exits(2).complains(&[told]);
    }
    let none =
        with_states(&scenario(), &[]).replace("ready_seconds = 20", "url = \"http://127.0.0.1:9\"");
    let file = scratch.file("none.toml", none).display().to_string();
    ran(&mut scratch.partywall(&["migration", &file])).exits(2).complains(&["[[state]]"]);
    ran(&mut scratch.partywall(&["migration", "--rounds", "2"])).exits(2).complains(&["--trials"]);
}

#[test]
fn a_running_server_tells_by_a_page_what_was_exercised() {
    let scratch = Scratch::new("states-page");
    let states: String =
        [("fan-out", "fan_out", Leak::Broadcast), ("cache", "answer_cache", Leak::AnswerCache)]
            .into_iter()
            .map(|(name, site, leak)| {
                let url = serve(leak);
                format!("[[state]]\nname = \"{name}\"\nlegacy = [\"{site}\"]\nurl = \"{url}\"\n\n")
            })
            .collect();
    let none = with_states(&scenario(), &[]);
    let (head, _) = none.split_once("[migration]").expect("a table");
    let (_, tail) = none.split_once("[identity]").expect("a table");
    let page = "[migration]\nexercised = { get = \"/debug/sites\", pattern = '\"{{ site }}\": ?[1-9]' }\n\n";
    let text = format!("{head}{page}{states}[identity]{tail}");
    let exercised = |text: &str| {
        let (matrix, _) = drive(&scratch, text, &[], 5);
        let told = ["fan_out", "answer_cache"].map(|name| site(&matrix, name).exercised);
        (told, verdicts(&matrix).iter().map(|(_, verdict)| *verdict).collect::<Vec<_>>())
    };
    // The cache is asked over HTTP only: nothing of this work comes to it.
    let (told, verdicts) = exercised(&text);
    assert_eq!(told, [Exercise::Exercised, Exercise::NotExercised]);
    assert_eq!(verdicts, [StateVerdict::Leaked, StateVerdict::Inconclusive]);
    // The same server again: what its page says it said before, so that it shows nothing.
    let (told, _) = exercised(&text);
    assert_eq!(told[0], Exercise::BeforeOnly);
    // A page that is not there tells nothing.
    let (told, _) = exercised(&text.replace("/debug/sites", "/debug/none"));
    assert_eq!(told, [Exercise::Unknown; 2]);
}

/// A tree with two call sites, audited.
fn audit(scratch: &Scratch) -> std::path::PathBuf {
    let root = scratch.path().join("app");
    std::fs::create_dir_all(&root).expect("can be written");
    let text = "from core import get_agent_instance_factory\n\n\nasync def socket(ws):\n    \
                return get_agent_instance_factory()\n\n\ndef job():\n    \
                return get_agent_instance_factory()\n";
    std::fs::write(root.join("routes.py"), text).expect("can be written");
    let root = root.display().to_string();
    let json = ran(&mut partywall(&["audit", &root, "--format", "json"])).exits(0).stdout;
    scratch.file("audit.json", json)
}

#[test]
fn states_name_call_sites_as_the_audit_has_them() {
    let scratch = Scratch::new("states-audit");
    let audit = audit(&scratch).display().to_string();
    let few = with_states(&scenario(), &["only-socket", "migrated"]);
    // By its function; what the server prints stands for what a warning of Python's would say.
    let text = few
        .replace("legacy = [\"websocket_route\"]", "legacy = [\"routes.py:socket\"]")
        .replace("used by {{ site }}$", "used by websocket_route$|{{ path }}:{{ line }}:");
    let (matrix, _) = drive(&scratch, &text, &["--audit", &audit], 0);
    let socket = site(&matrix, "routes.py:socket");
    assert_eq!(socket.audited, ["routes.py:5"]);
    assert_eq!(socket.exercised, Exercise::Exercised);
    assert_eq!(site(&matrix, "routes.py:9").alone, None);
    let open = matrix.undetermined.join("\n");
    assert!(open.contains("no state names: routes.py:9"), "{open}");
    let stale = text.replace("routes.py:socket", "routes.py:gone");
    let file = scratch.file("stale.toml", stale).display().to_string();
    ran(&mut scratch.partywall(&["migration", &file, "--audit", &audit]))
        .exits(2)
        .complains(&["`routes.py:5`", "`routes.py:socket`"]);
}

#[test]
fn a_sign_off_of_ones_own_server_takes_audit_and_states_in() {
    let scratch = Scratch::new("states-signoff");
    let audit = audit(&scratch).display().to_string();
    let few = with_states(&scenario(), &["only-socket", "migrated"]);
    drive(&scratch, &few, &[], 0);
    let states = scratch.run_folder("migration").display().to_string();
    let program = env!("CARGO_BIN_EXE_partywall");
    let side = |name: &str, migrated: &str| {
        format!(
            "[{name}]\ncommand = [\"{program}\", \"serve\", \"--migrated\", \"{migrated}\", \
             \"--port\", \"{{{{ port }}}}\"]\n\n"
        )
    };
    let sides = side("before", "none") + &side("after", "all") + "[identity]";
    let text = few.replacen("[identity]", &sides, 1);
    let file = scratch.file("signoff.toml", text).display().to_string();
    let given = ["--audit", &audit, "--migration", &states];
    let quick = ["signoff", &file, "--rounds", "2"];
    let told = ran(scratch.partywall(&quick).args(given).arg("--require-migrated")).exits(1).stdout;
    assert!(told.starts_with("NOT MIGRATED"), "{told}");
    assert!(told.contains("routes.py:5:12") && told.contains("2 listed states"), "{told}");
    let record = report(&scratch.run_folder("signoff"));
    assert_eq!(record.verdict, Outcome::NotMigrated);
    // Before ends with the first round that has a finding, after drives them all.
    let level = |side: &Option<Side>| side.as_ref().expect("it was driven").levels[0].clone();
    let [before, after] = [&record.before, &record.after].map(level);
    assert_eq!([before.trials_planned, after.trials_planned], [2, 2]);
    assert_eq!((Some(before.trials), after.trials), (before.first_leak_at_trial, 2));
    assert_eq!(record.migration.map(|matrix| matrix.states.len()), Some(2));
    assert_eq!(record.audit.map(|audit| audit.remaining().count()), Some(2));
    ran(scratch.partywall(&["signoff", &file, "--rounds", "1"]).arg("--require-migrated"))
        .exits(2)
        .complains(&["--audit"]);
}
