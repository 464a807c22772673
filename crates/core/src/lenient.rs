//! JSON that a strict parser refuses although every writer in the field may produce it: `NaN` and
//! `Infinity` (Python, Ruby), numbers beyond every float (`1e999`), halves of surrogate pairs
//! (`"\ud800"`, where a text was cut inside an emoji) and raw control characters in strings.

use serde_json::Value;

/// What replaces half of a surrogate pair.
const REPLACEMENT: &str = "\\ufffd";

/// How a Unicode escape is written, in bytes: `\uXXXX`.
const ESCAPE: usize = 6;

/// The tree of values of a JSON text, read leniently.
pub fn tree(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().or_else(|| serde_json::from_str(&strict(text)?).ok())
}

/// The text with each such deviation replaced by what a strict parser takes: a value by `null`, half
/// of a surrogate pair by the replacement character, a control character by its escape. `None` if
/// there is nothing to replace. What is wrong in any other way stays wrong.
pub fn strict(text: &str) -> Option<String> {
    let may_begin = |c: char| c.is_ascii_digit() || "{[\"-NI".contains(c);
    if !text.trim_start().starts_with(may_begin) {
        return None;
    }
    let mut scan = Scan { text, at: 0, copied: 0, out: String::new() };
    while let Some(byte) = text.as_bytes().get(scan.at) {
        match byte {
            b'"' => scan.string(),
            b'-' | b'N' | b'I' | b'0'..=b'9' => scan.value(),
            _ => scan.at += 1,
        }
    }
    (scan.copied > 0).then(|| scan.out + &text[scan.copied..])
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
    /// Up to there the text is in `out`.
    copied: usize,
    out: String,
}

impl Scan<'_> {
    fn replace(&mut self, length: usize, with: &str) {
        self.out.push_str(&self.text[self.copied..self.at]);
        self.out.push_str(with);
        self.at += length;
        self.copied = self.at;
    }

    /// Goes on behind the string that begins here, or behind the text if it never ends.
    fn string(&mut self) {
        self.at += 1;
        while let Some(&byte) = self.text.as_bytes().get(self.at) {
            match byte {
                b'"' => {
                    self.at += 1;
                    return;
                }
                b'\\' => match (self.surrogate(self.at), self.surrogate(self.at + ESCAPE)) {
                    (Some(Half::High), Some(Half::Low)) => self.at += 2 * ESCAPE,
                    (Some(_), _) => self.replace(ESCAPE, REPLACEMENT),
                    (None, _) => self.at += 2,
                },
                0..b' ' => self.replace(1, &format!("\\u{byte:04x}")),
                _ => self.at += 1,
            }
        }
    }

    /// The half of a surrogate pair that is escaped at that place.
    fn surrogate(&self, at: usize) -> Option<Half> {
        let digits = self.text.get(at..at + ESCAPE)?.strip_prefix("\\u")?;
        match u32::from_str_radix(digits, 16).ok()? {
            0xd800..0xdc00 => Some(Half::High),
            0xdc00..0xe000 => Some(Half::Low),
            _ => None,
        }
    }

    /// Goes on behind the number, or the word for one, that begins here.
    fn value(&mut self) {
        let rest = &self.text[self.at..];
        let belongs = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let written = &rest[..rest.find(|c| !belongs(c)).unwrap_or(rest.len())];
        let is_word = matches!(written.trim_start_matches('-'), "NaN" | "Infinity");
        let is_read = || serde_json::from_str::<serde_json::Number>(written).is_ok();
        if is_word || (is_number(written) && !is_read()) {
            self.replace(written.len(), "null");
        } else {
            self.at += written.len();
        }
    }
}

#[derive(Clone, Copy)]
enum Half {
    High,
    Low,
}

/// Whether it is written as JSON writes numbers, however large it is.
fn is_number(written: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = written.strip_prefix('-').unwrap_or(written);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|power| digits(power.strip_prefix(['+', '-']).unwrap_or(power)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_deviation_alone_is_replaced_and_the_rest_stays() {
        let huge = "9".repeat(400);
        let replaced = [
            (r#""a\ud800b""#, r#""a\ufffdb""#),
            (r#""\uDC00\ud83d\ude00\ud83d""#, r#""\ufffd\ud83d\ude00\ufffd""#),
            (r#""\ud800\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\\ud800\"\ud800""#, r#""\\ud800\"\ufffd""#),
            ("[NaN, Infinity,-Infinity ,-NaN]", "[null, null,null ,null]"),
            (r#"{"NaN":NaN,"t":"NaN 1e999"}"#, r#"{"NaN":null,"t":"NaN 1e999"}"#),
            ("[1e999,-1E+400,1.5e309,1,1e-999]", "[null,null,null,1,1e-999]"),
            (&format!("[{huge}]"), "[null]"),
            ("\"a\tb\n\"", r#""a\u0009b\u000a""#),
            (" NaN", " null"),
            ("é\"", ""),
        ];
        for (text, expected) in replaced {
            assert_eq!(strict(text).unwrap_or_default(), expected, "{text}");
            assert_eq!(tree(text).is_some(), !expected.is_empty(), "{text}");
            assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_stays_none() {
        let none = [
            "",
            "NaNs",
            "[Infinityx]",
            "[1e]",
            "[01]",
            "[.5e999]",
            "[--Infinity]x",
            "{NaN:1}",
            "[NaN",
            r#""\ud800"#,
            r#""\ud8""#,
            r#""\u""#,
            "\"\\",
            "[1e999,]",
            "<p>NaN</p>",
            "[nan]",
        ];
        for text in none {
            assert_eq!(tree(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_strict_has_nothing_to_replace() {
        for text in [r#"{"a":["\ud83d\ude00",1.5e300,-0,"NaN"],"\\":null}"#, "17", "\"é\""] {
            assert_eq!(strict(text), None, "{text}");
            assert!(tree(text).is_some());
        }
    }
}
