//! Who imports whom. Between crates the build holds it, as far as their manifests say it.

use super::lexer::{Token, tokens};
use super::{Complaint, Source, all_sources, complaints};

/// The crates, each with those of this workspace that it depends on.
const CRATES: [(&str, &[&str]); 9] = [
    ("core", &[]),
    ("world", &["core"]),
    ("oracles", &["core"]),
    ("audit", &["core"]),
    ("report", &["core"]),
    ("reference", &["core", "world"]),
    ("explore", &["core", "oracles", "world"]),
    ("drive", &["core", "explore", "reference", "world"]),
    ("campaign", &["core", "drive", "explore", "oracles", "reference", "world"]),
];

/// Crates that do not know each other, so that what judges shares nothing with what is judged.
const STRANGERS: [[&str; 2]; 3] =
    [["reference", "oracles"], ["reference", "audit"], ["oracles", "audit"]];

/// Folders of `src/` that nothing in it imports but the one file that lists them, and for `cli` the
/// program: subcommands and the bodies of the fuzz targets stand above everything else.
const ON_TOP: [(&str, &[&str]); 2] = [("cli", &["lib.rs", "main.rs"]), ("fuzzing", &["lib.rs"])];

/// The one file that is compiled a second time, over loom.
const KERNEL: &str = "\"../kernel/mod.rs\"";

pub(crate) fn text<'s>(code: &[Token<'s>], at: usize) -> &'s str {
    code.get(at).map_or("", |token| token.text)
}

/// The crates of this workspace that a manifest depends on outside of tests.
fn dependencies(manifest: &str) -> Vec<&str> {
    let own = manifest.split("[dev-dependencies]").next().expect("the first part");
    let named = own.lines().filter_map(|line| line.strip_prefix("partywall-"));
    let mut named: Vec<&str> = named.filter_map(|line| line.split([' ', '.']).next()).collect();
    named.sort_unstable();
    named
}

/// Whether a crate depends on another, over any number of others.
fn reaches(name: &str, other: &str) -> bool {
    let (_, direct) = CRATES.iter().find(|(known, _)| *known == name).expect("it is listed");
    direct.iter().any(|next| *next == other || reaches(next, other))
}

/// Paths into a folder that is on top of all others, from elsewhere.
fn from_below(source: &Source) -> Vec<Complaint> {
    let code = tokens(&source.text);
    let mut found = Vec::new();
    for (folder, importers) in ON_TOP {
        let is_own = source.path.starts_with(&format!("{folder}/"));
        if is_own || importers.contains(&source.path.as_str()) {
            continue;
        }
        let of_path = |at: usize| {
            ["::", "{", ","].contains(&text(&code, at.wrapping_sub(1)))
                && ["::", ";", ",", "}"].contains(&text(&code, at + 1))
        };
        let named = (0..code.len()).filter(|at| text(&code, *at) == folder && of_path(*at));
        found.extend(named.map(|at| source.complaint(code[at].line, folder)));
    }
    found
}

/// What a file of the kernel names outside of the kernel, which the models compile elsewhere.
fn beyond_kernel(source: &Source) -> Vec<Complaint> {
    let code = tokens(&source.text);
    let is_outside = |word: &str| word == "crate" || word.starts_with("partywall");
    let outside = code.windows(2).filter(|two| two[1].text == "::" && is_outside(two[0].text));
    outside.map(|two| source.complaint(two[0].line, two[0].text)).collect()
}

/// `#[path = …]` that is not the kernel's in the models.
fn other_paths(source: &Source) -> Vec<Complaint> {
    let code = tokens(&source.text);
    let attributes = code.windows(5).filter(|five| {
        five[0].text == "#" && five[1].text == "[" && five[2].text == "path" && five[3].text == "="
    });
    let allowed = |literal: &str| source.path == "reference/model/mod.rs" && literal == KERNEL;
    let other = attributes.filter(|five| !allowed(five[4].text));
    other.map(|five| source.complaint(five[4].line, five[4].text)).collect()
}

#[test]
fn each_crate_depends_on_what_the_design_says() {
    for (name, listed) in CRATES {
        let manifest = super::crates().join(name).join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).expect("the manifest can be read");
        assert_eq!(dependencies(&text), listed, "{}", manifest.display());
    }
    let folders = std::fs::read_dir(super::crates()).expect("the folder can be read");
    assert_eq!(folders.count(), CRATES.len(), "a crate that the design does not name");
    for [one, other] in STRANGERS {
        assert!(!reaches(one, other) && !reaches(other, one), "{one} and {other}");
    }
    assert!(reaches("drive", "oracles"), "over others too");
    let planted = "[dependencies]\npartywall-world = { workspace = true }\n\
                   partywall-core.workspace = true\nserde = \"1\"\n\
                   [dev-dependencies]\npartywall-audit = { workspace = true }\n";
    assert_eq!(dependencies(planted), ["core", "world"]);
}

#[test]
fn nothing_imports_what_is_on_top() {
    let found = complaints(from_below);
    assert!(found.is_empty(), "imports of what is on top:\n{}", found.join("\n"));
    let planted = [
        ("cli/planted.rs", "use crate::fuzzing::trial;"),
        ("cli/planted.rs", "use super::super::fuzzing;"),
        ("fuzzing/planted.rs", "use crate::{campaign::explore, cli, oracle};"),
        ("fuzzing/planted.rs", "fn f() { partywall::cli::main() }"),
        ("main.rs", "use partywall::{fuzzing::trial};"),
    ];
    for (path, line) in planted {
        assert_eq!(from_below(&Source::planted(path, line)).len(), 1, "{path}: {line}");
    }
    let harmless = [
        ("main.rs", "fn main() -> ExitCode { partywall::cli::main() }"),
        ("lib.rs", "pub mod cli; pub mod fuzzing;"),
        ("fuzzing/planted.rs", "// use crate::cli;\nuse crate::fuzzing::bytes; let cli = 1;"),
        ("cli/planted.rs", "let text = \"crate::fuzzing\"; use crate::cli::common;"),
    ];
    for (path, line) in harmless {
        let found = from_below(&Source::planted(path, line));
        assert!(found.is_empty(), "{path}: {line}: {found:?}");
    }
}

#[test]
fn the_models_take_the_kernel_source_and_nothing_else() {
    let found = complaints(other_paths);
    assert!(found.is_empty(), "sources by path:\n{}", found.join("\n"));
    let sources = all_sources();
    let kernel: Vec<_> =
        sources.iter().filter(|source| source.path.starts_with("reference/kernel/")).collect();
    let found: Vec<_> = kernel.iter().flat_map(|source| beyond_kernel(source)).collect();
    assert!(found.is_empty(), "not in the models' reach:\n{}", found.join("\n"));
    assert!(kernel.len() > 5);
    let by_path = Source::planted("reference/model/mod.rs", "#[path = \"../service.rs\"]\nmod s;");
    assert_eq!(other_paths(&by_path).len(), 1);
    for line in ["use crate::service::Service;", "use partywall_core::ids::RunId;"] {
        let planted = Source::planted("reference/kernel/planted.rs", line);
        assert_eq!(beyond_kernel(&planted).len(), 1, "{line}");
    }
}
