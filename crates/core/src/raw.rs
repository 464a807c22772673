//! Bytes exactly as they came over a connection.

use std::borrow::Cow;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes as they were sent or received.
///
/// In JSON they are a plain string where they are UTF-8, and `{"hex": "…"}` where they are not, so
/// that a history stays readable and still loses nothing.
#[derive(Clone)]
pub struct Raw(Held);

/// The bytes, looked at once: all that is UTF-8 is held as text.
#[derive(Clone)]
enum Held {
    Text(Box<str>),
    /// The same, where it is known to be one JSON object or array in one line.
    Json(Box<str>),
    Other(Box<[u8]>),
}

impl Default for Raw {
    fn default() -> Self {
        Self(Held::Text(Box::default()))
    }
}

impl Raw {
    /// Wraps the bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        match String::from_utf8(bytes.into()) {
            Ok(text) => Self::from(text),
            Err(other) => Self(Held::Other(other.into_bytes().into())),
        }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        match &self.0 {
            Held::Text(text) | Held::Json(text) => text.as_bytes(),
            Held::Other(bytes) => bytes,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// The bytes as text; what is not UTF-8 becomes the replacement character.
    pub fn text(&self) -> Cow<'_, str> {
        match &self.0 {
            Held::Text(text) | Held::Json(text) => Cow::Borrowed(text),
            Held::Other(bytes) => String::from_utf8_lossy(bytes),
        }
    }

    /// The bytes as text, where they are UTF-8.
    pub fn as_text(&self) -> Option<&str> {
        match &self.0 {
            Held::Text(text) | Held::Json(text) => Some(text),
            Held::Other(_) => None,
        }
    }

    /// The same, known to be JSON by whoever has read it: then it need not be quoted to be written
    /// down. What begins or ends in another way than an object or array, or stands in several lines,
    /// stays a text.
    #[must_use]
    pub fn of_json(self) -> Self {
        let in_one_line = |text: &str| {
            matches!(text.as_bytes(), [b'{', .., b'}'] | [b'[', .., b']'])
                && memchr::memchr2(b'\n', b'\r', text.as_bytes()).is_none()
        };
        match self.0 {
            Held::Text(text) if in_one_line(&text) => Self(Held::Json(text)),
            held => Self(held),
        }
    }

    /// The text, where it is known to be one JSON object or array in one line.
    pub fn as_json(&self) -> Option<&str> {
        match &self.0 {
            Held::Json(text) => Some(text),
            Held::Text(_) | Held::Other(_) => None,
        }
    }
}

impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Raw {}

impl From<&str> for Raw {
    fn from(text: &str) -> Self {
        Self(Held::Text(text.into()))
    }
}

impl From<String> for Raw {
    fn from(text: String) -> Self {
        Self(Held::Text(text.into()))
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.text())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Written {
    Text(String),
    Bytes { hex: String },
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Held::Text(text) | Held::Json(text) => out.serialize_str(text),
            Held::Other(bytes) => Written::Bytes { hex: to_hex(bytes) }.serialize(out),
        }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        match Written::deserialize(input)? {
            Written::Text(text) => Ok(Self::from(text)),
            Written::Bytes { hex } => from_hex(&hex)
                .map(Self::new)
                .ok_or_else(|| D::Error::custom("`hex` is not an even number of hex digits")),
        }
    }
}

/// The bytes as lower-case hex digits.
pub fn to_hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes that the hex digits stand for; `None` if they are not hex or not whole bytes.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes().chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_json() {
        for bytes in [b"plain".to_vec(), vec![0xff, 0x00, 0x9f], b"\x1b[31m\"<b>".to_vec()] {
            let raw = Raw::new(bytes);
            let json = serde_json::to_string(&raw).expect("serialises");
            assert_eq!(serde_json::from_str::<Raw>(&json).expect("reads back"), raw);
        }
    }

    #[test]
    fn malformed_hex_is_refused() {
        for bad in ["0", "zz", "0g"] {
            assert!(serde_json::from_str::<Raw>(&format!("{{\"hex\":{bad:?}}}")).is_err());
        }
    }
}
