//! Who imports whom.

use super::lexer::{Token, tokens};
use super::{Complaint, Source, all_sources, complaints};

/// The layers, as in the design: each imports only from those before it.
const LAYERS: [&str; 14] = [
    "trial",
    "world",
    "reference",
    "model",
    "oracle",
    "audit",
    "upstream",
    "scenario",
    "swarm",
    "campaign",
    "report",
    "own_code",
    "cli",
    // The bodies of the fuzz targets: nobody imports them.
    "fuzzing",
];

/// Layers that may import less than all those before them.
///
/// `reference`, `oracle` and `audit` do not know each other, so that what judges shares nothing
/// with what is judged; oracles are pure; models are of the kernel alone; a report tells what the
/// record says and nothing else.
const NARROWER: [(&str, &[&str]); 6] = [
    ("model", &["trial"]),
    ("oracle", &["trial"]),
    ("audit", &["trial"]),
    ("upstream", &["trial", "world"]),
    ("report", &["trial"]),
    ("fuzzing", &["trial", "world", "reference", "oracle", "scenario", "swarm", "campaign"]),
];

/// The layers that the root package still holds as folders; the others are crates, whose
/// manifests say what they may name.
const IN_ROOT: [&str; 7] =
    ["upstream", "scenario", "swarm", "campaign", "own_code", "cli", "fuzzing"];

/// The crates, each with those of this workspace that it depends on. `reference`, `oracles` and
/// `audit` do not know each other, so that what judges shares nothing with what is judged.
const CRATES: [(&str, &[&str]); 6] = [
    ("core", &[]),
    ("world", &["core"]),
    ("oracles", &["core"]),
    ("audit", &["core"]),
    ("report", &["core"]),
    ("reference", &["core", "world"]),
];

/// The one file that is compiled a second time, over loom.
const KERNEL: &str = "\"../kernel/mod.rs\"";

fn allowed(layer: &str) -> Vec<&'static str> {
    let narrower = NARROWER.iter().find(|(name, _)| *name == layer);
    let before = || LAYERS.iter().copied().take_while(|name| *name != layer).collect();
    narrower.map_or_else(before, |(_, few)| few.to_vec())
}

/// What the code names of the package itself: the first segment after `crate`, `partywall`, or as
/// many `super` as lead to the root from a file that deep.
fn imports<'s>(code: &[Token<'s>], depth: usize) -> Vec<Token<'s>> {
    let mut found = Vec::new();
    for (at, token) in code.iter().enumerate() {
        let mut next = at + 1;
        let mut names = Vec::new();
        match token.text {
            "crate" | "partywall" => {}
            "super" if !follows(code, at, "super") => {
                let mut supers = 1;
                while text(code, next) == "::" && text(code, next + 1) == "super" {
                    supers += 1;
                    next += 2;
                }
                if supers < depth {
                    continue;
                }
            }
            _ => continue,
        }
        if text(code, next) == "::" {
            first_segments(code, next + 1, &mut names);
        }
        // In an inner module as many `super` lead to a sibling of the file only; by its name it is
        // known to be none of the root's.
        names.retain(|name| token.text != "super" || LAYERS.contains(&name.text));
        found.extend(names);
    }
    found
}

pub(crate) fn text<'s>(code: &[Token<'s>], at: usize) -> &'s str {
    code.get(at).map_or("", |token| token.text)
}

fn follows(code: &[Token<'_>], at: usize, before: &str) -> bool {
    at >= 2 && text(code, at - 1) == "::" && text(code, at - 2) == before
}

/// The segment that stands there, or the first ones of each member of a `{…}`.
fn first_segments<'s>(code: &[Token<'s>], at: usize, found: &mut Vec<Token<'s>>) {
    if text(code, at) != "{" {
        found.extend(code.get(at));
        return;
    }
    let mut depth = 0;
    let mut begins = false;
    for token in &code[at..] {
        match token.text {
            "{" => {
                depth += 1;
                begins = depth == 1;
            }
            "}" => {
                depth -= 1;
                if depth == 0 {
                    return;
                }
            }
            "," => begins = depth == 1,
            _ if begins => {
                found.push(*token);
                begins = false;
            }
            _ => {}
        }
    }
}

