//! Files that mean harm, or were made by a program: each is searched or told, within limits.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use partywall_audit::symbols::Symbol;
use partywall_audit::{Options, audit};
use partywall_core::audit::AuditRecord;

/// Inputs that took minutes, gigabytes or the whole audit, each with about so many bytes.
fn inputs(bytes: usize) -> Vec<(&'static str, String)> {
    let fill = |piece: &str| piece.repeat(bytes / piece.len());
    let half = |piece: &str| piece.repeat(bytes / piece.len() / 2);
    vec![
        ("elements.ts", fill("<a>")),
        ("elements.tsx", format!("{}{}", half("<a>"), half("</a>"))),
        ("casts.ts", fill("<a>(")),
        ("types.ts", fill("f<a<\n")),
        ("members.ts", format!("a{}()", fill(".b"))),
        ("members.py", format!("(a{})", fill(".b\n"))),
        ("comments.ts", fill("/*")),
        ("comment-lines.ts", fill("/*\n")),
        ("strings.py", fill("'''\"\"\"\n")),
        ("brackets.ts", fill("[{(\n")),
        ("brackets.py", fill("[{(\n")),
        ("templates.ts", fill("`${\n")),
        ("functions.ts", fill("()=>{\n")),
        ("lambdas.py", format!("({}", fill("lambda a:\n"))),
        ("line.js", fill("var a=function(b,c){return b.d=c,this.e=b};")),
        ("configured.py", fill("x = get_it()\nx.configure(x)\n")),
        ("configured.ts", fill("let x = getIt();x.set(x);")),
        ("calls.py", fill("getIt(")),
        ("imports.py", format!("import a{}\n", fill(".b"))),
        ("ternary.ts", format!("x = {}1;\n", fill("a ? b :\n"))),
        ("else.py", format!("if a:\n b\n{}", fill("elif c:\n d\n"))),
        ("decorators.ts", format!("class A {{ {} m() {{}} }}", fill("@b()\n"))),
        ("keys.py", fill("@cached(key=lambda a, b: ")),
        ("defaults.py", fill("def f(a=[]):\n a.append(1)\n")),
        ("classes.py", fill("class A:\n a = []\n def f(self): self.a.append(1)\n")),
        ("containers.py", fill("x = []\ndef f(): x.append(1)\n")),
        ("globals.py", fill("def f():\n global a\n a = 1\n")),
        ("aliases.py", fill("g = h\nasync def f(request): g.a = g()\n")),
        ("nested.py", (0..1_000).map(|n| format!("{}def f{n}(a):\n", " ".repeat(n))).collect()),
    ]
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile-files");
    std::fs::create_dir_all(&folder).expect("the folder of tests can be written");
    folder
}

fn audited(path: &Path, generated: bool) -> AuditRecord {
    let mut options = Options::new(vec![Symbol::new("getIt", None).expect("a plain name")]);
    options.find_singletons = true;
    options.generated = generated;
    audit(path, &options, &|_, _| {}).expect("it can be read")
}

/// Small ones in each run; of 1 MB, which take 2 s at most where nothing else runs, in a release
/// build with
/// `PARTYWALL_THOROUGH_TESTS=1 cargo test --release -p partywall-audit --test hostile`.
#[test]
fn hostile_files_take_no_more_than_their_length() {
    let is_thorough = std::env::var_os("PARTYWALL_THOROUGH_TESTS").is_some();
    let (bytes, longest) = match is_thorough && !cfg!(debug_assertions) {
        true => (1_000_000, Duration::from_secs(4)),
        // What grows with the square of the length would take hours in the big ones.
        false => (60_000, Duration::from_secs(20)),
    };
    let mut slow = Vec::new();
    for (name, text) in inputs(bytes) {
        let path = folder().join(name);
        std::fs::write(&path, &text).expect("the folder of tests can be written");
        let begun = Instant::now();
        let found = audited(&path, true);
        let took = begun.elapsed();
        eprintln!("{name}: {} KB in {took:?}, {}", text.len() / 1_000, memory());
        slow.extend((took >= longest).then(|| format!("{name}: {took:?}")));
        assert_eq!(found.files.found, 1, "{name}");
    }
    assert!(slow.is_empty(), "{slow:?}");
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn uses_in_a_file_that_exceeds_a_limit_are_found_by_their_text_and_the_file_is_told() {
    let path = folder().join("limit.ts");
    let text = format!("const x = getIt();\n{}", "f<a<\n".repeat(30_000));
    std::fs::write(&path, text).expect("the folder of tests can be written");
    let found = audited(&path, false);
    assert_eq!(found.files.skipped.len(), 1, "{:?}", found.files);
    let uses: Vec<_> = found.uses.iter().map(|found| (found.place.line, found.by_text)).collect();
    assert_eq!(uses, [(1, true)]);
}

#[test]
fn what_programs_made_is_counted_and_searched_only_where_it_is_asked_for() {
    let folder = folder().join("made");
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("can be made");
        std::fs::write(path, text).expect("can be written");
    };
    let shared =
        "const drafts = new Map();\nexport async function f(req) { drafts.set(req.a, 1); }\n";
    write("src/own.js", shared);
    write("dist/bundle.js", shared);
    write("src/own.min.js", shared);
    write("src/made.js", &format!("// @generated\n{shared}"));
    write("src/long.js", &format!("{shared}const x = '{}';\n", "a".repeat(6_000)));
    write("dist/uses.js", "getIt();\n");
    let paths = |found: &AuditRecord| -> Vec<String> {
        found.suspects.iter().map(|suspect| suspect.place.path.clone()).collect()
    };
    let found = audited(&folder, false);
    assert_eq!(paths(&found), ["src/own.js"]);
    assert_eq!(found.files.generated, 5);
    // One of them holds the name that is looked for: that is told.
    let told: Vec<&str> = found.files.skipped.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(told, ["dist/uses.js"]);
    let all = audited(&folder, true);
    assert_eq!((paths(&all).len(), all.files.generated, all.uses.len()), (5, 0, 1));
}

#[test]
fn the_rest_of_a_file_with_an_error_is_searched_and_the_lines_of_the_error_are_told() {
    let path = folder().join("partly.py");
    let text = "drafts = {}\n\nasync def put(title):\n    drafts[title] = getIt()\n\n\nx = = 1\n\n\n\
                def later():\n    return getIt()\n";
    std::fs::write(&path, text).expect("the folder of tests can be written");
    let found = audited(&path, false);
    let [broken] = found.files.broken.as_slice() else { panic!("{:?}", found.files) };
    let lines: Vec<_> = broken.unread.iter().map(|lines| (lines.first, lines.last)).collect();
    assert_eq!(lines, [(7, 7)]);
    assert_eq!(found.uses.len(), 2);
    assert_eq!(found.suspects.len(), 1, "{:?}", found.suspects);
}
