//! A labelled set of small trees: which of them share something among all users, and where.
//!
//! A line that must be suspected says so behind `shared: `, with the kind. The folder `…_near`
//! beside one differs from it in what makes it sound, and nothing in it is marked.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use partywall_audit::symbols::Symbol;
use partywall_audit::{Options, audit};
use partywall_core::audit::{AuditRecord, SingletonSuspect, SuspectKind};

/// A suspect below this score is one that a reader may pass over.
const TOLD: u32 = 3;

/// Folder, path, line, kind.
type Mark = (String, String, u32, String);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/labelled")
}

fn audited(root: &Path) -> AuditRecord {
    let mut options = Options::new(vec![Symbol::new("no_such_name", None).expect("a plain name")]);
    options.find_singletons = true;
    audit(root, &options, &|_, _| {}).expect("it can be read")
}

fn kind(kind: SuspectKind) -> String {
    kind.as_str().replace(' ', "_")
}

fn cases() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).expect("it is there");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.expect("it can be read").file_name().into_string().expect("a plain name")
    };
    let mut cases: Vec<String> = entries.map(name).collect();
    cases.sort();
    cases
}

/// The files below a folder, with their paths in it.
fn files(root: &Path, below: &str, out: &mut Vec<String>) {
    for entry in std::fs::read_dir(root.join(below)).expect("it is there") {
        let entry = entry.expect("it can be read");
        let own = entry.file_name().into_string().expect("a plain name");
        let path = if below.is_empty() { own } else { format!("{below}/{own}") };
        match entry.file_type().expect("it has one").is_dir() {
            true => files(root, &path, out),
            false => out.push(path),
        }
    }
}

fn marks(case: &str) -> (BTreeSet<Mark>, usize) {
    let root = folder().join(case);
    let mut paths = Vec::new();
    files(&root, "", &mut paths);
    let mut marks = BTreeSet::new();
    for path in &paths {
        let text = std::fs::read_to_string(root.join(path)).expect("it can be read");
        for (at, line) in text.lines().enumerate() {
            if let Some((_, kind)) = line.split_once("shared: ") {
                let line = u32::try_from(at + 1).expect("short");
                marks.insert((case.to_owned(), path.clone(), line, kind.trim().to_owned()));
            }
        }
    }
    (marks, paths.len())
}

fn found(case: &str) -> BTreeSet<Mark> {
    let suspects = audited(&folder().join(case)).suspects;
    let told = suspects.iter().filter(|suspect| suspect.score >= TOLD);
    let mark = |suspect: &SingletonSuspect| {
        let place = &suspect.place;
        (case.to_owned(), place.path.clone(), place.line, kind(suspect.kind))
    };
    told.map(mark).collect()
}

#[test]
fn of_what_is_shared_nearly_all_is_found_and_little_else() {
    let (mut marked, mut told) = (BTreeSet::new(), BTreeSet::new());
    let mut files = 0;
    for case in cases() {
        let (marks, count) = marks(&case);
        assert_eq!(marks.is_empty(), case.ends_with("_near"), "{case}");
        files += count;
        marked.extend(marks);
        told.extend(found(&case));
    }
    let right = marked.intersection(&told).count();
    let missed: Vec<_> = marked.difference(&told).collect();
    let wrong: Vec<_> = told.difference(&marked).collect();
    eprintln!(
        "{files} files: {right} of {} found, {right} of {} suspects are right",
        marked.len(),
        told.len()
    );
    assert!(files >= 60 && marked.len() >= 30, "{files} files, {} marks", marked.len());
    assert!(right * 100 >= marked.len() * 95, "missed {missed:#?}, wrong {wrong:#?}");
    assert!(right * 100 >= told.len() * 90, "missed {missed:#?}, wrong {wrong:#?}");
}

#[test]
fn every_kind_has_a_case_and_most_cases_a_near_miss() {
    let cases = cases();
    let (near, far): (Vec<&String>, Vec<&String>) =
        cases.iter().partition(|case| case.ends_with("_near"));
    let all: BTreeSet<Mark> = far.iter().flat_map(|case| marks(case).0).collect();
    for of in SuspectKind::ALL {
        assert!(all.iter().any(|(.., marked)| *marked == kind(of)), "{of:?}");
    }
    assert!(near.len() >= 25, "{} near misses", near.len());
}

/// The whole of a case's suspects, the first first.
fn suspects(case: &str) -> Vec<SingletonSuspect> {
    audited(&folder().join(case)).suspects
}

#[test]
fn a_singleton_that_a_handler_configures_and_keeps_over_an_await_comes_first() {
    let suspects = suspects("ranked");
    let names: Vec<(&str, u32)> =
        suspects.iter().map(|suspect| (suspect.name.as_str(), suspect.score)).collect();
    assert_eq!(names[0].0, "_factory", "{names:?}");
    assert!(names[0].1 > names[1].1, "{names:?}");
    assert_eq!(suspects[0].reached_from.as_deref(), Some("POST /chat"));
    let paths: Vec<_> = suspects[0].shown_by.iter().map(|shown| shown.path.as_deref()).collect();
    assert!(paths.contains(&Some("app/routes.py")), "{paths:?}");
    assert!(names.len() > 8, "{names:?}");
}

#[test]
fn the_route_by_which_a_request_reaches_a_write_is_named() {
    let cases = [
        ("instance_writes", "service", "POST /agents/run"),
        ("instance_elsewhere", "tracker", "POST /note"),
        ("attribute_helper", "client.account", "GET /me"),
        ("app_state_alias", "request.app.state.model", "POST /choose"),
        ("aiohttp_app", "request.app[…]", "POST /join/{room}"),
        ("django_class", "engine.locale", "GET Search"),
        ("django_view", "last_search", "request handler search"),
        ("instance_base", "manager", "WebSocket /ws"),
        ("ts_instance", "assistant", "POST /ask"),
        ("ts_next", "lastPrompt", "POST /api/chat"),
        ("ts_nest", "rooms", "POST /chat/join"),
        ("ts_map", "drafts", "POST /draft"),
    ];
    for (case, name, route) in cases {
        let suspects = suspects(case);
        let found = suspects.iter().find(|suspect| suspect.name == name);
        let found = found.unwrap_or_else(|| panic!("{case}: {suspects:#?}"));
        assert_eq!(found.reached_from.as_deref(), Some(route), "{case}");
    }
    // Nothing calls it, so no request comes to it.
    let unreached = suspects("class_singleton");
    assert!(unreached.iter().all(|suspect| suspect.reached_from.is_none()), "{unreached:?}");
}
