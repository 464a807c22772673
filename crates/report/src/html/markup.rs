//! The markup that all parts of the page are made of.

use crate::{phrases, safe_text};

/// Text that a server may have sent, as markup shows it.
pub(super) fn text(text: &str) -> String {
    safe_text::html(text)
}

/// A name, shorter.
pub(super) fn name(text: &str) -> String {
    safe_text::html_name(text)
}

pub(super) fn add(page: &mut String, markup: &str) {
    page.push_str(markup);
}

/// Adds formatted markup; what is filled in must have gone through [`text`] or be a number.
macro_rules! put {
    ($page:expr, $($format:tt)*) => {
        // Writing to a string cannot fail.
        let _ = std::fmt::Write::write_fmt($page, format_args!($($format)*));
    };
}
pub(super) use put;

/// A list of texts that are markup already, the rest of a long one counted.
pub(super) fn list(page: &mut String, class: &str, items: &[String], most: usize) {
    if items.is_empty() {
        return;
    }
    let (shown, more) = phrases::capped(items, most);
    put!(page, "<ul class=\"{class}\">");
    for item in shown.iter().chain(&more) {
        put!(page, "<li>{item}</li>");
    }
    add(page, "</ul>\n");
}

/// What a text is worth, as a class and a sign: colour is never the only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Bad,
    Doubt,
}

impl Tone {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Doubt => "doubt",
        }
    }

    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Bad => "✕",
            Self::Doubt => "?",
        }
    }
}
