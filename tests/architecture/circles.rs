//! No circle of imports among more than two files of a crate: whoever reads a file reads what it
//! stands on first, and there is a first.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::layers::text;
use super::lexer::{Token, tokens};
use super::{Source, collect, crates, root};

/// A circle of this many files is one thing in two files; of more, nobody knows where to begin.
const MOST_FILES: usize = 2;

/// The segments of a path from the root of its crate.
type Module = Vec<String>;

/// The files of one crate and what each names of the others.
struct Crate {
    /// Path within the crate by module.
    files: BTreeMap<Module, String>,
    /// Modules that `#[path]` makes of a file that stands elsewhere, each with the file's own.
    elsewhere: BTreeMap<Module, Module>,
    edges: BTreeMap<String, BTreeSet<String>>,
}

impl Crate {
    /// Of sources whose paths are within the crate.
    fn of(sources: &[Source]) -> Self {
        let codes: Vec<_> = sources.iter().map(|source| without_tests(&source.text)).collect();
        let mut graph =
            Self { files: BTreeMap::new(), elsewhere: BTreeMap::new(), edges: BTreeMap::new() };
        for source in sources {
            graph.files.insert(module_of(&source.path), source.path.clone());
        }
        for (source, code) in sources.iter().zip(&codes) {
            let here = module_of(&source.path);
            for (name, literal) in paths_given(code) {
                let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let file = normal(&format!("{folder}/{}", literal.trim_matches('"')));
                graph.elsewhere.insert(child(&here, name), module_of(&file));
            }
        }
        for (source, code) in sources.iter().zip(&codes) {
            let mut named = graph.named(code, &module_of(&source.path));
            named.remove(&source.path);
            graph.edges.insert(source.path.clone(), named);
        }
        graph
    }

    /// The files that the code of a module names.
    fn named(&self, code: &[Token<'_>], file: &Module) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        // Modules in the file that the code stands in, each with the braces around it.
        let mut inner: Vec<(String, usize)> = Vec::new();
        let mut depth = 0;
        for at in 0..code.len() {
            match text(code, at) {
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    inner.retain(|(_, around)| *around < depth);
                }
                "mod" if text(code, at + 2) == "{" => {
                    inner.push((text(code, at + 1).to_owned(), depth));
                }
                _ => {}
            }
            let mut here = file.clone();
            here.extend(inner.iter().map(|(name, _)| name.clone()));
            if let Some(start) = self.start(code, at, &here) {
                let mut paths = Vec::new();
                leaves(code, at + 1, start, &mut paths);
                found.extend(paths.iter().filter_map(|path| self.file(path)));
            }
        }
        found
    }

    /// The module that a path which begins at a token starts from.
    fn start(&self, code: &[Token<'_>], at: usize, here: &Module) -> Option<Module> {
        if text(code, at + 1) != "::" || at > 0 && ["::", "in"].contains(&text(code, at - 1)) {
            return None;
        }
        match text(code, at) {
            "crate" => Some(Module::new()),
            "self" => Some(here.clone()),
            "super" => Some(here[..here.len().checked_sub(1)?].to_vec()),
            word => Some(child(here, word)).filter(|path| self.knows(path)),
        }
    }

    fn knows(&self, module: &Module) -> bool {
        self.files.contains_key(module) || self.elsewhere.contains_key(module)
    }

    /// The file of the innermost module of a path: what is behind it stands in that file.
    fn file(&self, path: &Module) -> Option<String> {
        let aliased = self.elsewhere.iter().find(|(alias, _)| path.starts_with(alias));
        let path = match aliased {
            Some((alias, own)) => [own, &path[alias.len()..]].concat(),
            None => path.clone(),
        };
        (0..=path.len()).rev().find_map(|length| self.files.get(&path[..length]).cloned())
    }

    /// Each set of more than [`MOST_FILES`] files of which each reaches each, with its edges.
    fn circles(&self) -> Vec<Vec<String>> {
        let reach: BTreeMap<_, _> =
            self.edges.keys().map(|file| (file, self.reach(file))).collect();
        let mut circles = BTreeSet::new();
        for (file, reached) in &reach {
            let back = |other: &&String| reach[*other].contains(*file);
            circles.insert(reached.iter().filter(back).cloned().collect::<BTreeSet<_>>());
        }
        let long = circles.into_iter().filter(|circle| circle.len() > MOST_FILES);
        long.map(|circle| self.edges_within(&circle)).collect()
    }

    fn reach(&self, file: &String) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&String> = self.edges[file].iter().collect();
        while let Some(file) = next.pop() {
            if reached.insert(file.clone()) {
                next.extend(&self.edges[file]);
            }
        }
        reached
    }

    fn edges_within(&self, circle: &BTreeSet<String>) -> Vec<String> {
        let of = |file: &String| {
            let others: Vec<String> = self.edges[file].intersection(circle).cloned().collect();
            format!("{file} → {}", others.join(", "))
        };
        circle.iter().map(of).collect()
    }
}

fn child(module: &Module, name: &str) -> Module {
    let mut path = module.clone();
    path.push(name.to_owned());
    path
}

