//! How serious a finding is: a leak, a warning or nothing, by its class.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::FindingKind;

/// The classes of findings that a scenario may grade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingClass {
    /// Something of one user reached another, or something else that is always a leak.
    Leak,
    /// An answer to one request holds what the same user gave with another.
    OwnData,
    /// A user's own events were lost, doubled or out of order.
    Delivery,
    /// What may be another user's, and may as well be the user's own: always a warning.
    Ambiguous,
}

impl FindingKind {
    /// The class that findings of that kind belong to.
    pub fn class(self) -> FindingClass {
        match self {
            Self::OwnData => FindingClass::OwnData,
            Self::Ambiguous => FindingClass::Ambiguous,
            Self::Loss | Self::Disorder | Self::Duplicate => FindingClass::Delivery,
            Self::Crossing
            | Self::Late
            | Self::WrongBinding
            | Self::Misdirected
            | Self::Interference
            | Self::NoEcho => FindingClass::Leak,
        }
    }
}

/// What a finding means for the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The verdict is `leaked`.
    Leak,
    /// Reported, and the verdict does not depend on it.
    Warning,
    /// Not reported.
    Ignore,
}

/// The severity of each class that has one of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Severities {
    /// Of the user's own data in the answer to another request.
    pub own_data: Severity,
    /// Of events that are lost, doubled or out of order.
    pub delivery: Severity,
}

impl Severities {
    /// All findings are leaks.
    pub const STRICT: Self = Self { own_data: Severity::Leak, delivery: Severity::Leak };

    /// The severity of findings of that class.
    pub fn of(self, class: FindingClass) -> Severity {
        match class {
            FindingClass::Leak => Severity::Leak,
            FindingClass::Ambiguous => Severity::Warning,
            FindingClass::OwnData => self.own_data,
            FindingClass::Delivery => self.delivery,
        }
    }

    /// Whether these are the severities of a scenario that says nothing.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Severities {
    fn default() -> Self {
        Self { own_data: Severity::Warning, delivery: Severity::Leak }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_data_and_delivery_can_be_graded() {
        let severities = Severities { own_data: Severity::Ignore, delivery: Severity::Warning };
        let graded = |kind: FindingKind| severities.of(kind.class());
        assert_eq!(graded(FindingKind::OwnData), Severity::Ignore);
        for kind in [FindingKind::Loss, FindingKind::Disorder, FindingKind::Duplicate] {
            assert_eq!(graded(kind), Severity::Warning, "{kind:?}");
        }
        for kind in [
            FindingKind::Crossing,
            FindingKind::Late,
            FindingKind::WrongBinding,
            FindingKind::Misdirected,
            FindingKind::Interference,
            FindingKind::NoEcho,
        ] {
            assert_eq!(graded(kind), Severity::Leak, "{kind:?}");
        }
    }
}
