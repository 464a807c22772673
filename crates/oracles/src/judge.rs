//! The list of oracles, and how they judge a history.

use super::case::Case;
use super::left::{Left, left};
use super::oracle::{Judgement, Oracle};
use super::{
    after_close, at_rest, attribution, binding, canary, completeness, control_effect, duplicates,
    non_interference, ownership,
};
use partywall_core::canary::PHANTOM_USER;
use partywall_core::control::phantom_owner;
use partywall_core::finding::{Finding, OracleId};
use partywall_core::plan::Via;
use partywall_core::severity::Severity;

/// The oracles, in the order of [`OracleId::ALL`].
static ORACLES: [Oracle; OracleId::ALL.len()] = [
    canary::CANARY,
    ownership::OWNERSHIP,
    completeness::COMPLETENESS,
    duplicates::DUPLICATES,
    non_interference::NON_INTERFERENCE,
    after_close::AFTER_CLOSE,
    binding::BINDING,
    attribution::ATTRIBUTION,
    control_effect::CONTROL_EFFECT,
    at_rest::AT_REST,
];

/// All oracles, in the order of [`OracleId::ALL`].
pub fn all() -> [&'static Oracle; OracleId::ALL.len()] {
    ORACLES.each_ref()
}

/// The oracle of that number.
pub fn of(id: OracleId) -> &'static Oracle {
    &ORACLES[id as usize]
}

/// What all oracles came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What they found, oracle by oracle.
    pub findings: Vec<Finding>,
    /// What they found that the plan grades as a warning.
    pub warnings: Vec<Finding>,
    /// The kinds of run through which a phantom's canary came back; sorted, each once.
    pub path_hits: Vec<Via>,
    /// For each oracle how much it looked at, and why it was blind.
    pub rows: Vec<(OracleId, u64, Option<String>)>,
    /// Inbound event-connection messages that are no JSON object with a type.
    pub malformed: u64,
    /// What an earlier state of the same system may have left with the wrong user.
    pub left: Option<Left>,
}

/// Lets every oracle judge.
pub fn judge(case: &Case<'_>) -> Judged {
    judge_with(&all(), case)
}

/// Lets these oracles judge.
pub fn judge_with(oracles: &[&Oracle], case: &Case<'_>) -> Judged {
    let (mut findings, mut warnings) = (Vec::new(), Vec::new());
    let severity = case.history.plan.protocol.severity;
    let mut rows = Vec::with_capacity(oracles.len());
    for oracle in oracles {
        let Judgement { suspects, judged_items, blind } = (oracle.judge)(case);
        let scenario = &case.history.plan.scenario;
        for suspect in suspects {
            let graded = match severity.of(suspect.kind.class()) {
                Severity::Leak => &mut findings,
                Severity::Warning => &mut warnings,
                Severity::Ignore => continue,
            };
            let mut finding = Finding::new(scenario, oracle.id, suspect);
            finding.victim_via = case.via(&finding.victim, finding.victim_run);
            graded.push(finding);
        }
        rows.push((oracle.id, judged_items, blind));
    }
    let (path_hits, malformed, left) = (path_hits(case), case.malformed, left(case));
    Judged { findings, warnings, path_hits, rows, malformed, left }
}

fn path_hits(case: &Case<'_>) -> Vec<Via> {
    let came_back = |via: &Via| {
        let phantom = phantom_owner(*via);
        case.seen.iter().any(|seen| seen.owner.user == PHANTOM_USER && seen.owner == phantom)
    };
    Via::ALL.into_iter().filter(came_back).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use partywall_core::record::Rule;

    #[test]
    fn the_registry_is_whole_and_each_member_explains_itself() {
        for (id, oracle) in OracleId::ALL.into_iter().zip(all()) {
            assert_eq!(oracle.id, id);
            let Rule { oracle, short, meaning, precondition, next } = oracle.help();
            assert_eq!(oracle, id);
            for text in [short, meaning, precondition, next] {
                assert!(text.ends_with('.') && !text.contains('\n'), "{id}: {text}");
            }
        }
    }
}
