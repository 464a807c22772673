//! Lines for a terminal: wrapped, painted, and never wider than they may be.
//!
//! All text goes through [`visible`] here once more, so that no caller can forget it.

use super::safe_text::{columns, columns_of, command as safe_command, visible};

/// How many lines of one list are shown.
pub const MOST_LINES: usize = 10;

/// Narrower than this, no table fits; such a terminal wraps by itself.
const NARROWEST: usize = 60;

/// How a terminal report looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether ANSI colour is used; nothing is told by colour alone.
    pub colour: bool,
    /// The width in columns; at least 60 are used.
    pub width: usize,
}

/// 80 columns, without colour.
impl Default for Style {
    fn default() -> Self {
        Self { colour: false, width: 80 }
    }
}

/// What a piece of text means; shown as colour where there is colour, and never only there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// As any other text.
    Plain,
    /// What stands out.
    Strong,
    /// What is as it should be.
    Good,
    /// A leak.
    Bad,
    /// What could not be shown.
    Doubt,
    /// What most readers may skip.
    Faint,
}

impl Paint {
    /// The SGR sequence that starts it.
    fn start(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "\x1b[1m",
            Self::Good => "\x1b[1;32m",
            Self::Bad => "\x1b[1;31m",
            Self::Doubt => "\x1b[1;33m",
            Self::Faint => "\x1b[2m",
        }
    }
}

const RESET: &str = "\x1b[0m";

/// A text in the making.
#[derive(Debug)]
pub struct Page {
    colour: bool,
    width: usize,
    text: String,
}

impl Page {
    /// An empty page.
    pub fn new(style: Style) -> Self {
        Self { colour: style.colour, width: style.width.max(NARROWEST), text: String::new() }
    }

    /// How many columns a line may take.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Adds an empty line.
    pub fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A line that starts a section, with room above it.
    pub fn heading(&mut self, text: &str) {
        self.blank();
        self.hanging(Paint::Strong, "", text);
    }

    /// A paragraph that starts with `lead` (our own words); its other lines are indented to match.
    pub fn hanging(&mut self, paint: Paint, lead: &str, text: &str) {
        let indent = columns(lead);
        let room = self.width.saturating_sub(indent);
        for (at, line) in wrap(&visible(text), room).iter().enumerate() {
            let lead = if at == 0 { lead.to_owned() } else { " ".repeat(indent) };
            self.line(&[(Paint::Plain, &lead), (paint, line)]);
        }
    }

    /// One line as it is.
    pub fn row(&mut self, paint: Paint, text: &str) {
        self.line(&[(paint, &visible(text))]);
    }

    /// A command to be copied: where it is too long for one line, the shell's own continuation
    /// joins the lines again.
    pub fn command(&mut self, lead: &str, command: &str) {
        let command = safe_command(command);
        if columns(lead) + columns(&command) <= self.width {
            return self.line(&[(Paint::Plain, lead), (Paint::Strong, &command)]);
        }
        if !lead.trim_end().is_empty() {
            self.line(&[(Paint::Plain, lead.trim_end())]);
        }
        let margin = " ".repeat(lead.len() - lead.trim_start().len());
        let longest = command.split(' ').map(columns).max().unwrap_or(0);
        let fits = |margin: &&str| margin.len() + longest + 2 <= self.width;
        let (lines, margin, sign) = match [margin.as_str(), ""].into_iter().find(fits) {
            Some(margin) => (wrap(&command, self.width - margin.len() - 2), margin, " \\"),
            // Cut inside words: an indent would be taken for the end of the word.
            None => {
                let parts = cut_at_slashes(&command, self.width - 1);
                (parts.into_iter().map(String::from).collect(), "", "\\")
            }
        };
        let last = lines.len() - 1;
        for (at, line) in lines.iter().enumerate() {
            let sign = if at < last { sign } else { "" };
            self.line(&[(Paint::Plain, margin), (Paint::Strong, line), (Paint::Plain, sign)]);
        }
    }

    /// A line whose spaces are to stay; where it does not fit, it goes on in the next one.
    pub fn preformatted(&mut self, text: &str) {
        let text = visible(text);
        for part in cut(text.trim_end(), self.width) {
            self.line(&[(Paint::Plain, part)]);
        }
    }

