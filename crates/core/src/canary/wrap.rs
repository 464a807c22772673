//! Line breaks inside a canary: base64, and whatever else is wrapped after so many characters.
//!
//! A break is a line feed, a carriage return or both, as they are or as JSON escapes them, with the
//! `=` of a soft break before and the indentation of the next line after it.

use super::magic::LONGEST_START;

/// A `\n` in JSON in JSON has four backslashes.
const MOST_BACKSLASHES: usize = 4;

/// The most bytes by which the next line is indented.
const MOST_BLANKS: usize = 12;

/// The most bytes of one break: `=`, two escapes, blanks.
pub(super) const LONGEST_WRAP: usize = 1 + 2 * (MOST_BACKSLASHES + 6) + MOST_BLANKS;

/// So many breaks may stand within one canary.
pub(super) const MOST_WRAPS: usize = 8;

/// What stands at the start of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wrap {
    /// A break of so many bytes.
    Whole(usize),
    /// The beginning of what may be one.
    Open,
    None,
}

fn wrap_at(text: &[u8]) -> Wrap {
    let mut at = usize::from(text.first() == Some(&b'='));
    let mut breaks = 0;
    while breaks < 2 {
        match break_at(&text[at..]) {
            Wrap::Whole(length) => at += length,
            Wrap::Open => return Wrap::Open,
            Wrap::None => break,
        }
        // Its second byte in UTF-16.
        at += usize::from(text.get(at) == Some(&0));
        breaks += 1;
    }
    if breaks == 0 {
        return Wrap::None;
    }
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
    at += text[at..].iter().take(MOST_BLANKS).take_while(is_blank).count();
    if at == text.len() { Wrap::Open } else { Wrap::Whole(at) }
}

fn break_at(text: &[u8]) -> Wrap {
    let backslashes = text.iter().take(MOST_BACKSLASHES).take_while(|&&byte| byte == b'\\').count();
    let rest = &text[backslashes..];
    match rest {
        [] => Wrap::Open,
        [b'\r' | b'\n', ..] if backslashes == 0 => Wrap::Whole(1),
        [b'r' | b'n', ..] if backslashes > 0 => Wrap::Whole(backslashes + 1),
        [b'u', digits @ ..] if backslashes > 0 => match digits {
            [b'0', b'0', b'0', b'a' | b'A' | b'd' | b'D', ..] => Wrap::Whole(backslashes + 5),
            _ if b"000".starts_with(&digits[..digits.len().min(4)]) => Wrap::Open,
            _ => Wrap::None,
        },
        _ => Wrap::None,
    }
}

/// The first break at that place or later: where it starts, and where the text goes on. Without an
/// end, it may be longer than what is there, or none.
pub(super) fn next_wrap(text: &[u8], mut from: usize) -> Option<(usize, Option<usize>)> {
    loop {
        let hit = from + memchr::memchr3(b'\n', b'\r', b'\\', text.get(from..)?)?;
        let start = hit - usize::from(hit > 0 && text[hit - 1] == b'=');
        match wrap_at(&text[start..]) {
            Wrap::Whole(length) => return Some((start, Some(start + length))),
            Wrap::Open => return Some((start, None)),
            Wrap::None => from = hit + 1,
        }
    }
}

/// A text without its breaks.
#[derive(Debug)]
pub(super) struct Unwrapped {
    pub(super) bytes: Vec<u8>,
    /// Where breaks were, each with all that was taken out up to there.
    cuts: Vec<(usize, usize)>,
    /// How many bytes at its end may be the beginning of a break; they are left out.
    pub(super) open: usize,
}

impl Unwrapped {
    /// None where there are no breaks.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let mut whole = Self { bytes: Vec::new(), cuts: Vec::new(), open: 0 };
        let (mut from, mut removed) = (0, 0);
        let mut next = next_wrap(text, 0);
        // The `=` of a soft break comes before what is searched for.
        let ends_soft = text.last() == Some(&b'=');
        if next.is_none() && !ends_soft {
            return None;
        }
        while let Some((start, end)) = next {
            let Some(end) = end.filter(|_| whole.cuts.len() < MOST_WRAPS) else { break };
            whole.bytes.extend_from_slice(&text[from..start]);
            removed += end - start;
            whole.cuts.push((whole.bytes.len(), removed));
            from = end;
            next = next_wrap(text, from);
        }
        whole.open = match next {
            Some((start, None)) => text.len() - start,
            _ => usize::from(ends_soft),
        };
        let rest = &text[from..text.len() - whole.open];
        whole.bytes.extend_from_slice(rest);
        Some(whole)
    }

    /// How much of the text its first bytes took.
    pub(super) fn length_in_text(&self, length: usize) -> usize {
        let before = self.cuts.iter().rev().find(|&&(place, _)| place < length);
        length + before.map_or(0, |&(_, removed)| removed)
    }
}

/// What stands around a break, without it.
#[derive(Debug)]
pub(super) struct Seam {
    bytes: [u8; 2 * LONGEST_START],
    length: usize,
    /// How many of the bytes come before the break.
    pub(super) before: usize,
}

impl Seam {
    pub(super) fn of(text: &[u8], start: usize, end: usize) -> Self {
        let head = &text[start.saturating_sub(LONGEST_START)..start];
        let tail = &text[end..text.len().min(end + LONGEST_START)];
        let mut bytes = [0; 2 * LONGEST_START];
        bytes[..head.len()].copy_from_slice(head);
        bytes[head.len()..head.len() + tail.len()].copy_from_slice(tail);
        Self { bytes, length: head.len() + tail.len(), before: head.len() }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_are_recognised() {
        for text in
            ["\n", "\r\n", "=\r\n", "=\n", r"\n", r"\r\n", r"\\r\\n", r"\u000a", r"\u000D\u000A"]
        {
            for blanks in ["", " ", "\t  "] {
                let text = format!("ab{text}{blanks}cd");
                let end = Some(text.len() - 2);
                assert_eq!(next_wrap(text.as_bytes(), 0), Some((2, end)), "{text:?}");
                let whole = Unwrapped::of(text.as_bytes()).expect("it has a break");
                assert_eq!(whole.bytes, b"abcd");
                assert_eq!((whole.length_in_text(2), whole.length_in_text(3)), (2, text.len() - 1));
                for short in 3..text.len() - 1 {
                    let open = next_wrap(&text.as_bytes()[..short], 0);
                    // Of an escape, the first character alone is none.
                    assert!(open.is_none_or(|(start, end)| (start, end) == (2, None)), "{text:?}");
                }
            }
        }
        for none in ["ab=cd", r"ab\tcd", r#"ab\"cd"#, r"ab\u0070", "abcd"] {
            assert_eq!(next_wrap(none.as_bytes(), 0), None, "{none}");
            assert!(Unwrapped::of(none.as_bytes()).is_none(), "{none}");
        }
    }
}
