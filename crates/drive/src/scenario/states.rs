//! The states of a migration, as checked: `[[state]]` and `[migration]`.

use std::collections::BTreeSet;

use regex_lite::Regex;

use super::file::{EvidenceTable, MigrationTable, StateTable, TargetTable};
use super::words::{Checked, Words};
use super::written::Written;
use partywall_core::target::Target;
use partywall_core::template;

/// One state of the migration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationState {
    /// Its name.
    pub name: String,
    /// The server in that state.
    pub target: Target,
    /// The call sites that are still legacy in it.
    pub legacy: Vec<String>,
}

/// What tells of itself what a server did, so that it need not be assumed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MigrationEvidence {
    /// That a call site ran: its pattern is a template over the call site.
    pub exercised: Option<EvidenceSource>,
    /// That an agent was built with another user's settings.
    pub contaminated: Option<EvidenceSource>,
}

/// Where that is told, with the pattern that tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvidenceSource {
    /// In a line that the started server printed.
    Log {
        /// A regular expression.
        pattern: String,
    },
    /// In what the server answers to a GET of that path.
    Page {
        /// The path.
        path: String,
        /// A regular expression.
        pattern: String,
    },
}

impl EvidenceSource {
    /// The pattern.
    pub fn pattern(&self) -> &str {
        match self {
            Self::Log { pattern } | Self::Page { pattern, .. } => pattern,
        }
    }
}

/// What stands for the places of a pattern over a call site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SitePlaces {
    /// The call site as the scenario names it.
    pub site: String,
    /// Its file.
    pub path: Option<String>,
    /// Its line.
    pub line: Option<String>,
    /// Its function.
    pub function: Option<String>,
}

impl SitePlaces {
    /// What the name itself says: `path:line` or `path:function`.
    pub fn of(site: &str) -> Self {
        let mut places = Self { site: site.to_owned(), ..Self::default() };
        if let Some((path, rest)) = site.rsplit_once(':').filter(|(path, _)| !path.is_empty()) {
            let is_line = !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit());
            let place = if is_line { &mut places.line } else { &mut places.function };
            (*place, places.path) = (Some(rest.to_owned()), Some(path.to_owned()));
        }
        places
    }

    /// The pattern for that call site.
    ///
    /// # Errors
    ///
    /// It asks for something that is not known of the call site, or is no regular expression.
    pub fn fill(&self, pattern: &str) -> Result<Regex, String> {
        let values = |name: &str| match name {
            "site" => Some(self.site.clone()),
            "path" => self.path.clone(),
            "line" => self.line.clone(),
            "function" => self.function.clone(),
            _ => None,
        };
        let filled = template::fill(pattern, &values, regex_lite::escape)?;
        Regex::new(&filled).map_err(|error| format!("not a regular expression: {error}"))
    }
}

impl Words<'_> {
    /// The states; each differs from the others in its name and in what is legacy.
    pub(super) fn states(
        &self,
        tables: &[StateTable],
        target: impl Fn(&StateTable) -> Checked<Target>,
    ) -> Checked<Vec<MigrationState>> {
        let mut states: Vec<MigrationState> = Vec::new();
        for table in tables {
            let name = &*table.name;
            let plain = "the `name` of a state is made of letters, digits, `-` and `_`";
            self.name(&table.name, plain)?;
            self.demand(states.iter().all(|other| other.name != *name), &table.name, || {
                format!("there is a state `{name}` already")
            })?;
            let own: BTreeSet<&String> = table.legacy.iter().collect();
            let named = own.iter().all(|site| !site.trim().is_empty());
            let whole = named && own.len() == table.legacy.len();
            self.demand(whole, &table.legacy, || "`legacy` names call sites, each once".into())?;
            let same =
                states.iter().find(|other| other.legacy.iter().collect::<BTreeSet<_>>() == own);
            if let Some(same) = same {
                let problem =
                    format!("the same call sites are legacy in the state `{}`", same.name);
                return Err(self.error(&table.legacy, problem));
            }
            states.push(MigrationState {
                name: name.clone(),
                target: target(table)?,
                legacy: table.legacy.to_vec(),
            });
        }
        Ok(states)
    }

    pub(super) fn evidence(&self, table: &MigrationTable) -> Checked<MigrationEvidence> {
        let known = SitePlaces::of("path:1");
        let known = SitePlaces { function: Some("function".into()), ..known };
        let exercised =
            self.source(table.exercised.as_ref(), |pattern| known.fill(pattern).err())?;
        let contaminated = self.source(table.contaminated.as_ref(), |pattern| {
            Regex::new(pattern).err().map(|error| format!("not a regular expression: {error}"))
        })?;
        Ok(MigrationEvidence { exercised, contaminated })
    }

    fn source(
        &self,
        table: Option<&Written<EvidenceTable>>,
        problem: impl Fn(&str) -> Option<String>,
    ) -> Checked<Option<EvidenceSource>> {
        let Some(written) = table else { return Ok(None) };
        let EvidenceTable { log, get, pattern } = &**written;
        let source = match (log, get, pattern) {
            (Some(log), None, None) => EvidenceSource::Log { pattern: log.clone() },
            (None, Some(path), Some(pattern)) => {
                self.demand(path.starts_with('/'), written, || "`get` begins with `/`".into())?;
                EvidenceSource::Page { path: path.clone(), pattern: pattern.clone() }
            }
            _ => {
                let text = "give `log`, or `get` together with `pattern`";
                return Err(self.error(written, text.into()));
            }
        };
        match problem(source.pattern()) {
            Some(problem) => Err(self.error(written, problem)),
            None => Ok(Some(source)),
        }
    }
}

impl StateTable {
    pub(super) fn target(&self) -> TargetTable {
        TargetTable {
            url: self.url.clone(),
            urls: self.urls.clone(),
            command: self.command.clone(),
            cwd: self.cwd.clone(),
            env: self.env.clone(),
            ..TargetTable::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_knows_of_a_call_site_what_its_name_says() {
        let line = SitePlaces::of("app/ws.py:12");
        let pattern = line.fill("{{ path }}:{{ line }}: Deprecation").expect("both are known");
        assert!(pattern.is_match("/srv/app/ws.py:12: DeprecationWarning: old"));
        assert!(!pattern.is_match("/srv/app/ws.py:120: DeprecationWarning: old"));
        assert!(!pattern.is_match("/srv/app/wsXpy:12: Deprecation"), "a dot is a dot");
        assert!(line.fill("{{ function }}").is_err());
        let function = SitePlaces::of("app/ws.py:Chat.open");
        assert_eq!(function.function.as_deref(), Some("Chat.open"));
        assert!(SitePlaces::of("startup").fill("^{{ site }}$").expect("it is").is_match("startup"));
        assert!(SitePlaces::of("startup").fill("{{ path }}").is_err());
    }
}
