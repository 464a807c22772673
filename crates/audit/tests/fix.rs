//! The rewrite of calls: what is rewritten, what stays and why, and what the result looks like.
//!
//! In `tests/fix` a line whose calls must be rewritten says so behind `fixed: `, with what each is
//! given, and one that must stay says why behind `left: `. Nearly each file has both.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use partywall_audit::fix::{CONTEXTS, Request, fix};
use partywall_audit::symbols::Symbol;
use partywall_audit::{Options, audit};
use partywall_core::audit::{AuditRecord, Scope};
use partywall_core::fix::{FixRecord, FixState, WhyLeft};

/// What is said of lines, by file and line.
type Lines = BTreeMap<(String, u32), Vec<String>>;

/// A folder of a test's own, removed again unless the test fails.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let own = format!("fix-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(own);
        std::fs::create_dir_all(&path).expect("the folder of tests can be written");
        Self(path)
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("can be made");
        std::fs::write(path, text).expect("can be written");
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).expect("it is UTF-8")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

fn options() -> Options {
    let names = [("get_factory", "create_factory"), ("getFactory", "createFactory")];
    let symbol = |(name, new)| Symbol::new(name, Some(new)).expect("plain names");
    Options::new(names.into_iter().map(symbol).collect())
}

fn audited(root: &Path) -> AuditRecord {
    audit(root, &options(), &|_, _| {}).expect("it can be read")
}

fn fixed_in(root: &Path, scope: Scope, write: bool) -> FixRecord {
    let contexts = CONTEXTS.map(str::to_owned).to_vec();
    fix(root, &options(), &audited(root), &Request { contexts, scope, write })
}

fn code(why: WhyLeft) -> String {
    serde_json::to_string(&why).expect("plain data").trim_matches('"').to_owned()
}

/// The labelled files, in a folder of their own.
fn labelled() -> (Scratch, Vec<String>) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fix");
    let scratch = Scratch::new();
    let mut folders = vec![String::new()];
    let mut paths = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(from.join(&folder)).expect("it is there") {
            let entry = entry.expect("it can be read");
            let own = entry.file_name().into_string().expect("a plain name");
            let path = if folder.is_empty() { own } else { format!("{folder}/{own}") };
            if entry.path().is_dir() {
                folders.push(path);
            } else {
                scratch.file(&path, std::fs::read(entry.path()).expect("it can be read"));
                paths.push(path);
            }
        }
    }
    paths.sort();
    (scratch, paths)
}

/// What the files say behind `fixed: ` or `left: `.
fn marked(scratch: &Scratch, paths: &[String], mark: &str) -> Lines {
    let mut lines = Lines::new();
    for path in paths {
        for (at, line) in scratch.read(path).lines().enumerate() {
            if let Some((_, said)) = line.split_once(&format!(" {mark}: ")) {
                let line = u32::try_from(at + 1).expect("short");
                let said = said.split(", ").map(str::to_owned).collect();
                lines.insert((path.clone(), line), said);
            }
        }
    }
    lines
}

fn calls(found: &FixRecord) -> Lines {
    let mut lines = Lines::new();
    for call in found.calls() {
        let line = (call.place.path.clone(), call.place.line);
        lines.entry(line).or_default().push(call.context.clone());
    }
    lines
}

fn left(found: &FixRecord) -> Lines {
    let mut lines = Lines::new();
    let listed = [WhyLeft::TestCode, WhyLeft::ImportStays];
    for left in found.left.iter().filter(|left| !listed.contains(&left.why)) {
        let line = (left.place.path.clone(), left.place.line);
        lines.entry(line).or_default().push(code(left.why));
    }
    lines
}

#[test]
fn what_can_be_rewritten_is_and_what_stays_says_why() {
    let (scratch, paths) = labelled();
    let found = fixed_in(&scratch.0, Scope::App, false);
    assert_eq!(calls(&found), marked(&scratch, &paths, "fixed"));
    assert_eq!(left(&found), marked(&scratch, &paths, "left"));
    let said: BTreeSet<WhyLeft> = found.left.iter().map(|left| left.why).collect();
    // Those that no plain file shows have tests of their own.
    let elsewhere = [WhyLeft::Unreadable, WhyLeft::ResultBroken, WhyLeft::TooMany];
    for why in WhyLeft::ALL.into_iter().filter(|why| !elsewhere.contains(why)) {
        assert!(said.contains(&why), "no file has a use that stays with {why:?}");
    }
}

