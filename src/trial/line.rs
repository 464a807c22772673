//! One observation as one line of a history file.
//!
//! What comes in most, text on an event connection, is written here; it is the same bytes that
//! `serde_json` writes, in less time. All else is left to that.

use super::history::{Observation, What};
use super::json::first_special;

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
    let text = raw.as_text()?;
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
    out.extend_from_slice(b"\",\"raw\":\"");
    write_escaped(text.as_bytes(), out)?;
    out.extend_from_slice(b"\"}");
    Some(())
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
}