    /// A paragraph as [`Page::hanging`] has it, and a short note behind it: on its last line where
    /// there is room, and never broken.
    pub fn noted(&mut self, paint: Paint, lead: &str, text: &str, note: &str) {
        let indent = columns(lead);
        let room = self.width.saturating_sub(indent);
        let lines = wrap(&visible(text), room);
        let last = lines.len() - 1;
        for (at, line) in lines.iter().enumerate() {
            let lead = if at == 0 { lead.to_owned() } else { " ".repeat(indent) };
            if at == last && columns(line) + 2 + columns(note) <= room {
                let pieces = [&lead, line, ". ", note].map(|piece| (Paint::Plain, piece));
                let mut pieces = pieces;
                pieces[1].0 = paint;
                return self.line(&pieces);
            }
            self.line(&[(Paint::Plain, &lead), (paint, line)]);
        }
        self.line(&[(Paint::Plain, &" ".repeat(indent)), (Paint::Plain, note)]);
    }

    /// One line of pieces that fit; what does not fit is the caller's mistake.
    pub fn line(&mut self, pieces: &[(Paint, &str)]) {
        let start = self.text.len();
        let last = pieces.iter().rposition(|(_, piece)| !piece.trim_end().is_empty());
        for (paint, piece) in &pieces[..last.map_or(0, |last| last + 1)] {
            let piece = visible(piece);
            if self.colour && *paint != Paint::Plain && !piece.trim().is_empty() {
                self.text.push_str(paint.start());
                self.text.push_str(&piece);
                self.text.push_str(RESET);
            } else {
                self.text.push_str(&piece);
            }
        }
        self.text.truncate(start + self.text[start..].trim_end_matches(' ').len());
        self.text.push('\n');
    }

    /// The page as text.
    pub fn finish(self) -> String {
        self.text
    }
}

/// Breaks a text into lines of at most that many columns, at spaces where there are any.
pub fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        for (at, part) in cut(word, room).into_iter().enumerate() {
            let width = columns(part);
            // Parts of one word are never joined again by a space.
            if at > 0 || (used > 0 && used + 1 + width > room) {
                lines.push(String::new());
                used = 0;
            }
            let line = lines.last_mut().expect("there is always a line");
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.push_str(part);
            used += width;
        }
    }
    lines
}

/// As much of a text as fits into that many columns.
pub fn fitted(text: &str, room: usize) -> String {
    let text = visible(text);
    cut(&text, room)[0].into()
}

/// As [`cut`], but behind a slash wherever there is one in the second half of a part.
fn cut_at_slashes(word: &str, room: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = word;
    loop {
        let part = cut(rest, room)[0];
        let slash = part.rfind('/').map(|at| at + 1).filter(|end| *end > part.len() / 2);
        match slash {
            _ if part.len() == rest.len() => break,
            // The next line must not start with a colon, as in `cut`.
            Some(end) if !rest[end..].starts_with(':') => {
                parts.push(&rest[..end]);
                rest = &rest[end..];
            }
            _ => {
                parts.push(part);
                rest = &rest[part.len()..];
            }
        }
    }
    parts.push(rest);
    parts
}

/// Cuts a word into parts of at most that many columns.
fn cut(word: &str, room: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut used = 0;
    for (at, c) in word.char_indices() {
        used += columns_of(c);
        if used <= room || at == start {
            continue;
        }
        // A line must not start with a colon: `::error::` there is an order to GitHub Actions.
        let whole = &word[start..at];
        let back = if c == ':' { whole.rfind(|c| c != ':').unwrap_or(0) } else { 0 };
        let end = if back > 0 { start + back } else { at };
        parts.push(&word[start..end]);
        start = end;
        used = columns(&word[start..at]) + columns_of(c);
    }
    parts.push(&word[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_breaks_at_spaces_and_long_words_anywhere_but_before_colons() {
        assert_eq!(wrap("one two  three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij kl", 4), ["abcd", "efgh", "ij", "kl"]);
        assert_eq!(wrap("abcd::error::", 4), ["abc", "d::e", "rro", "r::"]);
        assert_eq!(wrap("你好吗", 4), ["你好", "吗"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn commands_break_behind_a_slash_where_it_is_far_enough() {
        assert_eq!(cut_at_slashes("go a/b/cdefg.json", 12), ["go a/b/", "cdefg.json"]);
        assert_eq!(cut_at_slashes("a/bcdefghijkl", 8), ["a/bcdefg", "hijkl"]);
        assert_eq!(cut_at_slashes("abcde/::fghi", 8), ["abcde/::", "fghi"]);
        assert_eq!(cut_at_slashes("abc", 8), ["abc"]);
    }
}
