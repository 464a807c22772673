//! Every link within the repository leads to a file that is there, and to a heading that it has.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::{Page, pages, root};

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(page: &Page) -> BTreeSet<String> {
    let headings = page.prose();
    let headings = headings.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

/// The targets of a text's links.
fn targets(text: &str) -> Vec<&str> {
    let ends = text.match_indices("](").map(|(at, _)| &text[at + 2..]);
    ends.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target).collect()
}

/// A path without `..` in it.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// What is wrong with the links of a page.
fn broken(page: &Page) -> Vec<String> {
    let prose = page.prose();
    let mut broken = Vec::new();
    for target in targets(&prose) {
        if target.contains("://") {
            continue;
        }
        let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
        if file.is_empty() {
            let is_right = anchors(page).contains(anchor);
            broken.extend((!is_right).then(|| format!("{}: {target}", page.path)));
            continue;
        }
        let folder = Path::new(&page.path).parent().unwrap_or(Path::new(""));
        let path = plain(&folder.join(file));
        let there = root().join(&path);
        let is_right = match anchor {
            _ if !there.exists() => false,
            "" => true,
            anchor => anchors(&Page::read(&path.display().to_string())).contains(anchor),
        };
        if !is_right {
            broken.push(format!("{}: {target}", page.path));
        }
    }
    broken
}

#[test]
fn links_lead_somewhere() {
    let others = ["ARCHITECTURE.md", "CHANGELOG.md", "benches/soundness/README.md"];
    let pages = pages().into_iter().chain(others.map(Page::read));
    let broken: Vec<String> = pages.flat_map(|page| broken(&page)).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let text = "# The title: a `b`\n[a](#the-title-a-b) [b](concepts.md#nonces) [c](#none) \
                [d](nothing.md) [e](concepts.md#none) [f](https://example.test/x)\n";
    let page = Page { path: "docs/planted.md".into(), text: text.into() };
    let found: Vec<String> = broken(&page);
    let found: Vec<&str> =
        found.iter().filter_map(|line| line.split_once(": ")).map(|(_, to)| to).collect();
    assert_eq!(found, ["#none", "nothing.md", "concepts.md#none"]);
}
