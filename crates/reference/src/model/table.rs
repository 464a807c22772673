//! What the models came to, as a table.

use super::check::ModelOutcome;
use super::spec::Expected;

/// A row for each model, at most 80 columns wide.
pub fn render_table(outcomes: &[ModelOutcome]) -> String {
    let mut text = format!(
        "{:<26}{:<9}{:>13}  {:<10}{:<8}{:<6}{:>6}\n",
        "model", "result", "interleavings", "search", "reached", "ctrls", "s"
    );
    for outcome in outcomes {
        text.push_str(&row(outcome));
    }
    text
}

fn row(outcome: &ModelOutcome) -> String {
    let result = match (&outcome.refuted, outcome.expected) {
        (None, Expected::Clean) => "clean",
        (Some(_), Expected::Refuted(_)) => "refuted",
        (None, Expected::Refuted(_)) => "MISSED",
        (Some(_), Expected::Clean) => "REFUTED",
    };
    let search = match (outcome.preemption_bound, &outcome.refuted) {
        (_, Some(_)) => "to first".to_owned(),
        (None, None) => "complete".to_owned(),
        (Some(bound), None) => format!("bound {bound}"),
    };
    let fired = outcome.controls.iter().filter(|control| control.fired).count();
    let controls = match outcome.expected {
        Expected::Clean => format!("{fired}/{}", outcome.controls.len()),
        Expected::Refuted(_) => "self".to_owned(),
    };
    format!(
        "{:<26}{result:<9}{:>13}  {search:<10}{:<8}{controls:<6}{:>6.2}\n",
        outcome.name,
        grouped(outcome.interleavings),
        if outcome.reached { "yes" } else { "NO" },
        outcome.seconds
    )
}

/// The number with a comma after every three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn digits_are_grouped_by_three() {
        let numbers = [0, 12, 999, 1_000, 19_023, 1_700_000].map(grouped);
        assert_eq!(numbers, ["0", "12", "999", "1,000", "19,023", "1,700,000"]);
    }
}
