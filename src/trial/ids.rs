//! The names of things in a trial: users, threads, runs, connections and tasks.
//!
//! Each is a cheaply cloned string of its own type, so that a thread cannot be passed where a
//! user is meant. They sort by text, which keeps every report in the same order.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! name_type {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        #[derive(Clone, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it is; no form is asked of it.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(Arc::from(text.as_ref()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq for $name {
            /// Of clones, which most of what is compared is, the text is not looked at.
            fn eq(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.hash(state);
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "{:?}", &*self.0)
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
