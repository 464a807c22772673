//! The forms that a report is written in, by the names that `--report` and `--format` take.

use clap::ValueEnum;

use crate::report::{attestation, github, html, json, junit, markdown, sarif};
use crate::trial::record::Record;

/// One form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Format {
    /// report.json: the record, which all the others are views of
    Json,
    /// report.md: for a pull request, below 60 lines
    Markdown,
    /// report.html: one self-contained page, also to be printed
    Html,
    /// junit.xml: a test case for each scenario and oracle
    Junit,
    /// report.sarif: for code scanning
    Sarif,
    /// attestation.intoto.json: an unsigned test-result statement about the tested build
    Intoto,
    /// summary.md: what a step summary of GitHub Actions shows
    Github,
}

impl Format {
    /// The file's name in the run folder.
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Json => "report.json",
            Self::Markdown => "report.md",
            Self::Html => "report.html",
            Self::Junit => "junit.xml",
            Self::Sarif => "report.sarif",
            Self::Intoto => "attestation.intoto.json",
            Self::Github => "summary.md",
        }
    }

    /// The report in that form; none for a statement about nothing. `lenient` lets doubt pass as a
    /// warning, where the form knows such.
    pub(super) fn render(self, record: &Record, lenient: bool) -> Option<String> {
        Some(match self {
            Self::Json => json::render(record),
            Self::Markdown => markdown::render(record),
            Self::Html => html::render(record),
            Self::Junit => junit::render(record, lenient),
            Self::Sarif => sarif::render(record),
            Self::Github => github::step_summary(record),
            Self::Intoto => return attestation::render(record, lenient),
        })
    }

    /// What a sign-off writes: everything that somebody may ask for later.
    pub(super) fn of_sign_off() -> Vec<Self> {
        vec![Self::Html, Self::Junit, Self::Sarif, Self::Intoto]
    }
}
