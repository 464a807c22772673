//! `partywall audit` and `partywall migration` on the command line.

use std::path::Path;

use crate::support::{Scratch, partywall, ran};

const CALLS: &str = "\
from app.factory import get_agent_instance_factory


async def route(bridge):
    factory = get_agent_instance_factory()
    factory.configure(bridge)
";

fn shown(path: &Path) -> &str {
    path.to_str().expect("plain names")
}

fn tree(scratch: &Scratch) -> std::path::PathBuf {
    let root = scratch.path().join("tree");
    std::fs::create_dir_all(root.join("tests")).expect("can be written");
    std::fs::write(root.join("routes.py"), CALLS).expect("can be written");
    std::fs::write(root.join("tests/test_routes.py"), CALLS).expect("can be written");
    root
}

#[test]
fn what_remains_is_shown_and_fails_where_it_is_asked_to() {
    let scratch = Scratch::new("audit");
    let root = tree(&scratch);
    let table = ran(&mut partywall(&["audit", shown(&root)])).exits(0).stdout;
    assert!(table.starts_with("1 call site remains"), "{table}");
    assert!(table.contains("routes.py:5:15") && table.contains("1 in tests"), "{table}");
    ran(&mut partywall(&["audit", shown(&root), "--fail-on", "any"])).exits(1);
    let tests = ["audit", shown(&root), "--fail-on", "any", "--test-pattern", "*.py"];
    ran(&mut partywall(&tests)).exits(0);
    let excluded = ["audit", shown(&root), "--fail-on", "any", "--exclude", "routes.py"];
    ran(&mut partywall(&excluded)).exits(0);
}

/// A name that is no UTF-8 is read by its bytes, and what cannot be searched passes no gate.
#[cfg(target_os = "linux")]
#[test]
fn a_gate_does_not_pass_over_what_was_not_searched() {
    use std::os::unix::ffi::OsStrExt;
    let scratch = Scratch::new("unsearched");
    let root = scratch.path().join("tree");
    std::fs::create_dir_all(&root).expect("can be written");
    let odd = root.join(std::ffi::OsStr::from_bytes(b"odd-\xff.py"));
    std::fs::write(&odd, CALLS).expect("can be written");
    let gate = ["audit", shown(&root), "--fail-on", "any"];
    ran(&mut partywall(&gate)).exits(1);
    std::fs::write(&odd, "").expect("can be written");
    ran(&mut partywall(&gate)).exits(0);
    // So deep that it is searched by its text only, where a use may be overlooked.
    let deep = format!("{}{}", "(".repeat(100_000), CALLS.replace("= get", "= xget"));
    std::fs::write(root.join("deep.py"), deep).expect("can be written");
    let json = ran(&mut partywall(&["audit", shown(&root), "--format", "json"])).exits(0).stdout;
    let audit: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(audit["files"]["skipped"].as_array().map(Vec::len), Some(1), "{json}");
    ran(&mut partywall(&gate)).exits(5);
    ran(&mut partywall(&["audit", shown(&root)])).exits(0);
    ran(&mut partywall(&["audit", shown(&root), "--fail-on", "any", "--exclude", "deep.py"]))
        .exits(0);
}

#[test]
fn the_number_of_uses_may_only_fall() {
    let scratch = Scratch::new("baseline");
    let root = tree(&scratch);
    let json = ran(&mut partywall(&["audit", shown(&root), "--format", "json"])).exits(0).stdout;
    let baseline = scratch.file("audit.json", &json);
    let again = ["audit", shown(&root), "--baseline", shown(&baseline), "--fail-on", "new"];
    ran(&mut partywall(&again)).exits(0);
    let more = format!("{CALLS}    return get_agent_instance_factory()\n");
    std::fs::write(root.join("routes.py"), more).expect("can be written");
    let table = ran(&mut partywall(&again)).exits(1).stdout;
    let (_, new) = table.split_once("New since then: 1").expect("it is told");
    assert!(new.trim_start().starts_with("routes.py:7:12"), "{table}");
    std::fs::write(root.join("routes.py"), "").expect("can be written");
    let table = ran(&mut partywall(&again)).exits(0).stdout;
    let told = table.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("0 new, 2 gone"), "{table}");
}

