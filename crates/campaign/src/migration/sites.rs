//! The call sites of somebody's own system: as the states name them, as the audit found them, and
//! what is known of each after all states were driven.

use super::evidence::Watched;
use super::follows::Known;
use partywall_core::audit::{AuditRecord, Use};
use partywall_core::migration::{Exercise, SiteRow, StateRow, StateVerdict};
use partywall_drive::scenario::{MigrationEvidence, MigrationState, SitePlaces};
use partywall_explore::store::error::CampaignError;

/// The call sites that the states name, in the order in which they do, then those that only the
/// audit has.
pub(super) struct Sites {
    all: Vec<Site>,
    /// So many of them are named by states.
    listed: usize,
}

struct Site {
    name: String,
    uses: Vec<Use>,
}

impl Sites {
    /// # Errors
    ///
    /// None of the call sites of the states is in the audit.
    pub(super) fn new(
        states: &[MigrationState],
        audit: Option<&AuditRecord>,
    ) -> Result<Self, CampaignError> {
        let remaining: Vec<&Use> = audit.into_iter().flat_map(AuditRecord::remaining).collect();
        let mut all: Vec<Site> = Vec::new();
        for name in states.iter().flat_map(|state| &state.legacy) {
            if all.iter().all(|site| site.name != *name) {
                let uses = remaining.iter().filter(|found| is_named(found, name));
                let uses = uses.map(|found| (*found).clone()).collect();
                all.push(Site { name: name.clone(), uses });
            }
        }
        let listed = all.len();
        let named = |found: &Use| all.iter().any(|site| is_named(found, &site.name));
        let (known, unnamed): (Vec<&Use>, Vec<&Use>) =
            remaining.iter().copied().partition(|found| named(found));
        if let (true, Some(first), false) = (known.is_empty(), unnamed.first(), all.is_empty()) {
            let (line, function) = (place(first), by_function(first));
            return Err(CampaignError::usage(format!(
                "no state names a call site that the audit has; one of the audit's is `{}`{}",
                line.escape_debug(),
                function.map_or_else(String::new, |name| format!(", or `{}`", name.escape_debug()))
            )));
        }
        let of = |found: &Use| Site { name: place(found), uses: vec![found.clone()] };
        all.extend(unnamed.into_iter().map(of));
        Ok(Self { all, listed })
    }

    /// The call sites that the states name.
    pub(super) fn listed(&self) -> Vec<String> {
        self.all[..self.listed].iter().map(|site| site.name.clone()).collect()
    }

    /// What is known of each without driving anything.
    pub(super) fn places(&self) -> Vec<Vec<SitePlaces>> {
        let of = |site: &Site| {
            let named = SitePlaces::of(&site.name);
            let mut places: Vec<SitePlaces> = site
                .uses
                .iter()
                .map(|found| SitePlaces {
                    site: site.name.clone(),
                    path: Some(found.place.path.clone()),
                    line: Some(found.place.line.to_string()),
                    function: found.function.clone().or_else(|| named.function.clone()),
                })
                .collect();
            if places.is_empty() {
                places.push(named);
            }
            places
        };
        self.all.iter().map(of).collect()
    }

    /// The rows of the report. `seen` gives, for a site, what each state that was driven told.
    pub(super) fn rows(
        &self,
        known: &Known<'_>,
        watched: &Watched,
        seen: &dyn Fn(usize) -> Vec<(Exercise, String)>,
    ) -> Vec<SiteRow> {
        let row = |(at, site): (usize, &Site)| {
            let is_listed = at < self.listed;
            let (exercised, shown_by) = match known.contrast(at).filter(|_| is_listed) {
                Some((leaking, quiet)) => {
                    (Exercise::Exercised, contrast(leaking, quiet, &seen(at)))
                }
                None => told(&seen(at), watched),
            };
            SiteRow {
                site: site.name.clone(),
                audited: site.uses.iter().map(place).collect(),
                exercised,
                shown_by,
                alone: if is_listed { known.alone(at) } else { None },
            }
        };
        self.all.iter().enumerate().map(row).collect()
    }
}

/// Whether that name is of that use: `path:line`, `path:function` or the path alone.
fn is_named(found: &Use, name: &str) -> bool {
    let rest = name.strip_prefix(found.place.path.as_str());
    rest.is_some_and(|rest| match rest.strip_prefix(':') {
        None => rest.is_empty(),
        Some(rest) => {
            rest == found.place.line.to_string() || found.function.as_deref() == Some(rest)
        }
    })
}

fn place(found: &Use) -> String {
    format!("{}:{}", found.place.path, found.place.line)
}

fn by_function(found: &Use) -> Option<String> {
    found.function.as_ref().map(|function| format!("{}:{function}", found.place.path))
}

fn name(row: &StateRow) -> &str {
    row.name.as_deref().unwrap_or_default()
}