fn module_of(path: &str) -> Module {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" { Module::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// A path without its `..`.
fn normal(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        match segment {
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    segments.join("/")
}

/// The code without items under `#[cfg(test)]`.
fn without_tests(source: &str) -> Vec<Token<'_>> {
    let all = tokens(source);
    let mut kept = Vec::new();
    let mut at = 0;
    while at < all.len() {
        let attribute: Vec<&str> = all[at..].iter().take(7).map(|token| token.text).collect();
        if attribute != ["#", "[", "cfg", "(", "test", ")", "]"] {
            kept.push(all[at]);
            at += 1;
            continue;
        }
        let mut depth = 0;
        for token in &all[at..] {
            at += 1;
            match token.text {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            if depth == 0 && ["}", ";"].contains(&token.text) {
                break;
            }
        }
    }
    kept
}

/// `#[path = "…"] mod name;`: the names, each with its literal.
fn paths_given<'s>(code: &[Token<'s>]) -> Vec<(&'s str, &'s str)> {
    let begins = |at: &usize| {
        ["#", "[", "path", "="].iter().zip(*at..).all(|(word, at)| text(code, at) == *word)
    };
    let given = |at: usize| {
        let behind = code[at..].iter().position(|token| token.text == "mod")?;
        Some((text(code, at + behind + 1), text(code, at + 4)))
    };
    (0..code.len()).filter(begins).filter_map(given).collect()
}

/// Adds the paths that go on at a token, a `::`: one, or one a member of its `{…}`. What is behind
/// them is returned.
fn leaves(code: &[Token<'_>], mut at: usize, start: Module, found: &mut Vec<Module>) -> usize {
    let mut path = start;
    while text(code, at) == "::" {
        match text(code, at + 1) {
            "super" => drop(path.pop()),
            "{" => {
                at += 2;
                while !["}", ""].contains(&text(code, at)) {
                    let word = text(code, at);
                    let start = if word == "self" { path.clone() } else { child(&path, word) };
                    at = leaves(code, at + 1, start, found);
                    while ![",", "}", ""].contains(&text(code, at)) {
                        at += 1;
                    }
                    at += usize::from(text(code, at) == ",");
                }
                return at + 1;
            }
            word => path.push(word.to_owned()),
        }
        at += 2;
    }
    found.push(path);
    at
}

/// The sources of the package in that folder, by their paths within its `src/`.
fn sources_of(package: &Path) -> Vec<Source> {
    let folder = package.join("src");
    let mut files = Vec::new();
    collect(&folder, &mut files);
    let within = |file: &PathBuf| {
        let path = file.strip_prefix(&folder).expect("below it").to_str().expect("plain names");
        let text = fs::read_to_string(file).expect("the source can be read");
        Source { path: path.replace('\\', "/"), text }
    };
    files.iter().map(within).collect()
}

#[test]
fn no_crate_has_a_circle_of_imports() {
    let mut found = Vec::new();
    let folders = fs::read_dir(crates()).expect("the folder can be read");
    let folders = folders.map(|entry| entry.expect("its entries can be read").path());
    for package in folders.chain([root().to_owned()]) {
        let name = package.display();
        let graph = Crate::of(&sources_of(&package));
        let edges: usize = graph.edges.values().map(BTreeSet::len).sum();
        assert!(edges > graph.edges.len() / 2, "{name}: hardly an import is seen");
        for circle in graph.circles() {
            found.push(format!("{name}, {} files:\n  {}", circle.len(), circle.join("\n  ")));
        }
    }
    assert!(found.is_empty(), "circles of imports:\n{}", found.join("\n"));
}

/// The circles of a crate of these files.
fn planted(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let sources: Vec<_> = files.iter().map(|(path, text)| Source::planted(path, text)).collect();
    Crate::of(&sources).circles()
}

#[test]
fn a_planted_circle_is_found() {
    let by_parent = planted(&[
        ("lib.rs", "mod all;"),
        ("all/mod.rs", "mod one; mod two; pub trait T {} fn f() { one::f(); two::g() }"),
        ("all/one.rs", "use super::T;"),
        ("all/two.rs", "impl super::T for u8 {}"),
    ]);
    let edges = ["all/mod.rs → all/one.rs, all/two.rs", "all/one.rs → all/mod.rs"];
    assert_eq!(by_parent, [[edges[0], edges[1], "all/two.rs → all/mod.rs"]]);
    let by_lists = planted(&[
        ("lib.rs", "mod a; mod b; mod c; pub use c::{X, Y};"),
        ("a.rs", "use crate::{b::{self, X}, other};"),
        ("b.rs", "mod inner { use super::super::c::f; }"),
        ("c.rs", "use std::fmt; fn f() { self::g(super::a::X) }"),
        ("d.rs", "use crate::a::X;"),
    ]);
    assert_eq!(by_lists.len(), 1);
    assert_eq!(by_lists[0].len(), 4, "{by_lists:?}");
    let by_path = planted(&[
        ("a.rs", "use crate::b::X;"),
        ("b.rs", "use crate::model::kernel::one::X;"),
        ("kernel/one.rs", "use crate::a::X;"),
        ("kernel/mod.rs", "mod one;"),
        ("model/mod.rs", "#[path = \"../kernel/mod.rs\"] mod kernel;"),
    ]);
    assert_eq!(by_path.len(), 1);
}

#[test]
fn what_is_no_circle_is_left_alone() {
    let found = planted(&[
        ("lib.rs", "mod all; mod low; pub use all::f; #[cfg(test)] mod tests { use low::X; }"),
        ("all/mod.rs", "mod one; mod two; pub fn f() { one::f(); two::g() }"),
        ("all/one.rs", "pub(in crate::all) fn f() { super::two::g() } // super::f"),
        ("all/two.rs", "use crate::low::X; fn g() { all::f(\"crate::all::f\") }"),
        ("low.rs", "use super::pair::X; #[cfg(test)] mod tests { use crate::all::f; }"),
        ("pair.rs", "use crate::low::X; mod own { use super::Y; }"),
    ]);
    assert_eq!(found, [[""; 0]; 0]);
}
