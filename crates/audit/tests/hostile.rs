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
        ("generic-arrows.ts", fill("<a>(b)=>")),
        ("generic-arrows.tsx", fill("<a,>(b)=>")),
        ("arrows.ts", fill("a=>")),
        ("arrows.js", fill("(a)=>")),
        ("async-arrows.ts", fill("async(a)=>")),
        ("assignments.ts", fill("a=b=")),
        ("assignments.py", fill("a=b=")),
        ("powers.py", fill("a**")),
        ("signs.ts", fill("-!")),
        ("news.ts", fill("new ")),
        ("awaits.py", fill("await ")),
        ("conditions.py", fill("a if b else ")),
        ("lists.py", fill("a,")),
        ("labels.ts", fill("a:")),
        ("objects.ts", fill("{a:")),
        ("chained.ts", fill("a?.b?")),
        ("filled.py", fill("f\"{")),
        ("generics.ts", fill("type A<B extends ")),
        ("attributes.tsx", fill("<A b=")),
        ("imports.ts", fill("import {a as ")),
        ("matches.py", fill("match a:\n case ")),
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

/// What grows with the square of the length would take hours in the big ones.
#[test]
fn hostile_files_take_no_more_than_their_length() {
    let mut slow = Vec::new();
    for (name, text) in inputs(60_000) {
        let took = searched(name, &text);
        slow.extend((took >= Duration::from_secs(20)).then(|| format!("{name}: {took:?}")));
    }
    assert!(slow.is_empty(), "{slow:?}");
}

/// How long a file takes.
fn searched(name: &str, text: &str) -> Duration {
    let path = folder().join(name);
    std::fs::write(&path, text).expect("the folder of tests can be written");
    let begun = Instant::now();
    let found = audited(&path, true);
    let took = begun.elapsed();
    assert_eq!(found.files.found, 1, "{name}");
    took
}

/// Says which of the files of 1 MB a process of its own searches.
const ONE: &str = "PARTYWALL_HOSTILE_FILE";

/// Each of 1 MB takes 2 s of CPU time and 200 MB at most, in a process of its own:
/// `PARTYWALL_THOROUGH_TESTS=1 cargo test --release -p partywall-audit --test hostile`.
#[test]
fn hostile_files_of_1_mb_keep_the_limits() {
    const NAME: &str = "hostile_files_of_1_mb_keep_the_limits";
    let is_thorough = std::env::var_os("PARTYWALL_THOROUGH_TESTS").is_some();
    if !is_thorough || cfg!(debug_assertions) {
        return;
    }
    if let Some(one) = std::env::var_os(ONE) {
        audited(Path::new(&one), true);
        println!("took {} ms, {} MB", cpu_time(), memory() / 1_000);
        return;
    }
    let mut over = Vec::new();
    for (name, text) in inputs(1_000_000) {
        let path = folder().join(name);
        std::fs::write(&path, text).expect("the folder of tests can be written");
        let program = std::env::current_exe().expect("it is known");
        let run = std::process::Command::new(program)
            .args(["--exact", NAME, "--nocapture"])
            .env(ONE, &path)
            .output()
            .expect("it can be started");
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        let line = said.split("took ").nth(1).and_then(|rest| rest.lines().next());
        let line = line.unwrap_or_else(|| panic!("{name}: {said}"));
        let figures = line.split(' ').filter_map(|word| word.parse::<u64>().ok());
        let figures: Vec<u64> = figures.collect();
        eprintln!("{name}: {line}");
        over.extend((figures[0] > 2_000 || figures[1] > 200).then(|| format!("{name}: {line}")));
    }
    assert!(over.is_empty(), "{over:#?}");
}

/// The CPU time that this process took, in ms.
fn cpu_time() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let rest = stat.rsplit(')').next().unwrap_or_default();
    let ticks =
        rest.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok());
    ticks.sum::<u64>() * 10
}

/// The most memory that this process had, in KB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).unwrap_or(0)
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
