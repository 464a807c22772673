//! A value of a scenario file together with its place.

use std::ops::{Deref, Range};

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// A value, and where it stands in the file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Written<T>(#[schemars(with = "T")] Spanned<T>);

impl<T> Written<T> {
    /// The bytes of the file that it takes.
    pub fn span(&self) -> Range<usize> {
        self.0.span()
    }
}

impl<T> Deref for Written<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.get_ref()
    }
}
