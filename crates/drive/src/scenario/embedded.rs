//! The scenarios under `scenarios/` that the program carries with it, so that it works from any
//! folder.

use hmac_sha256::Hash;

use super::checked::Scenario;
use super::error::ScenarioError;

use partywall_core::measure::Source;
use partywall_core::raw::to_hex;
use partywall_core::record::LevelName;

const FILES: [(&str, &str); 2] = [
    ("reference-golden-path", include_str!("../../scenarios/reference-golden-path.toml")),
    ("reference-reconnect", include_str!("../../scenarios/reference-reconnect.toml")),
];

/// Those that go by name only: a sign-off drives them where it is asked for them.
const BY_NAME: [(&str, &str); 5] = [
    ("reference-cancellation", include_str!("../../scenarios/reference-cancellation.toml")),
    ("reference-user-switch", include_str!("../../scenarios/reference-user-switch.toml")),
    ("reference-controls", include_str!("../../scenarios/reference-controls.toml")),
    ("reference-noisy-neighbour", include_str!("../../scenarios/reference-noisy-neighbour.toml")),
    // For looking for mechanisms.
    ("mechanism-mix", include_str!("../../scenarios/mechanism-mix.toml")),
];

/// The names of the carried scenarios that are driven where none is named.
pub fn built_in_names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

/// The names of all carried scenarios.
pub fn all_built_in_names() -> impl Iterator<Item = &'static str> {
    FILES.iter().chain(&BY_NAME).map(|(name, _)| *name)
}

/// The carried scenarios: names and texts.
pub(super) fn all_built_in() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.into_iter().chain(BY_NAME)
}

/// The carried scenario of that name.
///
/// # Errors
///
/// There is none of that name; the error lists those that there are.
pub fn built_in(name: &str) -> Result<Scenario, ScenarioError> {
    let file = FILES.iter().chain(&BY_NAME).find(|(known, _)| *known == name);
    let (_, text) = file.ok_or_else(|| ScenarioError {
        line: None,
        problem: format!(
            "there is no built-in scenario `{}`; there are {}",
            name.escape_debug(),
            all_built_in_names().collect::<Vec<_>>().join(", ")
        ),
    })?;
    Scenario::parse(text)
}

/// Where the carried scenario of that name says what is driven at that level; none for a scenario
/// that is not carried.
pub fn source_of(name: &str, level: LevelName) -> Option<Source> {
    let (_, text) = FILES.iter().chain(&BY_NAME).find(|(known, _)| *known == name)?;
    let section = format!("[{}]", level.as_str());
    let line = text.lines().position(|line| line.trim() == section).unwrap_or(0);
    Some(Source {
        file: format!("scenarios/{name}.toml"),
        line: u32::try_from(line).map_or(1, |line| line + 1),
        sha256: to_hex(&Hash::hash(text.as_bytes())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_of_a_level_is_its_section() {
        let source = source_of("reference-golden-path", LevelName::Wire).expect("it is carried");
        let (_, text) = FILES[0];
        assert_eq!(text.lines().nth(source.line as usize - 1), Some("[wire]"));
        assert_eq!(source_of("another", LevelName::Wire), None);
    }

    #[test]
    fn every_carried_scenario_is_valid_and_named_after_its_file() {
        for (name, _) in FILES.into_iter().chain(BY_NAME) {
            assert_eq!(built_in(name).expect("valid").name, name);
        }
        let error = built_in("golden").expect_err("unknown").to_string();
        assert!(error.contains("reference-golden-path"), "{error}");
    }
}
