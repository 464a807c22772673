//! Searches the files, on several threads.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use aho_corasick::AhoCorasick;
use tree_sitter::Parser;

use super::bindings::Bindings;
use super::facts::{Facts, Scope, ScopeKind, Span};
use super::generated;
use super::glob::Glob;
use super::language::Language;
use super::languages::{all, of_extension};
use super::lines::Lines;
use super::options::Options;
use super::outline::outline;
use super::parse::{parse, parser};
use super::source_file::File;
use super::summary::{Names, Summary, summary};
use super::syntax::Kinds;
use super::uses::{replaced, uses};
use super::walk::Entry;
use partywall_core::audit::{BrokenFile, Code, LineRange, SkippedFile, Use};

/// A longer file is not written by people; it would take more memory than it is worth.
const LONGEST_FILE: u64 = 8 * 1024 * 1024;

/// Why a file is not searched that a program made.
const GENERATED: &str =
    "a program made it, and it holds one of the names; --include-generated searches it";

/// What one file came to.
#[derive(Debug, Default)]
pub(super) struct Searched {
    pub(super) parsed: bool,
    pub(super) broken: Option<BrokenFile>,
    /// Whether a program made it, so that it was not searched, or for the accessors only.
    pub(super) generated: bool,
    pub(super) skipped: Option<SkippedFile>,
    pub(super) uses: Vec<Use>,
    /// What is kept of it to find what all users share.
    pub(super) summary: Option<Summary>,
    /// Calls of each symbol's replacement.
    pub(super) replaced: Vec<u64>,
}

/// For each extension its parser, and what is asked of its kinds of node.
type Parsers = BTreeMap<String, (Parser, Kinds)>;

/// What all files are searched with.
struct Search<'s> {
    options: &'s Options,
    names: &'s Names,
    /// The names that a file must hold to be parsed.
    needles: AhoCorasick,
    /// For each language what its tests are.
    tests: Vec<(&'static str, Vec<Glob>)>,
}

