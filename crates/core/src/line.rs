//! One observation as one line of a history file.
//!
//! What comes in most, text on an event connection, is written and read here. It is what `serde_json`
//! makes of it, in less time, with one exception: a message that is known to be JSON stands in the line
//! as it is, under `json`, and is no quoted text under `raw`. All else is left to that library.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::history::{Ending, Observation, What};
use super::ids::{ConnectionId, UserName};
use super::json::first_special;
use super::raw::Raw;

/// Appends the observation and the end of its line.
pub fn write_line(observation: &Observation, out: &mut Vec<u8>) {
    let begun = out.len();
    if write_message(observation, out).is_none() {
        out.truncate(begun);
        // Plain data with string keys serialises, and a vector takes all there is.
        let written = serde_json::to_writer(&mut *out, observation);
        debug_assert!(written.is_ok(), "{written:?}");
    }
    out.push(b'\n');
}

fn write_message(observation: &Observation, out: &mut Vec<u8>) -> Option<()> {
    let (kind, raw) = match &observation.what {
        What::Received { raw } => ("received", raw),
        What::Sent { raw } => ("sent", raw),
        _ => return None,
    };
    out.extend_from_slice(b"{\"n\":");
    write_number(observation.n, out);
    out.extend_from_slice(b",\"at\":");
    write_number(observation.at, out);
    if let Some(by) = &observation.by {
        out.extend_from_slice(b",\"by\":\"");
        write_escaped(by.as_str().as_bytes(), out)?;
        out.push(b'"');
    }
    if let Some(on) = &observation.on {
        out.extend_from_slice(b",\"on\":\"");
        write_escaped(on.as_str().as_bytes(), out)?;
        out.push(b'"');
    }
    out.extend_from_slice(b",\"what\":\"");
    out.extend_from_slice(kind.as_bytes());
    if let Some(json) = raw.as_json() {
        out.extend_from_slice(b"\",\"json\":");
        out.extend_from_slice(json.as_bytes());
        out.push(b'}');
        return Some(());
    }
    out.extend_from_slice(b"\",\"raw\":\"");
    write_escaped(raw.as_text()?.as_bytes(), out)?;
    out.extend_from_slice(b"\"}");
    Some(())
}

/// A message that stands in its line as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonLine<'l> {
    n: u64,
    at: u64,
    #[serde(default)]
    by: Option<UserName>,
    #[serde(default)]
    on: Option<ConnectionId>,
    what: Way,
    #[serde(borrow)]
    json: &'l RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Way {
    Sent,
    Received,
}

/// A line of a history after its plan.
pub(super) enum Line {
    Observation(Box<Observation>),
    Ending(Ending),
}

/// Reads a line.
///
/// # Errors
///
/// It is neither.
pub(super) fn read_line(line: &str) -> Result<Line, serde_json::Error> {
    // An end line has a field that no observation has; told apart by it, the error is the right one.
    if line.starts_with("{\"end\"") {
        serde_json::from_str(line).map(Line::Ending)
    } else {
        read_observation(line).map(|observation| Line::Observation(Box::new(observation)))
    }
}

fn read_observation(line: &str) -> Result<Observation, serde_json::Error> {
    let error = match serde_json::from_str::<JsonLine<'_>>(line) {
        Ok(JsonLine { n, at, by, on, what, json }) => {
            let raw = Raw::from(json.get()).of_json();
            let what = match what {
                Way::Sent => What::Sent { raw },
                Way::Received => What::Received { raw },
            };
            return Ok(Observation { n, at, by, on, what });
        }
        Err(error) => error,
    };
    // A line of the other kind has no such member, and in a text quotes would be escaped.
    if line.contains(",\"json\":") { Err(error) } else { serde_json::from_str(line) }
}

/// Appends the text with its quotes and backslashes escaped; nothing if it holds control characters,
/// which are rare and written otherwise.
fn write_escaped(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.reserve(text.len() + text.len() / 4);
    let mut rest = text;
    while let Some(chunk) = rest.first_chunk::<8>() {
        // All eight at once, and what was too many taken back: cheaper than to copy some of them.
        out.extend_from_slice(chunk);
        let Some(plain) = first_special(u64::from_le_bytes(*chunk)) else {
            rest = &rest[chunk.len()..];
            continue;
        };
        out.truncate(out.len() - chunk.len() + plain);
        write_special(chunk[plain], out)?;
        rest = &rest[plain + 1..];
    }
    for &byte in rest {
        match byte {
            b'"' | b'\\' | ..b' ' => write_special(byte, out)?,
            plain => out.push(plain),
        }
    }
    Some(())
}

