//! Makes a repro small: fewer users, fewer steps, fewer deviations, the same fingerprint.
//!
//! For each smaller plan the old deviations are tried first (those that no longer fit are skipped),
//! then every schedule with at most one deviation, then a number of seeded walks. What still shows
//! the finding is recorded anew, so the result replays strictly. At last the cheapest schedule is
//! searched for exhaustively.

mod search;
mod smaller_plans;

use std::cell::RefCell;

use crate::exploration::alone::Alone;
use crate::exploration::parameters::inside_runtime;
use crate::exploration::subject::Subject;
use crate::store::budget::Stop;
use crate::store::error::CampaignError;
use crate::store::repro::Repro;
use partywall_core::canary::Scanner;
use partywall_core::finding::{Fingerprint, OracleId};
use partywall_core::plan::Plan;
use partywall_core::record::LevelName;
use partywall_core::schedule::Schedule;
use partywall_world::simulated::InsideRuntime;
use search::{Search, weight};

pub use search::Shrunk;
pub use smaller_plans::{all_approved, concerns, only_waits, smaller_plans};

/// Shrinks plan and schedule as long as the back end still shows the fingerprint. None if they do
/// not show it to begin with.
pub fn shrink(
    plan: &Plan,
    schedule: &Schedule,
    subject: &dyn Subject,
    (oracle, fingerprint): (OracleId, &Fingerprint),
    stop: &dyn Fn() -> bool,
) -> Result<Option<Shrunk>, InsideRuntime> {
    let scanner = Scanner::new(plan.campaign);
    let alone = RefCell::new(Alone::new(plan, subject, stop));
    let search = Search { subject, oracle, fingerprint, stop, scanner, alone };
    let Some(mut best) = search.replay(plan, schedule)? else { return Ok(None) };
    loop {
        let size = weight(&best);
        best = search.fewer_deviations(best)?;
        best = search.smaller_plan(best)?;
        best = search.runs_over_http(best)?;
        if weight(&best) == size || stop() {
            break;
        }
    }
    Ok(Some(search.cheapest(best)?))
}

/// Makes the repro of an explored trial as small as it goes. None if the back end does not show its
/// finding any more.
///
/// # Errors
///
/// It is of the wire, or the simulated world cannot run here.
pub fn shrink_repro(
    repro: &Repro,
    subject: &dyn Subject,
    stop: &Stop,
) -> Result<Option<Repro>, CampaignError> {
    if repro.level != LevelName::Explore {
        return Err(CampaignError::usage("only repros of explored trials can be shrunk"));
    }
    let schedule = repro.schedule()?;
    let stopped = || stop.reason().is_some();
    let sought = (repro.oracle, &repro.fingerprint);
    let shrunk = shrink(&repro.plan, &schedule, subject, sought, &stopped);
    Ok(shrunk.map_err(inside_runtime)?.map(|small| small.into_repro(subject)))
}
