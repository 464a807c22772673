//! Drives one plan over real connections.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use partywall_core::history::{Ending, History, Note};
use partywall_core::plan::{Plan, UserPlan};
use partywall_drive::transport::Servers;
use partywall_drive::transport::Wire;
use partywall_drive::upstream::Account;
use partywall_explore::store::budget::Stop;
use partywall_explore::store::error::{CampaignError, Kind};
use partywall_explore::user::users as users_of;
use partywall_world::World;
use partywall_world::recorder::Recorder;

/// How often a round looks whether it must stop, and writes what was recorded since.
pub(crate) const STOP_INTERVAL: Duration = Duration::from_millis(50);

/// The most bytes that a round may send, and for each run: a server must not be able to fill memory
/// and disk. The reference back end sends some 20 kB for a run.
const MOST_HELD: u64 = 16 << 20;
const MOST_HELD_PER_RUN: u64 = 256 << 10;

/// The runtime that simulated users run on. One thread: the server has the other cores.
///
/// # Errors
///
/// The system refuses it.
pub fn user_runtime() -> Result<tokio::runtime::Runtime, CampaignError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CampaignError::new(Kind::Internal, format!("no runtime: {error}")))
}

/// Drives a plan once over real connections; gives the history and the first error of writing it.
pub async fn drive_plan(
    servers: &Arc<Servers>,
    plan: Plan,
    recorder: Recorder,
    stop: &Stop,
) -> (History, Option<std::io::Error>) {
    drive_watched(servers, plan, recorder, stop, STOP_INTERVAL, &mut |_| {}).await
}

/// The same; what is recorded is looked at now and then.
pub(crate) async fn drive_watched(
    servers: &Arc<Servers>,
    plan: Plan,
    recorder: Recorder,
    stop: &Stop,
    interval: Duration,
    watch: &mut dyn FnMut(&Recorder),
) -> (History, Option<std::io::Error>) {
    let plan = Arc::new(plan);
    let most = MOST_HELD + plan.runs().count() as u64 * MOST_HELD_PER_RUN;
    servers.identities.clear();
    let (secrets, told) = servers.hidden(&plan);
    let recorder = recorder.hiding(secrets);
    let world = World::live(Some(recorder.clone()));
    told.into_iter().for_each(|(user, what)| world.observe(&user, None, what));
    if let Some(users) = servers.said_alone.get().filter(|users| !users.is_empty()) {
        world.report(Note::SaidAlone { users: users.clone() });
    }
    if let Some(upstream) = &servers.upstream {
        let account = |user: &UserPlan| Account::new(&user.name, None);
        upstream.know(&plan.users.iter().map(account).collect::<Vec<_>>());
        upstream.report_to(Some(world.clone()));
    }
    let mut users = JoinSet::new();
    let backend = Wire::to(servers, &plan.protocol);
    for (_, user) in users_of(&world, &backend, servers.given(), &plan) {
        users.spawn(user);
    }
    let held = || recorder.held() + servers.unrecorded.bytes();
    let mut ending = Ending::Finished;
    let mut look = tokio::time::interval(interval);
    loop {
        tokio::select! {
            joined = users.join_next() => match joined {
                None => break,
                Some(Err(panic)) => {
                    let message = panic.to_string();
                    ending = Ending::Panicked { task: "a simulated user".into(), message };
                }
                Some(Ok(())) => {}
            },
            _ = look.tick() => {
                recorder.flush();
                if stop.reason().is_some() || servers.allowance.is_spent() {
                    ending = Ending::Stopped;
                    break;
                } else if held() <= most {
                    watch(&recorder);
                } else {
                    ending = Ending::Flooded { bytes: held() };
                    break;
                }
            }
        }
    }
    if ending == Ending::Finished && held() > most {
        // It came between two looks.
        ending = Ending::Flooded { bytes: held() };
    }
    users.shutdown().await;
    if let Some(upstream) = &servers.upstream {
        upstream.hush();
    }
    servers.earlier.remember(recorder.take_private());
    let (observations, broken) = recorder.finish();
    let plan = Arc::try_unwrap(plan).unwrap_or_else(|plan| (*plan).clone());
    (History { plan, observations, ending: Some(ending) }, broken)
}
