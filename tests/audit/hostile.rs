//! Source files that mean harm: they are searched or named as skipped, and nothing panics.

use partywall::report::{audit_github, audit_sarif, audit_table, terminal};

use super::{LEGACY, Scratch, audited};

#[test]
fn depth_length_and_bytes_that_are_no_text_do_no_harm() {
    let scratch = Scratch::new("hostile");
    let deep = format!("x = {}{LEGACY}(){}\n", "(".repeat(100_000), ")".repeat(100_000));
    scratch.file("deep.py", deep);
    scratch.file("open.py", format!("{}\n{LEGACY}()\n", "[{(".repeat(50_000)));
    scratch.file("chain.py", format!("{LEGACY}(){}\n", ".a()".repeat(50_000)));
    scratch.file("wide.py", format!("x = [{}]\n", format!("{LEGACY}(), ").repeat(2_000)));
    scratch.file("latin.py", [b"# \xe9\xff\n", LEGACY.as_bytes(), b"()\n"].concat());
    scratch.file("nul.py", format!("x = '\0'\n{LEGACY}()\n"));
    scratch.file("quote.py", format!("'''\n{LEGACY}()\n"));
    scratch.file("long.py", format!("{LEGACY}()\n").repeat(500_000));
    scratch.file("empty.py", "");
    scratch.file("mark.py", format!("\u{feff}{LEGACY}()\r\n{LEGACY}()\r\n"));
    scratch.file("deep.ts", format!("x = {}{LEGACY}(){};", "(".repeat(20_000), ")".repeat(20_000)));
    let audit = audited(&scratch.0, true);
    let count = |path: &str| audit.uses.iter().filter(|found| found.place.path == path).count();
    assert_eq!((count("wide.py"), count("latin.py"), count("nul.py")), (2_000, 1, 1));
    assert_eq!((count("chain.py"), count("mark.py"), count("open.py")), (1, 2, 1));
    assert_eq!((count("deep.py"), count("deep.ts")), (1, 1));
    let skipped: Vec<&str> = audit.files.skipped.iter().map(|file| file.path.as_str()).collect();
    // Those that exceed a limit are told, and what they use was found by its text.
    assert_eq!(skipped, ["deep.py", "deep.ts", "long.py", "open.py"]);
    assert_eq!(audit.files.found, 11);
}

#[test]
fn a_byte_order_mark_is_no_column_and_a_lone_carriage_return_ends_a_line() {
    let scratch = Scratch::new("returns");
    scratch.file("mark.py", format!("\u{feff}{LEGACY}()\r\nx = 1\r\n"));
    scratch.file("mac.py", format!("a = 1\r{LEGACY}()\rb = '\\r'\r"));
    let audit = audited(&scratch.0, false);
    let places: Vec<_> = audit
        .uses
        .iter()
        .map(|found| (found.place.path.as_str(), found.place.line, found.place.column))
        .collect();
    assert_eq!(places, [("mac.py", 2, 1), ("mark.py", 1, 1)]);
    assert!(audit.files.broken.is_empty(), "{:?}", audit.files.broken);
    assert!(audit.uses.iter().all(|found| found.shown_by.is_empty()), "nothing is kept");
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_and_what_others_wrote_is_not_searched() {
    let scratch = Scratch::new("links");
    scratch.file("app/own.py", format!("{LEGACY}()\n"));
    for foreign in ["node_modules/a.py", ".git/b.py", "env/c.py", "lib/site-packages/d.py"] {
        scratch.file(foreign, format!("{LEGACY}()\n"));
    }
    scratch.file("env/pyvenv.cfg", "");
    std::os::unix::fs::symlink(&scratch.0, scratch.0.join("app/loop")).expect("links can be made");
    std::os::unix::fs::symlink("own.py", scratch.0.join("app/link.py")).expect("links can be made");
    let audit = audited(&scratch.0, false);
    let paths: Vec<&str> = audit.uses.iter().map(|found| found.place.path.as_str()).collect();
    assert_eq!(paths, ["app/own.py"]);
}

#[cfg(unix)]
#[test]
fn names_and_lines_of_source_give_no_orders() {
    let scratch = Scratch::new("orders");
    let order = "\u{1b}]0;x\u{7}\u{202e}::error::x";
    let text = format!("x = '{order}'; {LEGACY}()  # {order}\n");
    scratch.file(&format!("a{order},b\n::stop.py"), text);
    let mut audit = audited(&scratch.0, true);
    audit.root = ".".into();
    assert_eq!(audit.remaining().count(), 1);
    let table = audit_table::render(&audit, terminal::Style::default());
    let github = audit_github::render(&audit);
    for text in [&table, &github, &audit_sarif::render(&audit)] {
        let harmless = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
        assert!(text.chars().all(harmless), "{text:?}");
    }
    assert!(table.lines().all(|line| !line.trim_start().starts_with("::")), "{table}");
    let commands = github.lines().filter(|line| line.starts_with("::"));
    let commands: Vec<&str> = commands.collect();
    assert_eq!(commands.len(), 1, "{github}");
    assert!(commands[0].starts_with("::warning file=a"), "{github}");
    assert!(!commands[0][2..].contains("::error"), "{github}");
}