/// Searches the files, and gives what was found in their order.
pub(super) fn search(
    files: &[Entry],
    options: &Options,
    names: &Names,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Vec<Searched> {
    let wanted = options
        .symbols
        .iter()
        .flat_map(|symbol| std::iter::once(&symbol.name).chain(&symbol.replacement));
    let Ok(needles) = AhoCorasick::new(wanted) else { return Vec::new() };
    let patterns = |language: &&dyn Language| {
        let own = language.test_patterns().iter().map(|pattern| Glob::new(pattern)).collect();
        let given = !options.tests.is_empty();
        (language.name(), if given { options.tests.clone() } else { own })
    };
    let search = Search { options, names, needles, tests: all().iter().map(patterns).collect() };
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..options.workers.clamp(1, 64) {
            scope.spawn(|| {
                let mut parsers = Parsers::new();
                let mut facts = Facts::default();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(at) else { return };
                    let searched = search.file(file, &mut parsers, &mut facts);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.insert(at, searched);
                    progress(done.len() as u64, files.len() as u64);
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.into_values().collect()
}

impl Search<'_> {
    fn file(&self, file: &Entry, parsers: &mut Parsers, facts: &mut Facts) -> Searched {
        let mut searched =
            Searched { replaced: vec![0; self.options.symbols.len()], ..Searched::default() };
        if let Err(why) = self.read_and_search(file, parsers, facts, &mut searched) {
            searched.skipped = Some(SkippedFile { path: file.shown.clone(), why });
        }
        searched
    }

    fn read_and_search(
        &self,
        Entry { shown, path }: &Entry,
        parsers: &mut Parsers,
        facts: &mut Facts,
        searched: &mut Searched,
    ) -> Result<(), String> {
        let extension = path.extension().and_then(|own| own.to_str()).unwrap_or_default();
        let language = of_extension(extension).ok_or("no language that can be audited")?;
        let by_path = !self.options.generated && generated::by_path(shown);
        let bytes = read(path)?;
        let names_one = self.needles.is_match(&bytes);
        if by_path {
            searched.generated = true;
            return match names_one {
                true => Err(GENERATED.to_owned()),
                false => Ok(()),
            };
        }
        if !self.options.find_singletons && !names_one {
            return Ok(());
        }
        let bytes = as_lines(bytes);
        // What is no UTF-8 is in comments and strings: the names that are looked for are ASCII or
        // spelled in UTF-8.
        let source = String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        if !parsers.contains_key(extension) {
            parsers.insert(extension.to_owned(), parser(language, extension)?);
        }
        let Some((parser, kinds)) = parsers.get_mut(extension) else { return Ok(()) };
        let hits =
            if names_one { self.needles.find_overlapping_starts(&source) } else { Vec::new() };
        searched.generated =
            self.options.find_singletons && !self.options.generated && generated::by_text(&source);
        if searched.generated && hits.is_empty() {
            return Ok(());
        }
        let tree = match parse(parser, &source) {
            Ok(tree) => tree,
            Err(why) => {
                // What it uses is found by its text.
                unparsed(&source, facts);
                self.search(language, facts, &source, shown, !hits.is_empty(), searched);
                searched.broken = None;
                return Err(why);
            }
        };
        searched.parsed = true;
        let wanted = |span: Span| {
            let first = hits.partition_point(|hit| *hit < span.start);
            hits.get(first).is_some_and(|hit| *hit < span.end)
        };
        outline(language, kinds, &tree, &source, &wanted, facts);
        drop(tree);
        self.search(language, facts, &source, shown, !hits.is_empty(), searched);
        Ok(())
    }

    fn search(
        &self,
        language: &dyn Language,
        facts: &Facts,
        source: &str,
        path: &str,
        names_one: bool,
        searched: &mut Searched,
    ) {
        let bindings = Bindings::new(facts, source);
        let lines = Lines::new(source);
        let tests = self.tests.iter().find(|(name, _)| *name == language.name());
        let is_test = tests.is_some_and(|(_, globs)| globs.iter().any(|glob| glob.matches(path)));
        let code = if is_test { Code::Test } else { Code::Application };
        let file = File::new(language, path, code, &bindings, &lines);
        if let Some(at) = facts.first_error {
            let line = lines.line(at.min(source.len()));
            let range = |span: &Span| LineRange {
                first: lines.line(span.start.min(source.len())),
                last: lines.line(span.end.saturating_sub(1).max(span.start).min(source.len())),
            };
            let mut unread: Vec<LineRange> = facts.unread.iter().map(range).collect();
            unread.dedup();
            searched.broken = Some(BrokenFile { path: path.to_owned(), line, unread });
        }
        if names_one {
            for (at, symbol) in self.options.symbols.iter().enumerate() {
                searched.uses.extend(uses(&file, symbol));
                let name = symbol.replacement.as_deref();
                searched.replaced[at] = name.map_or(0, |name| replaced(&bindings, name));
            }
        }
        if self.options.find_singletons && !searched.generated {
            searched.summary = Some(summary(&file, self.names));
        }
    }
}

/// The facts of a file that cannot be parsed: none, but that it is a module.
fn unparsed(source: &str, facts: &mut Facts) {
    facts.clear();
    let span = Span { start: 0, end: source.len() };
    let kind = ScopeKind::Module;
    facts.scopes.push(Scope { parent: None, kind, name: None, span, given_to: None });
    facts.first_error = Some(0);
    facts.unread.push(span);
}

/// Where the names begin, one inside the other too.
trait Starts {
    fn find_overlapping_starts(&self, text: &str) -> Vec<usize>;
}

impl Starts for AhoCorasick {
    fn find_overlapping_starts(&self, text: &str) -> Vec<usize> {
        let mut starts: Vec<usize> =
            self.find_overlapping_iter(text).map(|found| found.start()).collect();
        starts.sort_unstable();
        starts.dedup();
        starts
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    if length > LONGEST_FILE {
        return Err(format!("it has {length} bytes, more than {LONGEST_FILE}"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
    // It may grow while it is read.
    file.take(LONGEST_FILE).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// The text as interpreters take it: no byte order mark in front, and a lone carriage return ends a
/// line, too. No place in it moves but by the mark.
pub(super) fn as_lines(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.starts_with("\u{feff}".as_bytes()) {
        bytes.drain(..3);
    }
    let returns: Vec<usize> = memchr::memchr_iter(b'\r', &bytes).collect();
    for at in returns {
        if bytes.get(at + 1) != Some(&b'\n') {
            bytes[at] = b'\n';
        }
    }
    bytes
}