#[test]
fn the_result_is_audited_as_migrated_parses_and_is_not_rewritten_again() {
    let (scratch, paths) = labelled();
    let before = audited(&scratch.0);
    let found = fixed_in(&scratch.0, Scope::App, true);
    assert!(found.files.iter().all(|file| file.state == FixState::Written), "{found:?}");
    let texts: Vec<String> = paths.iter().map(|path| scratch.read(path)).collect();
    let after = audited(&scratch.0);
    let count =
        |audit: &AuditRecord| -> u64 { audit.symbols.iter().map(|symbol| symbol.replaced).sum() };
    let rewritten = found.calls().count();
    assert!(rewritten > 50, "{rewritten}");
    assert_eq!(count(&after), count(&before) + rewritten as u64);
    assert_eq!(after.remaining().count() + rewritten, before.remaining().count());
    assert_eq!(after.files.broken.len(), before.files.broken.len());
    let again = fixed_in(&scratch.0, Scope::App, true);
    assert_eq!(again.files, []);
    let reasons = |found: &FixRecord| found.left.iter().map(|left| left.why).collect::<Vec<_>>();
    let (first, second) = (reasons(&found), reasons(&again));
    assert_eq!(first.len(), second.len());
    assert_eq!(texts, paths.iter().map(|path| scratch.read(path)).collect::<Vec<_>>());
    compiled(&scratch, &paths);
}

/// Python compiles what was rewritten, where there is one.
fn compiled(scratch: &Scratch, paths: &[String]) {
    let files = paths.iter().filter(|path| path.ends_with(".py") && *path != "broken.py");
    let program =
        "import ast, sys\nfor path in sys.argv[1:]:\n    ast.parse(open(path, 'rb').read())";
    let run = std::process::Command::new("python3")
        .args(["-c", program])
        .args(files.map(|path| scratch.0.join(path)))
        .output();
    match run {
        Ok(run) => assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr)),
        Err(_) => eprintln!("not checked by Python: there is no python3"),
    }
}

#[test]
fn tests_are_touched_only_where_they_are_asked_for() {
    let (scratch, paths) = labelled();
    let test = "tests/test_parameter.py".to_owned();
    let kept = scratch.read(&test);
    let found = fixed_in(&scratch.0, Scope::App, true);
    assert_eq!(scratch.read(&test), kept);
    let told: Vec<_> = found.left.iter().filter(|left| left.why == WhyLeft::TestCode).collect();
    assert_eq!(told.iter().map(|left| &left.place.path).collect::<Vec<_>>(), [&test]);
    let found = fixed_in(&scratch.0, Scope::Tests, true);
    assert_eq!(found.files.iter().map(|file| &file.path).collect::<Vec<_>>(), [&test]);
    assert!(scratch.read(&test).contains("assert create_factory(user_context)"));
    assert!(paths.contains(&test));
}

/// One file before and after.
fn rewritten(name: &str, before: &str) -> String {
    let scratch = Scratch::new();
    scratch.file(name, before);
    fixed_in(&scratch.0, Scope::All, true);
    let once = scratch.read(name);
    fixed_in(&scratch.0, Scope::All, true);
    assert_eq!(once, scratch.read(name), "a second time");
    once
}

const BODY: &str = "\n\ndef f(user_context):\n    return get_factory()\n";
const DONE: &str = "\n\ndef f(user_context):\n    return create_factory(user_context)\n";

