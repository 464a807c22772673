//! The names of things in a trial: users, threads, runs, connections and tasks.
//!
//! Each is a cheaply cloned string of its own type, so that a thread cannot be passed where a
//! user is meant. They sort by text, which keeps every report in the same order. Short ones, nearly
//! all, hold their text themselves: a record of millions of them is written and read without a look
//! at other memory.

use std::fmt;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

macro_rules! name_type {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(JsonSchema))]
        #[serde(transparent)]
        pub struct $name(#[cfg_attr(feature = "schema", schemars(with = "String"))] SmolStr);

        impl $name {
            /// Wraps the text as it is; no form is asked of it.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(SmolStr::new(text))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "{:?}", self.as_str())
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }

        // Compared and hashed as the text is, so that a map can be asked by it.
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name_type! {
    /// A person, as the back end knows them.
    UserName
}
name_type! {
    /// A conversation; chosen by the client, hence equal across users on purpose.
    ThreadId
}
name_type! {
    /// One agent execution; issued by the back end.
    RunId
}
name_type! {
    /// A client-chosen id of one request; equal across users on purpose.
    RequestId
}
name_type! {
    /// One connection or one HTTP exchange of a simulated user: `alice/socket1`, `alice/http2`.
    ConnectionId
}
name_type! {
    /// A task of the simulated world: stable between runs of the same plan, such as
    /// `alice/socket1/run1`.
    TaskName
}

/// A number that two texts hardly ever share.
pub fn digest(text: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |sum: u64, word: u64| (sum ^ word).wrapping_mul(ODD).rotate_left(29);
    let (words, rest) = text.as_chunks::<8>();
    let sum = words.iter().fold(text.len() as u64, |sum, word| mix(sum, u64::from_le_bytes(*word)));
    mix(sum, rest.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_text_and_serialise_as_plain_strings() {
        let mut names = [UserName::new("user-10"), UserName::new("user-1")];
        names.sort();
        assert_eq!(names[0].as_str(), "user-1");
        assert_eq!(serde_json::to_string(&names[1]).expect("a string"), "\"user-10\"");
    }
}