#[test]
fn several_symbols_come_from_a_file() {
    let scratch = Scratch::new("symbols");
    let root = tree(&scratch);
    let text = "[[symbol]]\nname = \"configure\"\n\n[[symbol]]\nname = \"get_agent_instance_factory\"\nreplacement = \"create\"\n";
    let symbols = scratch.file("symbols.toml", text);
    let arguments = ["audit", shown(&root), "--symbols", shown(&symbols)];
    let table = ran(&mut partywall(&arguments)).exits(0).stdout;
    assert!(table.starts_with("2 call sites remain of configure"), "{table}");
    let json: serde_json::Value = serde_json::from_str(
        &ran(&mut partywall(&[&arguments[..], &["--format", "sarif"]].concat())).exits(0).stdout,
    )
    .expect("JSON");
    assert_eq!(json["version"], "2.1.0");
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_a_remedy() {
    let scratch = Scratch::new("wrong");
    let root = tree(&scratch);
    let bad = scratch.file("bad.toml", "[[symbol]]\nnam = \"x\"\n");
    let empty = scratch.file("empty.toml", "");
    let newer = scratch.file("newer.json", "{\"audit_version\": 99}");
    let cases: [(&[&str], &[&str]); 7] = [
        (&["audit", "no/such/folder"], &["no/such/folder", "give the folder"]),
        (&["audit", shown(&root), "--symbol", "a.b()"], &["`a.b()`", "without module"]),
        (&["audit", shown(&root), "--symbols", shown(&bad)], &["bad.toml: line 2", "[[symbol]]"]),
        (&["audit", shown(&root), "--symbols", shown(&empty)], &["names no [[symbol]]"]),
        (&["audit", shown(&root), "--fail-on", "new"], &["--baseline FILE"]),
        (&["audit", shown(&root), "--baseline", shown(&newer)], &["version 99", "--format json"]),
        (&["signoff", "--require-migrated"], &["--audit"]),
    ];
    for (arguments, parts) in cases {
        ran(&mut partywall(arguments)).exits(2).complains(parts);
    }
    let nothing = scratch.path().join("nothing");
    std::fs::create_dir_all(&nothing).expect("can be written");
    ran(&mut partywall(&["audit", shown(&nothing)])).exits(4).complains(&["no source file"]);
}

#[test]
fn a_sign_off_takes_audit_and_matrix_in_and_may_require_the_migration() {
    let scratch = Scratch::new("sources");
    let root = tree(&scratch);
    let json = ran(&mut partywall(&["audit", shown(&root), "--format", "json"])).exits(0).stdout;
    let audit = scratch.file("audit.json", &json);
    let small = ["migration", "reference-golden-path", "--trials", "12"];
    ran(&mut scratch.partywall(&small)).exits(0);
    let matrix = scratch.run_folder("migration");
    let arguments = [
        "signoff",
        "reference-golden-path",
        // As quick as a sign-off can be: nothing has to be shrunk.
        "--trials",
        "1",
        "--rounds",
        "1",
        "--seed",
        "5",
        "--audit",
        shown(&audit),
        "--migration",
        shown(&matrix),
        "--require-migrated",
    ];
    let terminal = ran(&mut scratch.partywall(&arguments)).exits(1).stdout;
    assert!(terminal.starts_with("NOT MIGRATED"), "{terminal}");
    assert!(terminal.contains("routes.py:5:15"), "{terminal}");
    assert!(terminal.contains("64 states of the migration"), "{terminal}");
    let folder = scratch.run_folder("signoff");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("it was written");
    let report: serde_json::Value = serde_json::from_str(&read("report.json")).expect("JSON");
    assert_eq!(report["verdict"], "not_migrated");
    assert_eq!(report["reasons"][0]["code"], "call_sites_remain");
    assert_eq!(report["migration"]["states"].as_array().map(Vec::len), Some(64));
    assert_eq!(report["audit"]["uses"].as_array().map(Vec::len), Some(4));
    let markdown = read("report.md");
    assert!(markdown.contains("In the source: 1 call site remains"), "{markdown}");
    assert!(markdown.contains("64 states of the migration"), "{markdown}");
    assert!(markdown.lines().count() < 60, "{markdown}");
}

#[test]
fn a_migration_that_adds_uses_in_tests_passes_and_each_scope_has_its_own_gate() {
    let scratch = Scratch::new("scope");
    let root = tree(&scratch);
    let json = ran(&mut partywall(&["audit", shown(&root), "--format", "json"])).exits(0).stdout;
    let baseline = scratch.file("audit.json", &json);
    std::fs::write(root.join("routes.py"), "").expect("can be written");
    let more = format!("{CALLS}    return get_agent_instance_factory()\n");
    std::fs::write(root.join("tests/test_routes.py"), more).expect("can be written");
    let gate = |scope: &[&str], what: &[&str]| -> Vec<String> {
        let root = ["audit", shown(&root)];
        let all = [&root[..], what, scope].concat();
        all.into_iter().map(str::to_owned).collect()
    };
    let exits = |arguments: Vec<String>, code: i32| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        ran(&mut partywall(&arguments)).exits(code);
    };
    let new = ["--baseline", shown(&baseline), "--fail-on", "new"];
    let any = ["--fail-on", "any"];
    for (scope, of_new, of_any) in [("app", 0, 0), ("tests", 1, 1), ("all", 1, 1)] {
        exits(gate(&["--scope", scope], &new), of_new);
        exits(gate(&["--scope", scope], &any), of_any);
    }
    exits(gate(&[], &new), 0);
}