#[test]
fn the_replacement_is_imported_where_the_accessor_was() {
    let cases = [
        ("from m import get_factory\n", "from m import create_factory\n"),
        ("from m import a, get_factory, b\n", "from m import a, create_factory, b\n"),
        ("from m import get_factory, create_factory\n", "from m import create_factory\n"),
        ("from m import create_factory, get_factory\n", "from m import create_factory\n"),
        (
            "from m import a, get_factory, create_factory, b\n",
            "from m import a, create_factory, b\n",
        ),
        (
            "from m import create_factory\nfrom m import get_factory\n",
            "from m import create_factory\n",
        ),
        (
            "from n import create_factory\nfrom m import a, get_factory  # b\n",
            "from n import create_factory\nfrom m import a  # b\n",
        ),
        (
            "from m import (\n    a,\n    get_factory,\n    b,\n)\n",
            "from m import (\n    a,\n    create_factory,\n    b,\n)\n",
        ),
        (
            "from m import (\n    get_factory,\n    create_factory,\n)\n",
            "from m import (\n    create_factory,\n)\n",
        ),
        (
            "from m import (\n    create_factory,\n    get_factory,\n)\n",
            "from m import (\n    create_factory,\n)\n",
        ),
        (
            "from m import (\n    get_factory,  # why\n    b\n)\n",
            "from m import (\n    create_factory,  # why\n    b\n)\n",
        ),
        ("from m import (get_factory)\n", "from m import (create_factory)\n"),
        ("from m import a, \\\n    get_factory\n", "from m import a, \\\n    create_factory\n"),
        (
            "import a; from m import get_factory; import b\n",
            "import a; from m import create_factory; import b\n",
        ),
        (
            "from m import create_factory\nimport a; from m import get_factory\n",
            "from m import create_factory\nimport a; from m import get_factory\n",
        ),
        (
            "try:\n    from m import get_factory\nexcept ImportError:\n    from n import get_factory\n",
            "try:\n    from m import create_factory\nexcept ImportError:\n    from n import create_factory\n",
        ),
        (
            "from m import create_factory\nif True:\n    from m import get_factory\n",
            "from m import create_factory\nif True:\n    from m import get_factory\n",
        ),
    ];
    for (before, after) in cases {
        assert_eq!(
            rewritten("a.py", &format!("{before}{BODY}")),
            format!("{after}{DONE}"),
            "{before}"
        );
    }
}

#[test]
fn the_old_import_goes_only_where_nothing_uses_it() {
    let cases = [
        "ALL = [get_factory]\n",
        "X = get_factory()\n",
        "__all__ = [\"get_factory\"]\n",
        "def g(): return get_factory()\n",
        "def g(user_context=None): return get_factory()\n",
    ];
    for rest in cases {
        let before = format!("from m import get_factory\n{BODY}{rest}");
        let after = format!("from m import get_factory, create_factory\n{DONE}{rest}");
        assert_eq!(rewritten("a.py", &before), after);
        let before = format!("from m import (\n    get_factory,\n    b,\n)\n{BODY}{rest}");
        let after = format!(
            "from m import (\n    get_factory,\n    create_factory,\n    b,\n)\n{DONE}{rest}"
        );
        assert_eq!(rewritten("a.py", &before), after);
    }
    // A comment and another function's own name are no use of it.
    for rest in ["# get_factory was here\n", "def g(get_factory): return get_factory()\n"] {
        let before = format!("from m import get_factory\n{BODY}{rest}");
        assert_eq!(
            rewritten("a.py", &before),
            format!("from m import create_factory\n{DONE}{rest}")
        );
    }
    // Others import it from a package.
    let package = rewritten("p/__init__.py", &format!("from .m import get_factory\n{BODY}"));
    assert_eq!(package, format!("from .m import get_factory, create_factory\n{DONE}"));
}

#[test]
fn an_import_that_other_files_take_stays() {
    for other in [
        "from app.routes import get_factory\n",
        "from app.routes import (\n    get_factory,\n)\n",
        "patch(\"app.routes.get_factory\")\n",
        "import app\n\napp.routes.get_factory()\n",
    ] {
        let scratch = Scratch::new();
        scratch.file("app/routes.py", format!("from m import get_factory\n{BODY}"));
        scratch.file("tests/test_a.py", other);
        let found = fixed_in(&scratch.0, Scope::App, true);
        assert_eq!(scratch.read("tests/test_a.py"), other);
        let kept = format!("from m import get_factory, create_factory\n{DONE}");
        assert_eq!(scratch.read("app/routes.py"), kept);
        assert!(found.left.iter().any(|left| left.why == WhyLeft::ImportStays), "{found:?}");
    }
}

