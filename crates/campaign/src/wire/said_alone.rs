//! Names that a server says to a user who is alone, too: a user may be called `teacher` where every
//! page says that word.

use tokio::runtime::Runtime;

use crate::wire::rounds::Rounds;
use partywall_core::dialect::Dialect;
use partywall_core::history::{History, Note, Observation, What};
use partywall_core::ids::UserName;
use partywall_drive::scenario::Workload;
use partywall_explore::store::error::CampaignError;
use partywall_oracles::{Case, names_said, names_shown};

/// How many runs the user who is alone starts. A word of the server's own comes with each; what a store
/// kept of the user before is the user's own from the second on.
const RUNS: u16 = 3;

impl Rounds<'_> {
    /// The users whose names others are shown in that round although a user who is alone on a process
    /// that knows nobody else is told them too. None where nobody is shown any, or partywall cannot
    /// start the server anew.
    ///
    /// # Errors
    ///
    /// The server cannot be started anew, or the drive cannot be written down.
    pub(super) fn said_alone(
        &mut self,
        runtime: &Runtime,
        workload: &Workload,
        history: &History,
    ) -> Result<Option<Vec<UserName>>, CampaignError> {
        let shown = names_shown(&Case::new(history, &Dialect::of(&history.plan)));
        let Some(launched) = self.launched.filter(|own| own.has_command() && !shown.is_empty())
        else {
            return Ok(None);
        };
        let mut said = Vec::new();
        let mut open: Vec<UserName> = shown.into_keys().collect();
        // Whoever is alone is told their own name, so that one takes another user.
        for place in 1..=2 {
            let mut users = history.plan.users.iter().map(|user| &user.name);
            let alone = users.clone().find(|user| !open.contains(user)).or_else(|| users.next());
            let Some(alone) = alone.filter(|_| !open.is_empty()) else { break };
            let mut workload = workload.clone();
            if let Some(work) = &mut workload.server {
                work.names = vec![alone.clone()];
            }
            self.servers = launched.afresh()?;
            let plan = self.keys.plant(workload.alone(self.seed, RUNS));
            let relative = format!("histories/{}-name-{place}.jsonl", self.home());
            let driven = self.round(runtime, &relative, plan, u64::MAX, &mut |_| {});
            if let Some((_, error)) = driven.errors.into_iter().next() {
                return Err(error);
            }
            let (own, others): (Vec<_>, Vec<_>) = open.into_iter().partition(|user| user == alone);
            let heard = driven
                .history
                .map_or_else(Vec::new, |history| names_said(&history, &others, RUNS.into()));
            said.extend(heard);
            open = own;
        }
        Ok(Some(said))
    }
}

/// Adds to the end of the history that these names are said to a user who is alone, too.
pub(super) fn tell(history: &mut History, users: Vec<UserName>) {
    let n = history.observations.len() as u64;
    let at = history.observations.last().map_or(0, |last| last.at);
    let what = What::Backend { note: Note::SaidAlone { users }.into() };
    history.observations.push(Observation { n, at, by: None, on: None, what });
}
