//! Text that a server sent, made harmless for the place where it is shown.
//!
//! Nearly every string of a record may hold such text: user names, events, causes, reasons. It must
//! not move the cursor, hide or reorder what stands beside it, break a table, become markup, notify
//! people, or give orders to the CI service that reads the log. So it becomes one line, with
//! everything invisible written out (`\u{1b}`), and is cut where it is very long.

use std::fmt::Write as _;

/// How many columns of one text are shown.
const LIMIT: usize = 300;

/// How many columns of one name are shown.
const NAME_LIMIT: usize = 40;

/// How many columns of a command are shown: it is worthless when cut, so it seldom is.
const COMMAND_LIMIT: usize = 2000;

/// The text for a terminal: one line, everything visible, at most 300 columns and a note.
pub fn terminal(text: &str) -> String {
    clipped(text, LIMIT)
}

/// A name for a terminal: as [`terminal`], but shorter.
pub fn name(text: &str) -> String {
    clipped(text, NAME_LIMIT)
}

/// A command for a terminal, at its full length unless that is absurd.
pub fn command(text: &str) -> String {
    clipped(text, COMMAND_LIMIT)
}

/// A text whose line breaks mean something, line by line: at most that many, and a note about the
/// rest. Spaces at the start of a line stay.
pub fn lines(text: &str, most: usize) -> (Vec<String>, Option<String>) {
    let all = text.trim_end_matches('\n');
    let lines: Vec<_> = all.split('\n').take(most).map(terminal).collect();
    let left = all.split('\n').count() - lines.len();
    (lines, (left > 0).then(|| format!("… ({left} more lines in report.json)")))
}

/// Such a line inside a fenced block of Markdown.
pub fn fenced(line: &str) -> String {
    // A run of backticks would end the block.
    terminal(line).replace('`', "\\u{60}")
}

/// The text as Markdown prose, also inside a table cell and also after a list marker.
pub fn markdown(text: &str) -> String {
    markdown_of_visible(&terminal(text))
}

/// A name as Markdown prose: as [`markdown`], but shorter.
pub fn markdown_name(text: &str) -> String {
    markdown_of_visible(&name(text))
}

/// The text as a Markdown code span; not for table cells.
pub fn code(text: &str) -> String {
    // A backtick would end the span, and backslashes mean nothing inside one.
    format!("`{}`", command(text).replace('`', "\\u{60}"))
}

/// The text as HTML shows it, in text and in quoted attributes.
pub fn html(text: &str) -> String {
    html_of_visible(&terminal(text))
}

/// A name as HTML shows it: as [`html`], but shorter.
pub fn html_name(text: &str) -> String {
    html_of_visible(&name(text))
}

/// A command as HTML shows it, to be copied.
pub fn html_command(text: &str) -> String {
    html_of_visible(&command(text))
}

fn html_of_visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// The text with everything invisible written out, at full length.
///
/// Safe text stays as it is, so that this can be the last gate for text that passed it before.
pub fn visible(text: &str) -> String {
    clipped(text, usize::MAX)
}

/// At most how many columns the text takes on a terminal.
///
/// An upper bound, not the exact width: terminals disagree about wide characters, and a line that
/// is too short harms nobody. [`visible`] text has no characters of width 0.
pub fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// At most how many columns a character takes.
pub fn columns_of(c: char) -> usize {
    match c {
        // No wide character stands below Hangul; then dashes, quotes and the ellipsis.
        ..'\u{1100}' | '\u{2010}'..='\u{2027}' => 1,
        // The three-em dash.
        '\u{2e3b}' => 3,
        _ => 2,
    }
}

