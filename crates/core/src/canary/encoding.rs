//! The encodings in which a canary must be found; controls plant canaries in each.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

/// Case of the hexadecimal letters in an escape.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HexCase {
    /// `%6a`
    Lower,
    /// `%6A`
    Upper,
}

impl HexCase {
    const ALL: [Self; 2] = [Self::Lower, Self::Upper];

    fn as_str(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Upper => "upper",
        }
    }
}

/// Where a text starts within the groups of three bytes that base64 turns into four
/// characters. Each alignment spells the same text with other characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alignment {
    /// At the start of a group.
    Zero,
    /// After one byte of a group.
    One,
    /// After two bytes of a group.
    Two,
}

impl Alignment {
    /// All alignments.
    pub const ALL: [Self; 3] = [Self::Zero, Self::One, Self::Two];

    /// The number of bytes before the text in its group.
    pub fn bytes_before(self) -> usize {
        self as usize
    }

    /// The bits of the text's first base64 character that belong to the byte before.
    pub(super) fn bits_before(self) -> usize {
        // One byte before fills one character and 2 bits; two fill two and 4 bits.
        self.bytes_before() * 8 % 6
    }
}

/// A way in which a canary may be written down. Each is found by a scan, and so is
/// each with JSON around it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// As it is.
    Plain,
    /// All letters in upper case.
    UpperCase,
    /// Every second letter in upper case.
    MixedCase,
    /// Every byte as `%XX`.
    Percent {
        /// Case of the `XX`.
        hex: HexCase,
    },
    /// Every character as `\uXXXX` (two of them for what is beyond the first 65,536).
    UnicodeEscape {
        /// Case of the `XXXX`.
        hex: HexCase,
    },
    /// Base64 of a text that has the canary in it.
    Base64 {
        /// The URL alphabet (`-` and `_`) instead of the standard one (`+` and `/`).
        url: bool,
        /// With `=` at the end.
        padded: bool,
        /// Where the canary starts in its group.
        alignment: Alignment,
    },
    /// Base64 of base64 of a text that has the canary in it.
    Base64Twice {
        /// Where the canary starts in its group of the inner text.
        inner: Alignment,
        /// Where the inner text starts in its group.
        outer: Alignment,
    },
    /// Base32 of a text that has the canary in it.
    Base32 {
        /// Case of its letters.
        letters: HexCase,
        /// The bytes before the canary in its group of five.
        bytes_before: u8,
    },
    /// Every byte as two hexadecimal digits.
    Hex {
        /// Case of the digits.
        hex: HexCase,
    },
    /// Base64 in lines, as in mail, certificates and the output of `base64`.
    Base64InLines {
        /// With a carriage return before each line feed.
        carriage_returns: bool,
    },
    /// As it is, in lines that end with the `=` of a soft break, as in quoted-printable mail.
    SoftLines,
    /// Every character as an HTML entity, by its number.
    Entity {
        /// `&#x70;` instead of `&#112;`.
        hexadecimal: bool,
    },
    /// In UTF-16.
    Utf16 {
        /// With the zero after each character.
        little_endian: bool,
    },
}

/// The characters of a line in [`Encoding::Base64InLines`]. Mail allows 76; shorter ones cut more.
const LINE: usize = 32;

