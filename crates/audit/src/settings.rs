//! Settings of an audit that stand in a file: the same keys as the flags of `partywall audit`.

use std::path::PathBuf;

use serde::Deserialize;

use super::error::AuditError;

/// The file of its own.
pub const OWN: &str = "partywall-audit.toml";
/// The file of a Python project, in which they stand in the table `[tool.partywall-audit]`.
pub const PROJECT: &str = "pyproject.toml";

/// What a file says; each field is the flag of that name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the flag of that name")]
pub struct Settings {
    pub symbol: Option<String>,
    pub replacement: Option<String>,
    pub symbols: Option<PathBuf>,
    pub find_singletons: bool,
    pub context: Vec<String>,
    pub test_pattern: Vec<String>,
    pub exclude: Vec<String>,
    pub include_generated: bool,
    pub format: Option<String>,
    pub baseline: Option<PathBuf>,
    pub fail_on: Option<String>,
    pub scope: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Project {
    tool: Tool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Tool {
    partywall_audit: Option<Settings>,
}

impl Settings {
    /// The settings in the text of a file; none if a project says nothing of an audit.
    ///
    /// # Errors
    ///
    /// The text is no TOML, or a key is no setting; the error names the line.
    pub fn of_file(text: &str, is_project: bool) -> Result<Option<Self>, AuditError> {
        let settings = match is_project {
            true => toml::from_str::<Project>(text).map(|project| project.tool.partywall_audit),
            false => toml::from_str::<Self>(text).map(Some),
        };
        settings.map_err(|error| {
            let at = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            AuditError::new(format!(
                "line {line}: {}; the keys are those of the flags of `partywall audit`",
                error.message()
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_may_say_nothing_and_an_unknown_key_is_told_with_its_line() {
        let text = "exclude = [\"scripts/\"]\nfail-on = \"new\"\nscope = \"all\"\n";
        let own = Settings::of_file(text, false).expect("settings").expect("some");
        assert_eq!((own.exclude.len(), own.scope.as_deref()), (1, Some("all")));
        let project = format!("[project]\nname = \"a\"\n\n[tool.partywall-audit]\n{text}");
        assert_eq!(Settings::of_file(&project, true), Ok(Some(own)));
        assert_eq!(Settings::of_file("[tool.other]\na = 1\n", true), Ok(None));
        let wrong = Settings::of_file("exclude = []\nexcluded = []\n", false);
        assert!(wrong.is_err_and(|error| error.to_string().starts_with("line 2: ")));
    }
}
