//! One round on the wire, in which a process of the server may be restarted.

use std::time::Duration;

use crate::wire::drive::STOP_INTERVAL;
use crate::wire::rounds::Rounds;
use partywall_core::history::{History, Note, What};
use partywall_core::ids::UserName;
use partywall_core::plan::Plan;
use partywall_core::verdict::ReasonCode;
use partywall_explore::store::error::CampaignError;
use partywall_world::recorder::Recorder;

/// How often it is looked whether a process is due to be restarted: the round must not be over
/// before.
const RESTART_INTERVAL: Duration = Duration::from_millis(2);

/// What one round came to.
pub(crate) struct Round {
    /// None where nothing of it could be written down, so that it was not driven.
    pub(crate) history: Option<History>,
    /// What went wrong around it, after which there is no further round.
    pub(crate) errors: Vec<(ReasonCode, CampaignError)>,
}

impl Rounds<'_> {
    /// Drives one round; in some of them a process is restarted when half of the runs were started.
    pub(crate) fn round(
        &self,
        runtime: &tokio::runtime::Runtime,
        relative: &str,
        plan: Plan,
        round: u64,
        look: &mut dyn FnMut(&Recorder),
    ) -> Round {
        let restarts = self.launched.filter(|own| own.restarts_in(round));
        let half = plan.runs().count().div_ceil(2);
        // Users are spread over the processes in their order.
        let names: Vec<UserName> = plan.users.iter().map(|user| user.name.clone()).collect();
        let (mut looked, mut started) = (0, 0);
        std::thread::scope(|scope| {
            let mut restart = None;
            let mut look = |recorder: &Recorder| {
                look(recorder);
                let Some(launched) = restarts.filter(|_| restart.is_none()) else { return };
                looked = recorder.look(looked, |seen| {
                    started += usize::from(matches!(seen.what, What::Start { .. }));
                });
                if started >= half {
                    let (recorder, names) = (recorder.clone(), names.clone());
                    restart = Some(scope.spawn(move || {
                        launched.restart_one(round, |which, of| {
                            tell_of_restart(&recorder, names.into_iter().skip(which).step_by(of));
                        })
                    }));
                }
            };
            let interval = if restarts.is_some() { RESTART_INTERVAL } else { STOP_INTERVAL };
            let recorded = runtime.block_on(self.record(relative, plan, interval, &mut look));
            let (history, broken) = match recorded {
                Ok((history, broken)) => (Some(history), broken),
                Err(error) => (None, Some(error)),
            };
            let mut errors: Vec<_> =
                broken.map(|error| (ReasonCode::HistoryCut, error)).into_iter().collect();
            // A panic of that thread is this one's too.
            let restarted = restart.map(|going| going.join().expect("restarting does not panic"));
            // Who asks for the end does not wait for a server to be ready.
            if let (Some(Err(error)), None) = (restarted, self.stop.reason()) {
                errors.push((error.reason_code(), error));
            }
            Round { history, errors }
        })
    }
}

/// Notes that the process of these users has ended: what it gave ids to, the next one does not know.
fn tell_of_restart(recorder: &Recorder, users: impl Iterator<Item = UserName>) {
    let mut now = 0;
    recorder.look(recorder.len().saturating_sub(1), |last| now = last.at);
    let note = Note::Restarted { users: users.collect() };
    recorder.record(now, None, None, What::Backend { note: note.into() });
}
