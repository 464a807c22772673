//! Results to standard output, everything else to standard error.

use std::io::{IsTerminal, Write};

use clap::ValueEnum;

use crate::report::terminal::Style;

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal, unless the environment says otherwise
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Colour {
    /// How a text for the terminal is shown.
    pub(super) fn style(self) -> Style {
        Style { colour: self.wanted(), ..Style::default() }
    }

    /// `NO_COLOR` beats `CLICOLOR_FORCE` beats `CLICOLOR`.
    fn wanted(self) -> bool {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let on = |name: &str| {
            std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0")
        };
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if set("NO_COLOR") => false,
            Self::Auto if on("CLICOLOR_FORCE") => true,
            Self::Auto if set("CLICOLOR") && !on("CLICOLOR") => false,
            Self::Auto => std::io::stdout().is_terminal(),
        }
    }
}

/// Prints a result. A reader that has gone is no error.
pub(super) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints to standard error what goes with a result.
pub(super) fn explain(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Prints a line to standard error: what is no result, control characters made visible.
pub(super) fn complain(text: &str) {
    let shown = visible(text) + "\n";
    let _ = std::io::stderr().lock().write_all(shown.as_bytes());
}

/// The text with its control characters made visible.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}