/// Imports of one file of a layer that the layer must not have.
fn foreign(source: &Source, layer: &str, allowed: &[&str]) -> Vec<Complaint> {
    let code = tokens(&source.text);
    let found = imports(&code, source.depth()).into_iter();
    let foreign = found.filter(|name| name.text != layer && !allowed.contains(&name.text));
    foreign.map(|name| source.complaint(name.line, &format!("{layer} → {}", name.text))).collect()
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
fn a_layer_imports_only_from_those_above_it() {
    let found = complaints(|source| {
        let layer = source.layer().filter(|layer| IN_ROOT.contains(layer));
        let Some(layer) = layer else { return Vec::new() };
        foreign(source, layer, &allowed(layer))
    });
    assert!(found.is_empty(), "imports against the layers of the design:\n{}", found.join("\n"));
}

#[test]
fn each_crate_depends_on_what_the_design_says() {
    for (name, dependencies) in CRATES {
        let manifest = super::crates().join(name).join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).expect("the manifest can be read");
        let own = text.split("[dev-dependencies]").next().expect("the first part");
        let named = own.lines().filter_map(|line| line.strip_prefix("partywall-"));
        let mut named: Vec<&str> = named.filter_map(|line| line.split(' ').next()).collect();
        named.sort_unstable();
        assert_eq!(named, dependencies, "{}", manifest.display());
    }
    let folders = std::fs::read_dir(super::crates()).expect("the folder can be read");
    assert_eq!(folders.count(), CRATES.len(), "a crate that the design does not name");
}

#[test]
fn the_models_take_the_kernel_source_and_nothing_else() {
    let found = complaints(other_paths);
    assert!(found.is_empty(), "sources by path:\n{}", found.join("\n"));
    let kernel = |source: &Source| source.path.starts_with("reference/kernel/");
    let found =
        complaints(
            |source| {
                if kernel(source) { foreign(source, "kernel", &[]) } else { Vec::new() }
            },
        );
    assert!(found.is_empty(), "not in the models' reach:\n{}", found.join("\n"));
    assert!(all_sources().iter().filter(|source| kernel(source)).count() > 5);
}

#[test]
fn the_narrower_lists_are_of_layers_above() {
    for (layer, few) in NARROWER {
        let before: Vec<&str> = LAYERS.into_iter().take_while(|name| *name != layer).collect();
        assert!(few.iter().all(|name| before.contains(name)), "{layer}: {few:?}");
    }
    for (one, other) in [("reference", "oracle"), ("reference", "audit"), ("oracle", "audit")] {
        assert!(!allowed(one).contains(&other) && !allowed(other).contains(&one));
    }
}

#[test]
fn a_planted_import_is_found() {
    let planted = [
        ("campaign/planted.rs", "fn render(record: &partywall::report::Page) {}"),
        ("cli/planted.rs", "use crate::fuzzing::trial;"),
        ("swarm/transport/planted.rs", "use super::super::super::cli;"),
        ("scenario/planted.rs", "use crate::nowhere::Thing;"),
    ];
    for (path, line) in planted {
        let source = Source::planted(path, line);
        let layer = source.layer().expect("in a layer");
        assert_eq!(foreign(&source, layer, &allowed(layer)).len(), 1, "{path}: {line}");
    }
    let harmless = [
        ("report/planted.rs", "// use crate::campaign::explore;"),
        ("report/planted.rs", "let text = \"crate::campaign\";"),
        ("report/planted.rs", "pub(crate) fn page() { super::page::Page::new() }"),
        ("report/planted.rs", "mod tests { use super::super::page; use crate::report::page; }"),
        ("campaign/planted.rs", "use crate::{oracle::{Case, cli}, trial::plan::Plan};"),
    ];
    for (path, line) in harmless {
        let source = Source::planted(path, line);
        let layer = source.layer().expect("in a layer");
        let found = foreign(&source, layer, &allowed(layer));
        assert!(found.is_empty(), "{path}: {line}: {found:?}");
    }
    let by_path = Source::planted("reference/model/mod.rs", "#[path = \"../service.rs\"]\nmod s;");
    assert_eq!(other_paths(&by_path).len(), 1);
}