fn clipped(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit));
    let mut used = 0;
    let mut before = None;
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        let after = rest.peek().map(|&(_, c)| c);
        let start = out.len();
        push_visible(&mut out, before, c, after);
        used += columns(&out[start..]);
        if used > limit {
            out.truncate(start);
            // Writing to a string cannot fail.
            let _ = write!(out, "… ({} bytes more in report.json)", text.len() - at);
            break;
        }
        // Only what was a letter and is shown as one continues a word; or else visible text would
        // not come out of here as it went in.
        before = out.chars().next_back().filter(|shown| !is_in_word(*shown)).or(Some(c));
    }
    out
}

/// Whether `::` behind it is part of a path.
fn is_in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '>')
}

fn push_visible(out: &mut String, before: Option<char>, c: char, after: Option<char>) {
    let in_word = before.is_some_and(is_in_word);
    let orders = match (c, after) {
        // `::error::` at the start of a line is an order to GitHub Actions; `a::b` is a path.
        (':', Some(':')) => !in_word,
        // `##[…]` and `##vso[…]` are orders to GitHub Actions and Azure Pipelines anywhere.
        ('#', Some('#')) => true,
        _ => false,
    };
    if orders || is_blank_letter(c) {
        out.extend(c.escape_unicode());
    } else if matches!(c, '"' | '\'' | '\\') {
        out.push(c);
    } else {
        // Writes out control and format characters, line and paragraph separators, every space but
        // the usual one, combining marks, private and unassigned characters.
        out.extend(c.escape_debug());
    }
}

/// Letters that draw nothing: Hangul fillers and the empty Braille pattern.
fn is_blank_letter(c: char) -> bool {
    matches!(c, '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}')
}

