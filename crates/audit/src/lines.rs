//! Lines and columns of a source text, and words in it.

use super::facts::Span;
use partywall_core::audit::{Place, Shown};

/// How much of a line is kept.
const LONGEST_LINE: usize = 200;

/// Where the lines of a source begin.
#[derive(Debug)]
pub struct Lines<'s> {
    source: &'s str,
    starts: Vec<usize>,
    /// How many characters begin before each block of [`BLOCK`] bytes: a line may be as long as
    /// its file. Empty where each byte is a character.
    before: Vec<usize>,
}

const BLOCK: usize = 256;

impl<'s> Lines<'s> {
    /// Finds the lines.
    pub fn new(source: &'s str) -> Self {
        let mut starts = Vec::with_capacity(source.len() / 24 + 1);
        starts.push(0);
        starts.extend(memchr::memchr_iter(b'\n', source.as_bytes()).map(|at| at + 1));
        let mut before = Vec::new();
        if !source.is_ascii() {
            let mut count = 0;
            for block in source.as_bytes().chunks(BLOCK) {
                before.push(count);
                count += begin_in(block);
            }
            before.push(count);
        }
        Self { source, starts, before }
    }

    /// How many characters begin before that byte.
    fn characters(&self, at: usize) -> usize {
        let at = at.min(self.source.len());
        if self.before.is_empty() {
            return at;
        }
        let block = at / BLOCK;
        self.before[block] + begin_in(&self.source.as_bytes()[block * BLOCK..at])
    }

    /// The number of the line that holds that byte, from 1.
    pub fn line(&self, at: usize) -> u32 {
        let line = self.starts.partition_point(|start| *start <= at);
        u32::try_from(line).unwrap_or(u32::MAX)
    }

    /// Where the line begins that holds that byte.
    pub fn start(&self, at: usize) -> usize {
        self.starts[self.line(at) as usize - 1]
    }

    fn column(&self, at: usize) -> u32 {
        let start = self.starts[self.line(at) as usize - 1];
        let before = self.characters(at) - self.characters(start);
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }

    /// The place of a span; where it goes on in another line, it is cut at the first.
    pub fn place(&self, path: &str, span: Span) -> Place {
        let text = span.of(self.source);
        let first = text.split('\n').next().unwrap_or_default().chars().count();
        let column = self.column(span.start);
        let end_column = column.saturating_add(u32::try_from(first).unwrap_or(u32::MAX));
        Place { path: path.to_owned(), line: self.line(span.start), column, end_column }
    }

    /// The line that holds that byte, without the space around it.
    pub fn text(&self, at: usize) -> String {
        let line = self.line(at) as usize;
        let end = self.starts.get(line).copied().unwrap_or(self.source.len());
        let text = self.source.get(self.starts[line - 1]..end).unwrap_or_default().trim_start();
        let text: String = text.chars().take(LONGEST_LINE).collect();
        text.trim_end().to_owned()
    }

    /// The line that holds that byte, as evidence.
    pub fn shown(&self, at: usize, what: impl Into<String>) -> Shown {
        Shown { what: what.into(), path: None, line: self.line(at), text: self.text(at) }
    }
}

/// How many characters begin in a piece of UTF-8.
fn begin_in(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte as i8) >= -0x40).count()
}

/// Whether a character can stand in a name.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// Where a word stands in a text, as a whole word.
pub fn words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    text.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = text[..*at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_words_are_whole() {
        let source = "é = 1\nπ.get(x)\n";
        let lines = Lines::new(source);
        let at = source.find("get").expect("there");
        let place = lines.place("a.py", Span { start: at, end: at + 3 });
        assert_eq!((place.line, place.column, place.end_column), (2, 3, 6));
        assert_eq!(lines.text(at), "π.get(x)");
        assert_eq!(words("get get_it forget a.get(é)get", "get").collect::<Vec<_>>(), [0, 20, 27]);
    }
}