impl Encoding {
    /// Every encoding that a scan has to see through.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Plain, Self::UpperCase, Self::MixedCase];
        all.extend(HexCase::ALL.map(|hex| Self::Percent { hex }));
        all.extend(HexCase::ALL.map(|hex| Self::UnicodeEscape { hex }));
        for url in [false, true] {
            for padded in [false, true] {
                all.extend(Alignment::ALL.map(|alignment| Self::Base64 { url, padded, alignment }));
            }
        }
        all.extend(Alignment::ALL.map(|each| Self::Base64Twice { inner: each, outer: each }));
        all.extend((0..5).map(|bytes_before| {
            let letters = HexCase::ALL[usize::from(bytes_before % 2)];
            Self::Base32 { letters, bytes_before }
        }));
        all.extend(HexCase::ALL.map(|hex| Self::Hex { hex }));
        all.extend([false, true].map(|carriage_returns| Self::Base64InLines { carriage_returns }));
        all.push(Self::SoftLines);
        all.extend([false, true].map(|hexadecimal| Self::Entity { hexadecimal }));
        all.extend([false, true].map(|little_endian| Self::Utf16 { little_endian }));
        all
    }

    /// Writes the canary (or any text) in this encoding.
    pub fn encode(&self, canary: &str) -> String {
        match *self {
            Self::Plain => canary.to_owned(),
            Self::UpperCase => canary.to_ascii_uppercase(),
            Self::MixedCase => every_second_upper(canary),
            Self::Percent { hex } => escaped("%", 2, hex, canary.bytes().map(u16::from)),
            Self::UnicodeEscape { hex } => escaped("\\u", 4, hex, canary.encode_utf16()),
            Self::Base64 { url, padded, alignment } => {
                base64(surrounded(canary, alignment).as_bytes(), url, padded)
            }
            Self::Base64Twice { inner, outer } => {
                let once = base64(surrounded(canary, inner).as_bytes(), false, false);
                base64(surrounded(&once, outer).as_bytes(), false, true)
            }
            Self::Base32 { letters, bytes_before } => {
                let text = format!("{}{canary}", &"????"[..usize::from(bytes_before)]);
                let text = base32(text.as_bytes());
                match letters {
                    HexCase::Lower => text.to_ascii_lowercase(),
                    HexCase::Upper => text,
                }
            }
            Self::Hex { hex } => escaped("", 2, hex, canary.bytes().map(u16::from)),
            Self::Base64InLines { carriage_returns } => {
                let text = base64(format!("???{canary}").as_bytes(), false, true);
                in_lines(&text, if carriage_returns { "\r\n" } else { "\n" })
            }
            Self::SoftLines => in_lines(canary, "=\r\n"),
            Self::Entity { hexadecimal } => {
                let entity = |character| match hexadecimal {
                    true => format!("&#x{:x};", u32::from(character)),
                    false => format!("&#{};", u32::from(character)),
                };
                canary.chars().map(entity).collect()
            }
            Self::Utf16 { little_endian } => {
                let two = |character| match little_endian {
                    true => [character, '\0'],
                    false => ['\0', character],
                };
                canary.chars().flat_map(two).collect()
            }
        }
    }

    /// A JSON document with the encoded canary in a string. A backslash of the encoding
    /// is data there, so `\u0070` becomes `\\u0070`.
    pub fn encode_in_json(&self, canary: &str) -> String {
        let mut json = String::from(r#"{"type":"agent_thinking","content":"<"#);
        for character in self.encode(canary).chars() {
            match character {
                '"' | '\\' => json.extend(['\\', character]),
                '\0'..='\x1F' => write!(json, "\\u{:04x}", u32::from(character))
                    .expect("a string takes all that is written"),
                _ => json.push(character),
            }
        }
        json.push_str(r#">"}"#);
        json
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Plain => f.write_str("plain"),
            Self::UpperCase => f.write_str("upper case"),
            Self::MixedCase => f.write_str("mixed case"),
            Self::Percent { hex } => write!(f, "%XX ({})", hex.as_str()),
            Self::UnicodeEscape { hex } => write!(f, "\\uXXXX ({})", hex.as_str()),
            Self::Base64 { url, padded, alignment } => write!(
                f,
                "base64 ({}, {}, alignment {})",
                if url { "URL" } else { "standard" },
                if padded { "padded" } else { "not padded" },
                alignment.bytes_before(),
            ),
            Self::Base64Twice { inner, outer } => write!(
                f,
                "base64 twice (alignments {} and {})",
                inner.bytes_before(),
                outer.bytes_before(),
            ),
            Self::Base32 { letters, bytes_before } => {
                write!(f, "base32 ({}, alignment {bytes_before})", letters.as_str())
            }
            Self::Hex { hex } => write!(f, "hex ({})", hex.as_str()),
            Self::Base64InLines { carriage_returns: false } => f.write_str("base64 in lines"),
            Self::Base64InLines { carriage_returns: true } => {
                f.write_str("base64 in lines with carriage returns")
            }
            Self::SoftLines => f.write_str("lines with soft breaks"),
            Self::Entity { hexadecimal: false } => f.write_str("HTML entities (decimal)"),
            Self::Entity { hexadecimal: true } => f.write_str("HTML entities (hexadecimal)"),
            Self::Utf16 { little_endian: true } => f.write_str("UTF-16 (little endian)"),
            Self::Utf16 { little_endian: false } => f.write_str("UTF-16 (big endian)"),
        }
    }
}