/// Takes every meaning from what is one in Markdown, HTML or GitHub's additions to them.
fn markdown_of_visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before: Option<char> = None;
    let mut rest = text.chars().peekable();
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    while let Some(c) = rest.next() {
        let after = rest.peek().copied();
        match c {
            // Entities, where a backslash is not understood by everybody.
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '`' => out.push_str("&#96;"),
            '|' => out.push_str("&#124;"),
            '$' => out.push_str("&#36;"),
            // GitHub looks for mentions and issues after the Markdown was read, so that escapes are
            // gone by then; a space of no width stays.
            '@' | '#' => {
                out.push(c);
                out.push_str("&#8203;");
            }
            '\\' | '*' | '[' | ']' | '~' => out.extend(['\\', c]),
            '_' if !(is_word(before) && is_word(after)) => out.push_str("\\_"),
            // `1.` and `1)` may start a list, `www.` and `://` make links.
            '.' | ')' if is_digit(before) && !is_digit(after) => out.extend(['\\', c]),
            '.' if matches!(before, Some('w' | 'W')) => out.push_str("\\."),
            '/' if before == Some(':') => out.push_str("\\/"),
            '-' | '+' | '=' if before.is_none() => out.extend(['\\', c]),
            _ => out.push(c),
        }
        before = Some(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Arbitrary text, rich in what is dangerous.
    fn hostile() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            any::<String>(),
            any::<char>().prop_map(String::from),
            prop::sample::select(vec![
                "\u{1b}[2J",
                "\u{202e}",
                "\u{feff}",
                "\r\n",
                "::error::",
                "##[",
                "|",
                "`",
                "](",
                "@all",
                "#1",
                "<script>",
                "\\",
                "://",
                "www.",
                "1. ",
                "- ",
                "_",
                "$",
            ])
            .prop_map(String::from),
        ];
        prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn visible_text_is_visible_and_stays_as_it_is(text in hostile()) {
            let shown = visible(&text);
            prop_assert!(!shown.contains(is_invisible), "{shown:?}");
            prop_assert!(!shown.trim_start().starts_with("::"), "{shown:?}");
            prop_assert!(!shown.contains(" ::") && !shown.contains("##"), "{shown:?}");
            prop_assert_eq!(visible(&shown), shown);
        }

        #[test]
        fn markdown_has_nothing_active(text in hostile()) {
            let shown = markdown(&text);
            prop_assert!(!shown.contains(['|', '<', '>', '`', '$', '\n', '\r']), "{shown:?}");
            prop_assert!(!shown.contains("](") || shown.contains("\\]("), "{shown:?}");
            for (at, _) in shown.match_indices(['@', '#']) {
                let rest = &shown[at + 1..];
                // `&#8203;` itself holds the one `#` that is no issue.
                prop_assert!(rest.starts_with("&#8203;") || shown[..at].ends_with('&'), "{shown:?}");
            }
        }

        #[test]
        fn a_code_span_ends_where_it_should(text in hostile()) {
            prop_assert_eq!(code(&text).matches('`').count(), 2);
        }

        #[test]
        fn no_text_is_longer_than_the_limit_and_its_note(text in hostile()) {
            prop_assert!(columns(&name(&text)) <= NAME_LIMIT + 50);
        }
    }

    /// What the issue names, said independently of the tables that the code uses.
    fn is_invisible(c: char) -> bool {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{61c}' | '\u{ad}')
            || matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
    }

    #[test]
    fn what_is_hidden_is_written_out_and_the_rest_stays() {
        let cases = [
            ("plain text, \"quoted\" 'so'", "plain text, \"quoted\" 'so'"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("one\r\ntwo\tthree", "one\\r\\ntwo\\tthree"),
            ("pay\u{202e}lla", "pay\\u{202e}lla"),
            ("\n::error::no", "\\n\\u{3a}:error::no"),
            ("::error::no", "\\u{3a}:error::no"),
            ("tokio::spawn at C:\\x", "tokio::spawn at C:\\x"),
            ("##[group]x", "\\u{23}#[group]x"),
            ("Grüße, 你好, ünï", "Grüße, 你好, ünï"),
            // A combining letter is part of a word, but what is shown in its place is not.
            ("\u{1e023}::x", "\\u{1e023}\\u{3a}:x"),
        ];
        for (text, shown) in cases {
            assert_eq!(terminal(text), shown);
        }
    }

    #[test]
    fn markdown_is_disarmed() {
        let cases = [
            ("agent_thinking of triage, 99.5 %", "agent_thinking of triage, 99.5 %"),
            ("<script>a|b`c", "&lt;script&gt;a&#124;b&#96;c"),
            ("[x](http://h) @all #12", "\\[x\\](http:\\//h) @&#8203;all #&#8203;12"),
            ("1. a", "1\\. a"),
            ("- a", "\\- a"),
            ("**b** _i_", "\\*\\*b\\*\\* \\_i\\_"),
        ];
        for (text, shown) in cases {
            assert_eq!(markdown(text), shown);
        }
    }

    #[test]
    fn html_is_disarmed() {
        let attack = "<img src=x onerror='a()'>&\"\u{202e}\u{0}";
        assert_eq!(html(attack), "&lt;img src=x onerror=&#39;a()&#39;&gt;&amp;&quot;\\u{202e}\\0");
        assert!(html(&"<".repeat(1_000_000)).len() < 2_000);
    }

    #[test]
    fn a_text_of_several_lines_keeps_them_and_nothing_else() {
        let (shown, more) = lines("\na  b\n  ::error::\r\n\u{1b}[2J\n\n", 9);
        assert_eq!(shown, ["", "a  b", "  \\u{3a}:error::\\r", "\\u{1b}[2J"]);
        assert_eq!(more, None);
        let (shown, more) = lines("a\nb\nc\n", 2);
        assert_eq!(shown, ["a", "b"]);
        assert_eq!(more.as_deref(), Some("… (1 more lines in report.json)"));
        assert_eq!(fenced("```"), "\\u{60}\\u{60}\\u{60}");
    }

    #[test]
    fn ten_megabytes_become_a_few_lines() {
        let text = "x".repeat(10_000_000);
        let shown = terminal(&text);
        assert!(shown.ends_with("… (9999700 bytes more in report.json)"), "{shown}");
        assert_eq!(columns("ab…"), 3);
        assert_eq!(columns("你好"), 4);
    }
}