#[test]
fn a_reference_that_only_hands_the_accessor_on_is_no_call_site_and_an_injected_one_is() {
    let scratch = Scratch::new("references");
    let root = scratch.path().join("tree");
    std::fs::create_dir_all(&root).expect("can be written");
    let file = |text: &str| std::fs::write(root.join("a.py"), text).expect("can be written");
    let any = ["audit", shown(&root), "--fail-on", "any"];
    file(
        "from app.factory import get_agent_instance_factory\nALL = [get_agent_instance_factory]\n",
    );
    ran(&mut partywall(&any)).exits(0);
    file("async def route(factory=Depends(get_agent_instance_factory)):\n    return factory\n");
    ran(&mut partywall(&any)).exits(1);
}

#[test]
fn settings_stand_in_a_file_and_flags_override_them() {
    let scratch = Scratch::new("settings");
    let root = tree(&scratch);
    let file = |name: &str, text: &str| std::fs::write(root.join(name), text).expect("written");
    file("pyproject.toml", "[tool.partywall-audit]\nfail-on = \"any\"\n");
    ran(&mut partywall(&["audit", shown(&root)])).exits(1);
    ran(&mut partywall(&["audit", shown(&root), "--fail-on", "nothing"])).exits(0);
    file("partywall-audit.toml", "fail-on = \"any\"\nexclude = [\"routes.py\"]\n");
    ran(&mut partywall(&["audit", shown(&root)])).exits(0);
    ran(&mut partywall(&["audit", shown(&root), "--scope", "tests"])).exits(1);
    file("partywall-audit.toml", "fail-on = \"some\"\n");
    let parts = ["partywall-audit.toml", "fail-on = \"some\"", "\"any\""];
    ran(&mut partywall(&["audit", shown(&root)])).exits(2).complains(&parts);
    file("partywall-audit.toml", "exclud = []\n");
    let parts = ["partywall-audit.toml: line 1"];
    ran(&mut partywall(&["audit", shown(&root)])).exits(2).complains(&parts);
}

#[test]
fn the_suspects_are_a_scenario_that_can_be_checked() {
    let scratch = Scratch::new("starter");
    let root = scratch.path().join("tree");
    std::fs::create_dir_all(&root).expect("can be written");
    let text = "from flask import Flask, request\n\napp = Flask(__name__)\nhistory = []\n\n\n\
                @app.post(\"/chat\")\ndef chat():\n    history.append(request.json)\n";
    std::fs::write(root.join("a.py"), text).expect("can be written");
    let toml = ran(&mut partywall(&["audit", shown(&root), "--format", "toml"])).exits(0).stdout;
    assert!(toml.contains("\"a.py:4 history\""), "{toml}");
    let path = scratch.file("starter.toml", &toml);
    ran(&mut partywall(&["check-scenario", shown(&path)])).exits(0);
}

