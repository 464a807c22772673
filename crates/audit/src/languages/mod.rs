//! The languages that can be audited: one file each.

mod python;
mod typescript;

use super::language::Language;

/// All languages.
pub fn all() -> &'static [&'static dyn Language] {
    &[&python::Python, &typescript::TypeScript]
}

/// The language of a file with that extension.
pub fn of_extension(extension: &str) -> Option<&'static dyn Language> {
    all().iter().copied().find(|language| language.extensions().contains(&extension))
}
