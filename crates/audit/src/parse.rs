//! Parses a file within limits that depend on its length alone, so that the same file is always
//! read or left out, whatever else the machine does.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tree_sitter::{ParseOptions, Parser, Tree};

use super::language::Language;
use super::syntax::Kinds;

/// The source is handed to the parser in pieces of so many bytes: what it reads again and again,
/// such as the rest of the file behind each of many comments that are never closed, is counted.
const PIECE: usize = 4096;

/// So many times the length of a file may be read while it is parsed.
const MOST_READ: usize = 24;

/// So many steps the parser may take, and so many more a byte. Files that people write take about
/// one a byte, minified ones nearly two; an ambiguity that grows with the file takes more with every
/// byte.
const MOST_STEPS: (usize, usize) = (600_000, 2);

/// The parser reports after so many steps; the clock is read at one report in so many.
const STEPS_PER_REPORT: usize = 100;
const REPORTS_PER_LOOK: usize = 16;

/// However short a file is, it may be read as if it had so many bytes.
const SHORTEST: usize = 16 * 1024;

/// How long a short file may take, and how much longer each MB: six times what files take that
/// people write, so that a machine with much else to do reads the same ones.
const LONGEST_PARSE: (Duration, Duration) =
    (Duration::from_millis(700), Duration::from_millis(800));

/// So many brackets may be open at once, and of those that may also be comparisons fewer: the
/// parser follows all that a `<` can mean, in time and memory that grow with the square of how many
/// are open.
const MOST_OPEN: usize = 10_000;
const MOST_ANGLES: usize = 2_000;

/// So many arrow functions, and so many operators, may follow each other with nothing between that
/// ends an expression: each nests in the one before.
const MOST_ARROWS: usize = 2_000;
const MOST_OPERATORS: usize = 20_000;

/// Whether more brackets are open at once than in what people write. Strings and comments are taken
/// for code: what is only in them is closed there as well, or is little.
fn nests_too_deep(source: &str) -> bool {
    let bytes = source.as_bytes();
    // Most files are too short for it, whatever they hold; each arrow has a `>` of its own.
    if bytes.len() <= MOST_OPEN && memchr::memchr2_iter(b'<', b'>', bytes).count() <= MOST_ANGLES {
        return false;
    }
    let (mut open, mut angles) = (0_usize, 0_usize);
    let (mut arrows, mut operators) = (0_usize, 0_usize);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'>' if at > 0 && bytes[at - 1] == b'=' => arrows += 1,
            b'=' | b':' | b'?' | b'!' | b'-' | b'*' => operators += 1,
            b';' | b',' | b'{' | b'}' | b'\n' => (arrows, operators) = (0, 0),
            _ => {}
        }
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            b'<' if bytes.get(at + 1).is_some_and(|next| !b" =<".contains(next)) => angles += 1,
            b'>' if at > 0 && !b" =-".contains(&bytes[at - 1]) => {
                angles = angles.saturating_sub(1);
            }
            _ => {}
        }
        let is_chain = arrows > MOST_ARROWS || operators > MOST_OPERATORS;
        if open > MOST_OPEN || angles > MOST_ANGLES || is_chain {
            return true;
        }
    }
    false
}

/// A parser for files with that extension, and what is asked of its kinds of node.
///
/// # Errors
///
/// The grammar is of another version than the parser.
pub(super) fn parser(language: &dyn Language, extension: &str) -> Result<(Parser, Kinds), String> {
    let grammar = language.grammar(extension);
    let mut parser = Parser::new();
    parser.set_language(&grammar).map_err(|error| error.to_string())?;
    Ok((parser, Kinds::new(&grammar, |kind| language.interest(kind))))
}

/// Parses a source text.
///
/// # Errors
///
/// The text exceeds a limit; the error says which.
pub(super) fn parse(parser: &mut Parser, source: &str) -> Result<Tree, String> {
    if nests_too_deep(source) {
        return Err(
            "a limit of the parser is exceeded by what is open at once: brackets, operators".into(),
        );
    }
    let begun = Instant::now();
    let longest = LONGEST_PARSE.0 + LONGEST_PARSE.1.mul_f64(source.len() as f64 / 1e6);
    let length = source.len().max(SHORTEST);
    let read = Cell::new(0_usize);
    let mut steps = 0_usize;
    let mut reason = None;
    let mut watch = |_: &tree_sitter::ParseState| {
        steps += STEPS_PER_REPORT;
        reason = match () {
            () if read.get() > length * MOST_READ => Some("reading it again and again"),
            () if steps > MOST_STEPS.0 + source.len() * MOST_STEPS.1 => {
                Some("its ambiguous or deeply nested syntax")
            }
            () if steps.is_multiple_of(STEPS_PER_REPORT * REPORTS_PER_LOOK)
                && begun.elapsed() > longest =>
            {
                Some("the time that it takes")
            }
            () => None,
        };
        match reason {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        }
    };
    let mut text = |at: usize, _| {
        let end = source.len().min(at.saturating_add(PIECE));
        let piece = source.as_bytes().get(at..end).unwrap_or_default();
        read.set(read.get() + piece.len());
        piece
    };
    let options = ParseOptions::new().progress_callback(&mut watch);
    let tree = parser.parse_with_options(&mut text, None, Some(options));
    if tree.is_none() {
        parser.reset();
    }
    let why = reason.unwrap_or("no known reason");
    tree.ok_or_else(|| format!("a limit of the parser is exceeded by {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nests_without_end_is_refused_and_long_lines_of_real_code_are_not() {
        for piece in ["<a>(b)=>", "a=>", "async(a)=>", "a=b=", "a**", "-!", "a:", "a?.b?"] {
            assert!(nests_too_deep(&piece.repeat(50_000)), "{piece}");
        }
        for piece in [
            "var a=function(b,c){return b.d=c,this.e=b};",
            "[()=>import(\"./a.js\"),a=>a.b?.c],",
            "x = a == b\n",
            "iVBORw0KGgoAAAANSUhEUgAA+/8=,",
            "# ------ ====== ****** ::::::\n",
        ] {
            assert!(!nests_too_deep(&piece.repeat(50_000)), "{piece}");
        }
    }
}