fn in_lines(text: &str, end: &str) -> String {
    let characters: Vec<_> = text.chars().collect();
    let lines: Vec<String> = characters.chunks(LINE).map(|line| line.iter().collect()).collect();
    lines.join(end)
}

/// The bytes in base32 without padding, in capitals.
fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity((bytes.len() * 8).div_ceil(5));
    for group in bytes.chunks(5) {
        let bits = (0..5).fold(0_u64, |bits, place| {
            bits << 8 | u64::from(group.get(place).copied().unwrap_or(0))
        });
        let letters = (group.len() * 8).div_ceil(5);
        let letter = |place| char::from(LETTERS[(bits >> (35 - 5 * place)) as usize & 31]);
        text.extend((0..letters).map(letter));
    }
    text
}

fn escaped(prefix: &str, width: usize, hex: HexCase, units: impl Iterator<Item = u16>) -> String {
    let escape = |unit| match hex {
        HexCase::Lower => format!("{prefix}{unit:0width$x}"),
        HexCase::Upper => format!("{prefix}{unit:0width$X}"),
    };
    units.map(escape).collect()
}

fn every_second_upper(text: &str) -> String {
    let mut upper = false;
    let change = |character: char| {
        upper ^= character.is_ascii_alphabetic();
        if upper { character.to_ascii_uppercase() } else { character.to_ascii_lowercase() }
    };
    text.chars().map(change).collect()
}

/// The text at that alignment, between fillers. The first filler has a group of its own
/// that the two alphabets spell differently; the second leaves a part of a group at the
/// end, else padding would make no difference.
fn surrounded(text: &str, alignment: Alignment) -> String {
    let mut whole = format!("???{}{text}", &"??"[..alignment.bytes_before()]);
    while whole.len().is_multiple_of(3) {
        whole.push('?');
    }
    whole
}

/// The bytes in base64, in the URL alphabet or the standard one.
pub fn base64(bytes: &[u8], url: bool, padded: bool) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let last_two = if url { [b'-', b'_'] } else { [b'+', b'/'] };
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |place| u32::from(group.get(place).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..=group.len() {
            let value = (bits >> (18 - 6 * place) & 63) as usize;
            let letter = LETTERS.get(value).copied();
            text.push(char::from(letter.unwrap_or_else(|| last_two[value - LETTERS.len()])));
        }
        if padded {
            text.extend(std::iter::repeat_n('=', 3 - group.len()));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_agrees_with_the_crate() {
        use base64::Engine as _;
        use base64::engine::general_purpose::*;
        for length in 0..=70_u8 {
            let bytes: Vec<u8> = (0..length).map(|place| place.wrapping_mul(37) ^ 0xFB).collect();
            assert_eq!(base64(&bytes, false, true), STANDARD.encode(&bytes));
            assert_eq!(base64(&bytes, false, false), STANDARD_NO_PAD.encode(&bytes));
            assert_eq!(base64(&bytes, true, true), URL_SAFE.encode(&bytes));
            assert_eq!(base64(&bytes, true, false), URL_SAFE_NO_PAD.encode(&bytes));
        }
    }

    #[test]
    fn no_two_encodings_look_the_same() {
        let canary = "pw10abcdefghjkmnpqrstvwxyz0123456789";
        let texts: std::collections::BTreeSet<_> =
            Encoding::all().iter().map(|encoding| encoding.encode(canary)).collect();
        assert_eq!(texts.len(), Encoding::all().len());
        assert_eq!(texts.len(), 3 + 2 + 2 + 12 + 3 + 5 + 2 + 2 + 1 + 2 + 2);
    }
}
