//! The scenarios under `scenarios/` that the program carries with it, so that it works from any
//! folder.

use super::checked::{Scenario, ScenarioError};

const FILES: [(&str, &str); 2] = [
    ("reference-golden-path", include_str!("../../scenarios/reference-golden-path.toml")),
    ("reference-reconnect", include_str!("../../scenarios/reference-reconnect.toml")),
];

/// The names of the scenarios that the program carries.
pub fn built_in_names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

/// The carried scenario of that name.
///
/// # Errors
///
/// There is none of that name; the error lists those that there are.
pub fn built_in(name: &str) -> Result<Scenario, ScenarioError> {
    let file = FILES.iter().find(|(known, _)| *known == name);
    let (_, text) = file.ok_or_else(|| ScenarioError {
        line: None,
        problem: format!(
            "there is no built-in scenario `{}`; there are {}",
            name.escape_debug(),
            built_in_names().collect::<Vec<_>>().join(", ")
        ),
    })?;
    Scenario::parse(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_carried_scenario_is_valid_and_named_after_its_file() {
        for (name, _) in FILES {
            assert_eq!(built_in(name).expect("valid").name, name);
        }
        let error = built_in("golden").expect_err("unknown").to_string();
        assert!(error.contains("reference-golden-path"), "{error}");
    }
}
