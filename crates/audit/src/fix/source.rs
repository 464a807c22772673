//! A file as it is rewritten: its bytes, its syntax tree, its names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use similar::TextDiff;
use tree_sitter::{Node, Parser, Tree};

use crate::facts::{Facts, Span};
use crate::generated;
use crate::language::Language;
use crate::languages::of_extension;
use crate::options::Options;
use crate::outline::outline;
use crate::parse::{parse, parser};
use crate::search::{as_lines, read};
use crate::syntax::Kinds;
use partywall_core::fix::WhyLeft;

/// Lines around a change that are shown.
const AROUND: usize = 3;

/// For each extension its parser.
pub(super) type Readers = BTreeMap<String, (Parser, Kinds)>;

/// A file that was read whole.
pub(super) struct Source {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its path below the root.
    pub(super) shown: String,
    /// Its bytes as they were read.
    pub(super) bytes: Vec<u8>,
    /// Its text without a byte order mark.
    pub(super) text: String,
    pub(super) tree: Tree,
    pub(super) facts: Facts,
    pub(super) language: &'static dyn Language,
}

/// Another text in the place of that one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edit {
    pub(super) span: Span,
    pub(super) text: String,
}

impl Source {
    /// Reads a file; what cannot be read whole is not rewritten.
    pub(super) fn read(
        readers: &mut Readers,
        root: &Path,
        shown: &str,
        options: &Options,
    ) -> Result<Self, WhyLeft> {
        let path = if root.is_file() { root.to_owned() } else { root.join(shown) };
        let bytes = read(&path).map_err(|_| WhyLeft::Unreadable)?;
        let text = String::from_utf8(as_lines(bytes.clone())).map_err(|_| WhyLeft::Unreadable)?;
        if !options.generated && (generated::by_path(shown) || generated::by_text(&text)) {
            return Err(WhyLeft::Generated);
        }
        let (language, parser, kinds) = reader(readers, &path).ok_or(WhyLeft::Unreadable)?;
        let tree = parse(parser, &text).map_err(|_| WhyLeft::PartlyRead)?;
        let mut facts = Facts::default();
        let named = |span: Span| {
            let own = span.of(&text);
            options.symbols.iter().any(|symbol| own.contains(&symbol.name))
        };
        outline(language, kinds, &tree, &text, &named, &mut facts);
        match facts.first_error {
            None => Ok(Self { path, shown: shown.to_owned(), bytes, text, tree, facts, language }),
            Some(_) => Err(WhyLeft::PartlyRead),
        }
    }

    /// The node of a name.
    pub(super) fn node(&self, span: Span) -> Option<Node<'_>> {
        self.tree.root_node().named_descendant_for_byte_range(span.start, span.end)
    }

    /// The text of a node.
    pub(super) fn text(&self, node: Node<'_>) -> &str {
        Span::from(node).of(&self.text)
    }

    /// Whether it is Python, and no script.
    pub(super) fn is_python(&self) -> bool {
        self.language.name() == "Python"
    }
}

fn reader<'r>(
    readers: &'r mut Readers,
    path: &Path,
) -> Option<(&'static dyn Language, &'r mut Parser, &'r Kinds)> {
    let extension = path.extension()?.to_str()?;
    let language = of_extension(extension)?;
    if !readers.contains_key(extension) {
        readers.insert(extension.to_owned(), parser(language, extension).ok()?);
    }
    let (parser, kinds) = readers.get_mut(extension)?;
    Some((language, parser, kinds))
}

/// The file's bytes with the edits, which do not overlap; the later of two that do is left out.
pub(super) fn applied(source: &Source, edits: &[Edit]) -> Vec<u8> {
    let mark = source.bytes.len() - source.text.len();
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort();
    let mut result = Vec::with_capacity(source.bytes.len() + 64 * edits.len());
    let mut at = 0;
    for edit in edits {
        let (start, end) = (edit.span.start + mark, edit.span.end + mark);
        if start >= at {
            result.extend_from_slice(&source.bytes[at..start]);
            result.extend_from_slice(edit.text.as_bytes());
            at = end;
        }
    }
    result.extend_from_slice(&source.bytes[at..]);
    result
}

/// Whether a rewritten file has no syntax error.
pub(super) fn parses(readers: &mut Readers, source: &Source, result: &[u8]) -> bool {
    let Ok(text) = String::from_utf8(as_lines(result.to_vec())) else { return false };
    let Some((_, parser, _)) = reader(readers, &source.path) else { return false };
    parse(parser, &text).is_ok_and(|tree| !tree.root_node().has_error())
}

/// The change as a unified diff, with paths as they are seen from where the audit was started.
pub(super) fn diff(root: &str, path: &str, before: &[u8], after: &[u8]) -> String {
    let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let diff = TextDiff::configure().newline_terminated(true).diff_slices(&old, &new);
    let shown = from_here(root, path);
    diff.unified_diff()
        .context_radius(AROUND)
        .header(&format!("a/{shown}"), &format!("b/{shown}"))
        .to_string()
}

/// A path as `git apply` and `patch -p1` take it in the folder in which the audit was started; below
/// the root, where that is no relative path.
fn from_here(root: &str, path: &str) -> String {
    let root = root.trim_end_matches('/').trim_start_matches("./");
    let is_file = root.rsplit('/').next() == Some(path);
    match root {
        "" | "." => path.to_owned(),
        root if Path::new(root).is_absolute() || root.split('/').any(|part| part == "..") => {
            path.to_owned()
        }
        root if is_file => root.to_owned(),
        root => format!("{root}/{path}"),
    }
}