fn write_special(byte: u8, out: &mut Vec<u8>) -> Option<()> {
    out.extend_from_slice(&[b'\\', byte]);
    (byte >= b' ').then_some(())
}

fn write_number(number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let (mut left, mut at) = (number, digits.len());
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::super::history::to_line;
    use super::super::ids::{ConnectionId, UserName};
    use super::super::raw::Raw;
    use super::*;

    #[test]
    fn a_line_is_what_serde_json_writes() {
        let everything: String = (0..=0x2ff).filter_map(char::from_u32).collect();
        let quotes = "\"\\".repeat(40);
        let long = format!("{}{quotes}{}", "x".repeat(31), "é".repeat(33));
        let texts = ["", "{}", "{\"a\":\"b\\\"c\"}", &everything, &quotes, &long, "\u{7f}é\n"];
        let mut written = 0;
        for text in
            texts.iter().flat_map(|text| [text.as_bytes(), &text.as_bytes()[1.min(text.len())..]])
        {
            for number in [0, 9, 10, 1234567890, u64::MAX] {
                for name in [None, Some("user-1"), Some("a\"\\b\u{1}é")] {
                    for what in [
                        What::Received { raw: Raw::new(text) },
                        What::Sent { raw: Raw::new(text) },
                        What::Ended { code: None, raw: Raw::new(text) },
                    ] {
                        let (n, at) = (number, u64::MAX - number);
                        let (by, on) = (name.map(UserName::new), name.map(ConnectionId::new));
                        let observation = Observation { n, at, by, on, what };
                        let mut line = b"before\n".to_vec();
                        write_line(&observation, &mut line);
                        let expected = format!("before\n{}", to_line(&observation));
                        assert_eq!(String::from_utf8_lossy(&line), expected);
                        written += usize::from(write_message(&observation, &mut line).is_some());
                    }
                }
            }
        }
        assert!(written > 100, "nearly all was left to serde_json");
    }

    #[test]
    fn what_is_json_stands_in_its_line_as_it_is() {
        let deep = format!("{}{}", "[".repeat(120), "]".repeat(120));
        let texts = [
            r#"{"type":"agent_started","what":"ended","n":7,"json":[1]}"#,
            r#"[ 1.50, "\u0041\n" , {"a":1,"a":2}, 1e400, 123456789012345678901234567890 ]"#,
            "{}",
            &deep,
        ];
        for text in texts {
            for name in [None, Some("user-1"), Some("a\"b\u{1}é")] {
                for way in [|raw| What::Received { raw }, |raw| What::Sent { raw }] {
                    let (by, on) = (name.map(UserName::new), name.map(ConnectionId::new));
                    let what = way(Raw::from(text).of_json());
                    let observation = Observation { n: 3, at: 4, by, on, what };
                    let mut line = Vec::new();
                    write_line(&observation, &mut line);
                    let line = String::from_utf8(line).expect("text");
                    // A name with a control character leaves the line to the library.
                    let whole = line.contains(&format!(",\"json\":{text}}}"));
                    assert_eq!(whole, name.is_none_or(|name| !name.contains('\u{1}')));
                    assert_eq!(line.lines().count(), 1);
                    assert_eq!(read_observation(&line).expect("a line"), observation, "{line}");
                }
            }
        }
    }

    #[test]
    fn what_would_not_stand_in_one_line_is_quoted() {
        for text in ["{}\n", " {}", "[1,\n2]", "[1,\r2]", "7", "\"{}\"", "", "{", "]["] {
            assert_eq!(Raw::from(text).of_json().as_json(), None, "{text:?}");
        }
        assert_eq!(Raw::new(b"{\xff}").of_json().as_json(), None);
    }

    #[test]
    fn a_line_that_is_none_is_told_by_what_is_wrong_with_it() {
        let line = |rest: &str| format!("{{\"n\":0,\"at\":0,\"what\":\"received\"{rest}}}");
        for (rest, wrong) in [
            (",\"json\":{\"a\":}", "expected value"),
            (",\"json\":{},\"raw\":\"\"", "unknown field `raw`"),
            (",\"raw\":7", "did not match any variant"),
            ("", "missing field `raw`"),
        ] {
            let error = read_observation(&line(rest)).expect_err(rest).to_string();
            assert!(error.contains(wrong), "{error}");
        }
    }
}