#[test]
fn the_rest_of_a_file_stays_byte_by_byte() {
    let import = "from m import get_factory\n";
    let plain = format!("{import}{BODY}");
    let done = format!("from m import create_factory\n{DONE}");
    let crlf = |text: &str| text.replace('\n', "\r\n");
    assert_eq!(rewritten("a.py", &crlf(&plain)), crlf(&done));
    let many = "from m import (\n    get_factory,\n)\nX = get_factory\n";
    let both = "from m import (\n    get_factory,\n    create_factory,\n)\nX = get_factory\n";
    assert_eq!(rewritten("a.py", &crlf(&format!("{many}{BODY}"))), crlf(&format!("{both}{DONE}")));
    let mark = |text: &str| format!("\u{feff}{text}");
    assert_eq!(rewritten("a.py", &mark(&plain)), mark(&done));
    assert_eq!(rewritten("a.py", &mark(&crlf(&plain))), mark(&crlf(&done)));
    let tabs = |text: &str| text.replace("    ", "\t");
    assert_eq!(rewritten("a.py", &tabs(&plain)), tabs(&done));
    let other =
        |text: &str| format!("# Größe: 漢字 🙂\n{}", text.replace("return ", "π = 'é' ; return "));
    assert_eq!(rewritten("a.py", &other(&plain)), other(&done));
    // A lone carriage return ends a line, too; no line feed at the end.
    assert_eq!(rewritten("a.py", &plain.replace('\n', "\r")), done.replace('\n', "\r"));
    assert_eq!(rewritten("a.py", plain.trim_end()), done.trim_end());
}

#[test]
fn a_call_over_several_lines_keeps_its_comments() {
    let cases = [
        ("get_factory(\n    )", "create_factory(user_context)"),
        ("get_factory(  # why\n    )", "create_factory(user_context  # why\n    )"),
        (
            "(\n        get_factory\n        ()\n    )",
            "(\n        create_factory\n        (user_context)\n    )",
        ),
        ("(m\n        .get_factory()\n    )", "(m\n        .create_factory(user_context)\n    )"),
    ];
    for (before, after) in cases {
        let file = |call: &str, name: &str| {
            format!("import m\nfrom m import {name}\n\n\ndef f(user_context):\n    return {call}\n")
        };
        let import = if before.contains("m\n") { "get_factory" } else { "create_factory" };
        assert_eq!(
            rewritten("a.py", &file(before, "get_factory")),
            file(after, import),
            "{before}"
        );
    }
}

#[test]
fn imports_of_scripts_are_rewritten_too() {
    let body = "function f(userContext) { return getFactory(); }\n";
    let done = "function f(userContext) { return createFactory(userContext); }\n";
    let cases = [
        ("import { getFactory } from \"m\";\n", "import { createFactory } from \"m\";\n"),
        ("import { a, getFactory } from 'm';\n", "import { a, createFactory } from 'm';\n"),
        ("import d, { getFactory } from 'm';\n", "import d, { createFactory } from 'm';\n"),
        (
            "import { createFactory } from 'm';\nimport { getFactory } from 'm';\n",
            "import { createFactory } from 'm';\n",
        ),
        (
            "import { createFactory } from 'm';\nimport d, { getFactory } from 'm';\n",
            "import { createFactory } from 'm';\nimport d, { getFactory } from 'm';\n",
        ),
        (
            "import {\n  getFactory,\n  b,\n} from 'm';\n",
            "import {\n  createFactory,\n  b,\n} from 'm';\n",
        ),
        ("const { getFactory } = require('m');\n", "const { createFactory } = require('m');\n"),
        (
            "const { a, getFactory } = await import('m');\n",
            "const { a, createFactory } = await import('m');\n",
        ),
    ];
    for (before, after) in cases {
        assert_eq!(
            rewritten("a.ts", &format!("{before}{body}")),
            format!("{after}{done}"),
            "{before}"
        );
    }
    // What is taken out of some object, a default import and an import of types cannot be extended.
    for kept in [
        "const { getFactory } = props;\n",
        "import getFactory from 'm';\n",
        "import type { getFactory } from 'm';\n",
    ] {
        let text = format!("{kept}{body}");
        assert_eq!(rewritten("a.ts", &text), text);
    }
    let kept = "import { getFactory } from 'm';\nexport { getFactory };\n";
    let after = "import { getFactory, createFactory } from 'm';\nexport { getFactory };\n";
    assert_eq!(rewritten("a.ts", &format!("{kept}{body}")), format!("{after}{done}"));
}

