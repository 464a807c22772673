//! A second judge for the canary oracle, slow and simple: every canary that the plan can have
//! minted is looked up in everything that came in, as plain text.

use std::collections::{BTreeMap, BTreeSet};

use crate::trial::canary::{CANARY_LEN, Field, Mint, Owner};
use crate::trial::control::phantom_owner;
use crate::trial::finding::{Finding, FindingKind, OracleId};
use crate::trial::history::{History, What};
use crate::trial::ids::UserName;
use crate::trial::plan::{UserPlan, Via};
use crate::trial::raw::Raw;

/// What every canary begins with, as the back end echoes it.
const MAGIC: &str = "pw10";

/// What the canary oracle is to find, exactly.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    crossings: BTreeSet<Crossing>,
    /// The kinds of run through which the phantom's canary came back.
    path_hits: BTreeSet<Via>,
    /// Canaries of real users, counted once for each observation.
    items: u64,
}

/// Whose run, seen by whom, what of it, and where: all of a finding but its evidence.
type Crossing = (UserName, u16, UserName, String, String);

impl Expected {
    /// What plain search finds in the history.
    pub(super) fn in_history(history: &History) -> Self {
        let minted = all_minted(history);
        let mut expected = Self::default();
        for observation in &history.observations {
            let Some(observer) = &observation.by else { continue };
            let parts = [observation.what.headers(), observation.what.inbound()];
            let texts = parts.map(|part| part.map(Raw::text).unwrap_or_default());
            let found: BTreeSet<&str> = texts.iter().flat_map(|text| canaries(text)).collect();
            for whose in found.into_iter().filter_map(|canary| minted.get(canary)) {
                expected.add(whose, observer, &observation.what);
            }
        }
        expected
    }

    fn add(&mut self, whose: &Whose<'_>, observer: &UserName, what: &What) {
        match *whose {
            Whose::Phantom(via) => {
                self.path_hits.insert(via);
            }
            Whose::User { user, run, via, field } => {
                self.items += 1;
                if user.name == *observer {
                    return;
                }
                let operation = format!("{field} of {}", via.run_kind());
                let channel = match what {
                    What::Answer { .. } | What::Refused { .. } => "http answer",
                    _ => "websocket",
                };
                let (user, observer) = (user.name.clone(), observer.clone());
                self.crossings.insert((user, run, observer, operation, channel.into()));
            }
        }
    }

    /// What the oracle found, in the same form.
    pub(super) fn of_oracle(findings: &[Finding], path_hits: &[Via], items: u64) -> Self {
        let crossing = |finding: &Finding| {
            assert_eq!(finding.kind, FindingKind::Crossing, "the canary oracle knows no other");
            (
                finding.victim.clone(),
                finding.victim_run.expect("a canary names its run"),
                finding.observer.clone(),
                finding.victim_operation.clone(),
                finding.observer_operation.clone(),
            )
        };
        let by_canary = findings.iter().filter(|finding| finding.oracle == OracleId::Canary);
        Self {
            crossings: by_canary.map(crossing).collect(),
            path_hits: path_hits.iter().copied().collect(),
            items,
        }
    }

    /// Whether anybody saw somebody else's.
    pub(super) fn leaked(&self) -> bool {
        !self.crossings.is_empty()
    }
}

/// Everything in the text that begins as a canary does and is as long.
fn canaries(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(MAGIC).filter_map(|(at, _)| text.get(at..at + CANARY_LEN))
}

/// Whose canary it is.
enum Whose<'p> {
    User { user: &'p UserPlan, run: u16, via: Via, field: Field },
    Phantom(Via),
}

fn all_minted(history: &History) -> BTreeMap<String, Whose<'_>> {
    let mint = Mint::new(history.plan.campaign);
    let mut minted = BTreeMap::new();
    for (user, run) in history.plan.runs() {
        for field in Field::ALL {
            let canary = mint.mint(Owner { user: user.index, run: run.run, field });
            minted.insert(canary, Whose::User { user, run: run.run, via: run.via, field });
        }
    }
    for via in [Via::Socket, Via::Http] {
        minted.insert(mint.mint(phantom_owner(via)), Whose::Phantom(via));
    }
    assert!(minted.keys().all(|canary| canary.starts_with(MAGIC)));
    minted
}
