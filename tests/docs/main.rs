//! README and the guide: links lead somewhere, snippets are right as they stand, references are those
//! of the schemas, and tutorials end as they say.
//!
//! Rust snippets are compiled and run as doc tests of the facade (`src/lib.rs`).

mod commands;
mod generated;
mod links;
mod snippets;
mod tutorials;

use std::fs;
use std::path::{Path, PathBuf};

/// One Markdown file, by its path from the repository's folder.
struct Page {
    path: String,
    text: String,
}

/// One fenced block.
#[derive(Debug)]
struct Fence {
    /// The language.
    language: String,
    /// What follows it in the first line: `file=server.py`, `exit=1`.
    marks: Vec<String>,
    /// The line of its first line of text, from 1.
    line: usize,
    body: String,
}

impl Fence {
    fn mark(&self, name: &str) -> Option<&str> {
        self.marks.iter().find_map(|mark| mark.strip_prefix(name)?.strip_prefix('='))
    }

    /// The commands of a console block, with lines that end in a backslash joined.
    fn commands(&self) -> Vec<String> {
        let joined = self.body.replace("\\\n", "");
        joined.lines().filter_map(|line| line.trim().strip_prefix("$ ")).map(String::from).collect()
    }
}

impl Page {
    fn read(path: &str) -> Self {
        let text = fs::read_to_string(root().join(path)).expect("the page");
        Self { path: path.to_owned(), text }
    }

    /// Its fenced blocks. A block may stand in a list, indented.
    fn fences(&self) -> Vec<Fence> {
        let mut fences = Vec::new();
        let mut open: Option<(usize, Fence)> = None;
        for (number, line) in self.text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            match (&mut open, line.trim_start().strip_prefix("```")) {
                (None, Some(info)) => {
                    let mut parts = info.split(',').map(str::to_owned);
                    let language = parts.next().unwrap_or_default();
                    let (marks, body) = (parts.collect(), String::new());
                    open = Some((indent, Fence { language, marks, line: number + 2, body }));
                }
                (Some(_), Some(_)) => fences.extend(open.take().map(|(_, fence)| fence)),
                (Some((indent, fence)), None) => {
                    fence.body.push_str(line.get(*indent..).unwrap_or_default());
                    fence.body.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a fence is not closed", self.path);
        fences
    }

    /// Its text outside of fenced blocks.
    fn prose(&self) -> String {
        let mut inside = false;
        let mut prose = String::new();
        for line in self.text.lines() {
            let is_fence = line.trim_start().starts_with("```");
            inside ^= is_fence;
            if !inside && !is_fence {
                prose.push_str(line);
            }
            prose.push('\n');
        }
        prose
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Markdown files below a folder, sorted.
fn below(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("the folder") {
            let entry = entry.expect("an entry");
            let path = folder.join(entry.file_name());
            match entry.file_type().expect("a type").is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|ending| ending == "md") => {
                    found.push(path.display().to_string());
                }
                false => {}
            }
        }
    }
    found.sort();
    found
}

/// What users read.
fn pages() -> Vec<Page> {
    let mut paths = vec![String::from("README.md"), String::from("CONTRIBUTING.md")];
    paths.extend(below("docs"));
    paths.extend(below("scenarios"));
    paths.iter().map(|path| Page::read(path)).collect()
}

#[test]
fn readme_is_short() {
    assert!(Page::read("README.md").text.lines().count() <= 200);
}

#[test]
fn the_summary_lists_every_page() {
    let summary = Page::read("docs/SUMMARY.md").text;
    for path in below("docs") {
        let name = path.strip_prefix("docs/").expect("below docs");
        let listed = name == "SUMMARY.md" || summary.contains(&format!("]({name})"));
        assert!(listed, "{name} is not in docs/SUMMARY.md");
    }
}

#[test]
fn fences_and_prose_are_told_apart() {
    let text = "a\n\n   ```toml,file=x.toml\n   b = 1\n     c\n   ```\nd\n";
    let page = Page { path: "planted".into(), text: text.into() };
    let fences = page.fences();
    assert_eq!(fences.len(), 1);
    assert_eq!((fences[0].language.as_str(), fences[0].mark("file")), ("toml", Some("x.toml")));
    assert_eq!((fences[0].line, fences[0].body.as_str()), (4, "b = 1\n  c\n"));
    assert_eq!(page.prose().split_whitespace().collect::<Vec<_>>(), ["a", "d"]);
}
