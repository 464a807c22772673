//! 64 bits as a decimal number in text.

use serde::{Deserialize, Deserializer, Serializer};

/// Writes the number as text.
///
/// # Errors
///
/// The output fails.
pub fn serialize<S: Serializer>(number: &u64, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(number)
}

/// Reads it back.
///
/// # Errors
///
/// The text is no number of 64 bits.
pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
    String::deserialize(input)?.parse().map_err(serde::de::Error::custom)
}
