//! How likely a leak could still be after a number of clean, independently drawn trials.

use partywall_core::record::{SearchMethod, UpperBound};

/// The confidence of every bound that is stated.
pub(crate) const CONFIDENCE: f64 = 0.95;

/// The upper bound after `n` clean units: 1 − 0.05^(1/n). With a probability above it, n units
/// would all have been clean in fewer than 5 of 100 campaigns. None without any unit.
pub fn upper_bound(
    n: u64,
    unit: &str,
    method: SearchMethod,
    same_process: bool,
) -> Option<UpperBound> {
    if n == 0 {
        return None;
    }
    Some(UpperBound {
        value: 1.0 - (1.0 - CONFIDENCE).powf(1.0 / n as f64),
        confidence: CONFIDENCE,
        unit: unit.to_owned(),
        n,
        method,
        same_process,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_the_known_one() {
        let value =
            |n| upper_bound(n, "trial", SearchMethod::RandomWalk, false).expect("n > 0").value;
        assert!((value(1) - 0.95).abs() < 1e-12);
        // For large n it comes close to the rule of three.
        assert!((value(3_000) - 0.000_998).abs() < 1e-6);
        assert!(upper_bound(0, "trial", SearchMethod::RandomWalk, false).is_none());
    }
}