/// Two states that differ in one site only, of which one leaks: it ran there.
fn contrast(leaking: &StateRow, quiet: &StateRow, seen: &[(Exercise, String)]) -> String {
    let mut text = format!(
        "state {} leaks, and {}, which differs in it only, does not",
        name(leaking),
        name(quiet)
    );
    let missed = seen.iter().any(|(told, _)| *told == Exercise::NotExercised);
    let told = seen.iter().any(|(told, _)| *told == Exercise::Exercised);
    if missed && !told {
        text.push_str("; what the server tells of itself misses it");
    }
    text
}

/// What the servers told of a site: the strongest of it, with the first state that told it.
fn told(seen: &[(Exercise, String)], watched: &Watched) -> (Exercise, String) {
    let strongest = seen.iter().map(|(told, _)| *told).max().unwrap_or(Exercise::Unknown);
    let first = seen.iter().find(|(told, _)| *told == strongest);
    let state = first.map_or("", |(_, state)| state.as_str());
    let text = match strongest {
        Exercise::Exercised => format!("the server told so while {state} was driven"),
        Exercise::BeforeOnly => format!("the server told so in {state}, before anybody used it"),
        Exercise::NotExercised => "what tells of other call sites never told of it".into(),
        Exercise::Unknown if !watched.asks_for_sites() => {
            "the scenario names nothing that would tell".into()
        }
        Exercise::Unknown => {
            "what should tell told of no call site at all, or could not be asked".into()
        }
    };
    (strongest, text)
}

/// What the listed states do not determine, a sentence each.
pub(super) fn undetermined(
    known: &Known<'_>,
    sites: &[SiteRow],
    states: &[StateRow],
    evidence: &MigrationEvidence,
    works: bool,
) -> Vec<String> {
    let mut lines = Vec::new();
    let list = |rows: &mut dyn Iterator<Item = &SiteRow>| {
        rows.map(|row| row.site.as_str()).collect::<Vec<_>>().join(", ")
    };
    let named = known.site_count();
    let alone = list(
        &mut sites[..named]
            .iter()
            .filter(|row| row.alone.is_none_or(|verdict| verdict == StateVerdict::Inconclusive)),
    );
    if !alone.is_empty() {
        lines.push(format!(
            "whether these leak alone: {alone}; list states in which only one of them is legacy, \
             and that can be judged"
        ));
    }
    match known.end().map(|row| row.verdict) {
        None => lines.push(
            "what is left where all call sites are migrated: no such state is listed, so that no \
             leak is shown to come from a call site"
                .into(),
        ),
        Some(StateVerdict::Inconclusive) => lines.push(
            "whether the state with all call sites migrated is clean: it is inconclusive, so that \
             no leak is shown to come from a call site"
                .into(),
        ),
        Some(_) => {}
    }
    for (set, open) in known.may_be_smaller() {
        lines.push(format!(
            "whether fewer than {} would do: nothing shows the state in which {} would stay legacy",
            set.join(", "),
            open.join(" or ")
        ));
    }
    let together = known.conclude().order.into_iter().filter(|step| step.migrate.len() > 1);
    for step in together {
        let sites = step.migrate.join(", ");
        lines.push(format!("in which order to migrate {sites}: no state between is listed"));
    }
    let unlisted = list(&mut sites[named..].iter());
    if !unlisted.is_empty() {
        lines.push(format!(
            "anything about these, which the audit has and no state names: {unlisted}"
        ));
    }
    lines.extend(what_nothing_tells(states, evidence, works));
    lines
}

/// What would have to be told by the servers, and is not.
fn what_nothing_tells(
    states: &[StateRow],
    evidence: &MigrationEvidence,
    works: bool,
) -> Vec<String> {
    let mut lines = Vec::new();
    if evidence.exercised.is_none() {
        lines.push(
            "whether call sites that do not leak were exercised: give `exercised` in `[migration]`"
                .into(),
        );
    } else if !works {
        lines.push(
            "whether `exercised` in `[migration]` tells anything: it told of no call site in any \
             state"
                .into(),
        );
    }
    let doubtful = states.iter().filter(|row| {
        let is_open = row.legacy.iter().any(|own| own.exercised == Exercise::Unknown);
        row.verdict == StateVerdict::Clean && is_open
    });
    let doubtful: Vec<&str> = doubtful.map(name).collect();
    if !doubtful.is_empty() {
        lines.push(format!(
            "whether these are clean because nothing crosses, or because what is legacy in them \
             never ran: {}",
            doubtful.join(", ")
        ));
    }
    if states.iter().any(|row| row.contaminated.is_none()) {
        lines.push(
            "whether agents are built with another user's settings where nothing crosses: give \
             `contaminated` in `[migration]`"
                .into(),
        );
    }
    lines
}