/// Calls of which one can be rewritten and one cannot, in a tree with a test.
fn fixable(scratch: &Scratch) -> std::path::PathBuf {
    let root = tree(scratch);
    let more = "\n\nasync def later(user_context):\n    return get_agent_instance_factory()\n";
    std::fs::write(root.join("routes.py"), format!("{CALLS}{more}")).expect("can be written");
    root
}

#[test]
fn calls_are_rewritten_as_a_diff_that_can_be_applied_or_in_the_files() {
    let scratch = Scratch::new("fix");
    let root = fixable(&scratch);
    let read = || std::fs::read_to_string(root.join("routes.py")).expect("it is there");
    let before = read();
    let shown = ran(partywall(&["audit", ".", "--fix"]).current_dir(&root)).exits(0);
    assert_eq!(before, read());
    assert!(shown.stdout.starts_with("--- a/routes.py\n+++ b/routes.py\n@@ "), "{}", shown.stdout);
    let parts =
        ["1 call in 1 file can be rewritten; 1 use left", "routes.py:5:15", "1 call in tests"];
    let shown = shown.complains(&parts);
    let added: Vec<&str> = shown
        .stdout
        .lines()
        .filter(|line| line.starts_with('+') && !line.starts_with("+++"))
        .collect();
    let import =
        "+from app.factory import get_agent_instance_factory, create_agent_instance_factory";
    assert_eq!(added, [import, "+    return create_agent_instance_factory(user_context)"]);
    let written = ["audit", self::shown(&root), "--fix", "--write"];
    let told = ran(&mut partywall(&written)).exits(0).stdout;
    assert!(told.starts_with("1 call in 1 file rewritten; 1 use left"), "{told}");
    let after = read();
    assert!(after.ends_with("return create_agent_instance_factory(user_context)\n"), "{after}");
    let told = ran(&mut partywall(&written)).exits(0).stdout;
    assert!(told.starts_with("0 calls in 0 files rewritten; 1 use left"), "{told}");
    assert_eq!(after, read());
}

#[test]
fn what_a_rewrite_leaves_fails_where_it_is_asked_to_and_json_has_the_reasons() {
    let scratch = Scratch::new("fix-gate");
    let root = fixable(&scratch);
    let fix = ["audit", shown(&root), "--fix", "--format", "json"];
    let json = |more: &[&str], code: i32| -> serde_json::Value {
        let text = ran(&mut partywall(&[&fix[..], more].concat())).exits(code).stdout;
        serde_json::from_str(&text).expect("JSON")
    };
    let found = json(&["--fail-on", "any"], 1);
    assert_eq!(found["files"][0]["state"], "shown");
    assert_eq!(found["files"][0]["calls"][0]["context"], "user_context");
    let left = |found: &serde_json::Value| -> Vec<String> {
        let left = found["left"].as_array().expect("a list").iter();
        left.map(|left| format!("{}:{} {}", left["path"], left["line"], left["why"])).collect()
    };
    let expected = ["\"routes.py\":5 \"no_context\"", "\"tests/test_routes.py\":5 \"test_code\""];
    assert_eq!(left(&found), expected);
    // Another name is the context, here and in a file of settings.
    let found = json(&["--fail-on", "any", "--context", "bridge,user_context"], 0);
    assert_eq!(left(&found).len(), 1);
    let settings = "context = [\"bridge\", \"user_context\"]\nscope = \"all\"\nfail-on = \"any\"\n";
    std::fs::write(root.join("partywall-audit.toml"), settings).expect("can be written");
    let found = json(&[], 0);
    assert_eq!(found["files"].as_array().map(Vec::len), Some(2));
    assert_eq!(left(&found), [""; 0]);
}

#[test]
fn a_rewrite_that_cannot_be_made_is_told_with_a_remedy() {
    let scratch = Scratch::new("fix-wrong");
    let root = fixable(&scratch);
    let cases: [(&[&str], &[&str]); 3] = [
        (&["--write"], &["--fix"]),
        (&["--fix", "--symbol", "configure"], &["--replacement NAME"]),
        (&["--fix", "--format", "sarif"], &["--format json"]),
    ];
    for (arguments, parts) in cases {
        let all = [&["audit", shown(&root)], arguments].concat();
        ran(&mut partywall(&all)).exits(2).complains(parts);
    }
}
