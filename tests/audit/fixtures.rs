//! Fixtures: each line says what must be found in it; of the others nothing may be.

use std::collections::BTreeMap;
use std::path::Path;

use partywall::trial::audit::UseKind;

use super::{audited, by_line, folder, snake};

type Expected = BTreeMap<(String, u32), Vec<String>>;

/// What the lines of a folder's files say behind a marker: `# found: call, call`.
fn expected(folder: &Path, marker: &str) -> Expected {
    let mut lines = Expected::new();
    for entry in std::fs::read_dir(folder).expect("the fixtures are there") {
        let path = entry.expect("they can be read").path();
        let text = std::fs::read_to_string(&path).expect("they can be read");
        let name = path.file_name().expect("a file").to_str().expect("a plain name").to_owned();
        for (at, line) in text.lines().enumerate() {
            let Some((_, says)) = line.split_once(marker) else { continue };
            let is_kind = |c: char| c.is_ascii_lowercase() || c == '_';
            let says = says
                .split(',')
                .map(|kind| kind.trim().chars().take_while(|c| is_kind(*c)).collect::<String>());
            let mut says: Vec<String> = says.filter(|kind| !kind.is_empty()).collect();
            says.sort();
            lines.insert((name.clone(), u32::try_from(at + 1).expect("short")), says);
        }
    }
    assert!(lines.len() > 5, "no markers in {}", folder.display());
    lines
}

#[track_caller]
fn assert_same(found: &Expected, expected: &Expected) {
    let mut wrong = Vec::new();
    for line in found.keys().chain(expected.keys()) {
        if found.get(line) != expected.get(line) {
            let (found, expected) = (found.get(line), expected.get(line));
            wrong.push(format!("{}:{}: found {found:?}, expected {expected:?}", line.0, line.1));
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_construct_is_found_and_no_near_miss_is() {
    let folder = folder("fixtures/uses");
    let found = audited(&folder, false);
    assert_same(&by_line(&found.uses, |found| snake(found.kind)), &expected(&folder, "found: "));
    // Every kind of use has a fixture in each language that has it.
    for extension in [".py", ".ts"] {
        for kind in UseKind::ALL {
            let own = |path: &str| path.ends_with(extension);
            let is_there =
                found.uses.iter().any(|found| found.kind == kind && own(&found.place.path));
            assert!(is_there, "{kind:?} in {extension}");
        }
    }
}

#[test]
fn files_with_syntax_errors_are_searched_and_listed() {
    let found = audited(&folder("fixtures/uses"), false);
    let broken: Vec<&str> = found.files.broken.iter().map(|file| file.path.as_str()).collect();
    assert!(broken.contains(&"broken.py") && broken.contains(&"broken.ts"), "{broken:?}");
    let whole = ["calls.py", "aliases.py", "strings.py", "references.py", "uses.ts"];
    assert!(whole.iter().all(|file| !broken.contains(file)), "{broken:?}");
}

#[test]
fn aliases_and_enclosing_functions_are_named() {
    let found = audited(&folder("fixtures/uses"), false);
    let of = |path: &str, line: u32| {
        let found =
            found.uses.iter().find(|found| found.place.path == path && found.place.line == line);
        let found = found.expect("there is one in that line");
        (found.function.as_deref(), found.in_async, found.alias.as_deref())
    };
    assert_eq!(of("calls.py", 8), (Some("plain"), false, None));
    assert_eq!(of("calls.py", 14), (Some("by_attribute"), true, None));
    assert_eq!(of("calls.py", 21), (Some("Holder"), false, None));
    assert_eq!(of("calls.py", 25), (Some("Holder.chained"), false, None));
    assert_eq!(of("aliases.py", 3), (None, false, Some("get_factory")));
    assert_eq!(of("aliases.py", 7), (None, false, Some("shorter")));
    assert_eq!(of("aliases.py", 16), (Some("uses"), false, Some("get_factory")));
    assert_eq!(of("aliases.py", 30), (Some("inner.deeper"), false, Some("own")));
    assert_eq!(of("references.py", 6).0, Some("route"));
    assert_eq!(of("uses.ts", 3).2, Some("getFactory"));
    assert_eq!(of("uses.ts", 29), (Some("arrow"), true, Some("later")));
}

#[test]
fn the_risk_of_a_use_is_what_becomes_of_its_object() {
    let folder = folder("fixtures/risk");
    let found = audited(&folder, false);
    let sites: Vec<_> =
        found.uses.iter().filter(|found| found.kind.is_call_site()).cloned().collect();
    assert_same(&by_line(&sites, |found| snake(found.risk)), &expected(&folder, "risk: "));
    for site in &sites {
        let is_shown = !site.shown_by.is_empty();
        assert_eq!(is_shown, snake(site.risk) != "none", "{site:?}");
    }
    let kept = sites.iter().find(|found| found.function.as_deref() == Some("kept"));
    let shown = &kept.expect("it is a fixture").shown_by;
    let lines: Vec<&str> = shown.iter().map(|shown| shown.text.as_str()).collect();
    assert_eq!(lines, ["await user.load()", "return factory.create(user)"]);
    // Those at high risk come first.
    let risks: Vec<_> = sites.iter().map(|found| found.risk).collect();
    assert!(risks.is_sorted(), "{risks:?}");
}

#[test]
fn singletons_are_suspected_and_near_misses_are_not() {
    let folder = folder("fixtures/singletons");
    let found = audited(&folder, true);
    let mut lines = Expected::new();
    for suspect in &found.suspects {
        let line = (suspect.place.path.clone(), suspect.place.line);
        lines.entry(line).or_default().push(snake(suspect.kind));
        assert!(!suspect.shown_by.is_empty(), "{suspect:?}");
    }
    assert_same(&lines, &expected(&folder, "suspect: "));
    let score = |name: &str| {
        let found = found.suspects.iter().find(|suspect| suspect.name == name);
        found.unwrap_or_else(|| panic!("no suspect {name}")).score
    };
    // What serves requests speaks louder than what registers at start-up.
    assert!(score("sessions") > score("Pool.emitters"));
    assert!(score("Pool.emitters") > score("handlers"));
    let scores: Vec<u32> = found.suspects.iter().map(|suspect| suspect.score).collect();
    assert!(scores.is_sorted_by(|one, other| one >= other), "{scores:?}");
    assert!(audited(&folder, false).suspects.is_empty());
}