#[test]
fn two_accessors_of_one_statement_and_one_replacement_for_both() {
    let scratch = Scratch::new();
    let body = "def f(user_context):\n    return get_a(), get_b()\n";
    scratch.file("a.py", format!("from m import get_a, get_b\n{body}"));
    let run = |new: [&str; 2]| {
        let symbol = |(name, new): (&str, &str)| Symbol::new(name, Some(new)).expect("plain names");
        let options = Options::new(vec![symbol(("get_a", new[0])), symbol(("get_b", new[1]))]);
        let audit = audit(&scratch.0, &options, &|_, _| {}).expect("it can be read");
        let contexts = vec!["user_context".to_owned()];
        fix(&scratch.0, &options, &audit, &Request { contexts, scope: Scope::App, write: true });
        scratch.read("a.py")
    };
    let both = "def f(user_context):\n    return make(user_context), make(user_context)\n";
    assert_eq!(run(["make", "make"]), format!("from m import make\n{both}"));
    scratch.file("a.py", format!("from m import get_a, get_b\n{body}"));
    let both = "def f(user_context):\n    return make_a(user_context), make_b(user_context)\n";
    assert_eq!(run(["make_a", "make_b"]), format!("from m import make_a, make_b\n{both}"));
}

#[test]
fn what_cannot_be_read_or_has_changed_is_left_and_told() {
    let scratch = Scratch::new();
    let mut bytes = format!("from m import get_factory\n{BODY}# ").into_bytes();
    bytes.push(0xff);
    scratch.file("latin.py", &bytes);
    let found = fixed_in(&scratch.0, Scope::App, true);
    assert_eq!(found.files, []);
    assert_eq!(found.left.iter().map(|left| left.why).collect::<Vec<_>>(), [WhyLeft::Unreadable]);
    assert_eq!(std::fs::read(scratch.0.join("latin.py")).expect("it is there"), bytes);
    // Gone between the audit and the rewrite.
    let audit = audited(&scratch.0);
    std::fs::remove_file(scratch.0.join("latin.py")).expect("it was there");
    let contexts = vec!["user_context".to_owned()];
    let request = Request { contexts, scope: Scope::App, write: true };
    let found = fix(&scratch.0, &options(), &audit, &request);
    assert_eq!(found.left.iter().map(|left| left.why).collect::<Vec<_>>(), [WhyLeft::Unreadable]);
}

#[test]
fn the_diff_has_what_a_patch_needs() {
    let scratch = Scratch::new();
    scratch.file("app/a.py", format!("from m import get_factory\n{BODY}"));
    let found = fixed_in(&scratch.0, Scope::App, false);
    assert_eq!(scratch.read("app/a.py"), format!("from m import get_factory\n{BODY}"));
    let expected = "--- a/app/a.py\n+++ b/app/a.py\n@@ -1,5 +1,5 @@\n-from m import get_factory\n\
                    +from m import create_factory\n \n \n def f(user_context):\n\
                    -    return get_factory()\n+    return create_factory(user_context)\n";
    assert_eq!(found.files[0].diff, expected);
}

#[test]
fn a_file_with_more_uses_than_people_write_is_left() {
    let scratch = Scratch::new();
    let file = |calls: usize| {
        let calls = "    get_factory()\n".repeat(calls);
        scratch
            .file("a.py", format!("from m import get_factory\n\n\ndef f(user_context):\n{calls}"));
        fixed_in(&scratch.0, Scope::App, false)
    };
    assert_eq!(file(500).calls().count(), 500);
    let found = file(1_001);
    assert_eq!(found.calls().count(), 0);
    assert!(found.left.iter().all(|left| left.why == WhyLeft::TooMany), "{:?}", found.left[0]);
}
