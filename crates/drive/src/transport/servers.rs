//! Where the servers are that users are driven against, and what is kept of them between rounds.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::watch;

use super::tls::Trust;
use super::wire::{TargetUrl, Wire};
use crate::upstream::{Upstream, credential_of};
use partywall_core::hidden::{PrivateValue, Secrets};
use partywall_core::history::{What, Whose};
use partywall_core::ids::UserName;
use partywall_core::plan::Plan;
use partywall_core::template::names;
use partywall_explore::user::{self, Allowance, Given, Identities, Played, Unrecorded};
use partywall_world::World;

/// The servers of one target, and what their users are given besides their plan.
#[derive(Clone, Debug, Default)]
pub struct Servers {
    /// The base URLs; users are spread over them.
    pub urls: Vec<TargetUrl>,
    /// Where event connections are opened, where that is elsewhere.
    pub websocket: Option<TargetUrl>,
    /// Whose certificates are taken for the server's.
    pub trust: Trust,
    /// What stands for `{{ env.NAME }}`: secrets, told to nobody but the server.
    pub environment: BTreeMap<String, String>,
    /// What stands for `{{ user.secret }}`, by user: secrets too.
    pub user_secrets: BTreeMap<UserName, String>,
    /// The server's model and tools, where partywall plays them.
    pub upstream: Option<Arc<Upstream>>,
    /// What else the server may call a user to them: templates.
    pub accounts: Vec<String>,
    /// How much may be asked of the server.
    pub allowance: Allowance,
    /// What the server can tell the users of a round apart by.
    pub identities: Identities,
    /// What was received of answers and not recorded yet.
    pub unrecorded: Unrecorded,
    /// Whether the server is up; none where it is never restarted.
    pub up: Option<watch::Receiver<bool>>,
    /// What the server gave to single users in earlier rounds.
    pub earlier: EarlierValues,
    /// Users whose names the server says to a user who is alone, too; clones share it.
    pub said_alone: Arc<OnceLock<Vec<UserName>>>,
}

/// So many private values of earlier rounds are held against the next: the latest.
const MOST_EARLIER: usize = 2_000;

/// What one server gave to users who alone may see it, while it lives. A clone is for another server,
/// and begins with nothing.
#[derive(Debug, Default)]
pub struct EarlierValues(Mutex<VecDeque<PrivateValue>>);

impl Clone for EarlierValues {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl EarlierValues {
    /// Keeps those of a round for the next ones.
    pub fn remember(&self, values: Vec<PrivateValue>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for value in values {
            if !all.contains(&value) {
                all.push_back(value);
            }
        }
        let over = all.len().saturating_sub(MOST_EARLIER);
        all.drain(..over);
    }

    /// Tells whose they are, as far as these are users of the plan.
    fn tell(&self, plan: &Plan, secrets: &mut Secrets) -> Vec<(UserName, What)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_plan = all.iter().filter(|own| plan.user(&own.user).is_some());
        let told = of_plan.filter_map(|PrivateValue { user, value, name }| {
            Some((user.clone(), secrets.tell(user, value, name, Whose::Earlier)?))
        });
        told.collect()
    }
}

impl Servers {
    /// The server at one URL.
    pub fn at(url: TargetUrl) -> Arc<Self> {
        Arc::new(Self { urls: vec![url], ..Self::default() })
    }

    /// The server of the user in that place of a plan.
    pub(super) fn url_of(&self, place: usize) -> TargetUrl {
        let at = place.checked_rem(self.urls.len()).unwrap_or(0);
        self.urls.get(at).cloned().unwrap_or_else(|| TargetUrl::loopback(0))
    }

    /// What the users of a round are given.
    pub fn given(&self) -> Given {
        let url = self.upstream.as_ref().map(|upstream| upstream.url().to_owned());
        Given {
            environment: self.environment.clone(),
            user_secrets: self.user_secrets.clone(),
            upstream: url.map(|url| Played { url, credential_of }),
            accounts: self.accounts.clone(),
            allowance: self.allowance.clone(),
            identities: self.identities.clone(),
            unrecorded: self.unrecorded.clone(),
            up: self.up.clone(),
        }
    }

    /// What must not be written down of driving that plan, and what of it its users have: the first
    /// observations of a history.
    pub fn hidden(&self, plan: &Plan) -> (Secrets, Vec<(UserName, What)>) {
        let mut secrets = Secrets::of_trial(plan);
        self.environment.values().for_each(|secret| secrets.share(secret));
        let mut told = Vec::new();
        for (user, secret) in &self.user_secrets {
            if plan.user(user).is_none() {
                secrets.add(secret);
            } else if let Some(what) = secrets.tell(user, secret, "user.secret", Whose::Own) {
                told.push((user.clone(), what));
            }
        }
        told.extend(self.earlier.tell(plan, &mut secrets));
        (secrets, told)
    }

    /// Checks that what users of that plan show as secrets can be hidden.
    ///
    /// # Errors
    ///
    /// The first that cannot, in words.
    pub fn check_secrets(&self, plan: &Plan) -> Result<(), String> {
        let secrets = Secrets::of_trial(plan);
        let shown = serde_json::to_string(&plan.protocol).unwrap_or_default();
        let asked: BTreeSet<&str> = names(&shown).into_iter().flatten().collect();
        let environment = self.environment.iter().map(|(name, value)| {
            (format!("env.{name}"), format!("what stands for `{{{{ env.{name} }}}}`"), value)
        });
        let of_users = self.user_secrets.iter().map(|(user, value)| {
            let place = format!("the secret of user `{}`", user.as_str().escape_debug());
            ("user.secret".to_owned(), place, value)
        });
        for (name, place, value) in environment.chain(of_users) {
            if let (true, Some(why)) = (asked.contains(name.as_str()), secrets.unfit(value)) {
                return Err(format!(
                    "{place} {why}; it could not be kept out of reports: give a longer one that \
                     stands nowhere else, or write it into the scenario if it is no secret"
                ));
            }
        }
        Ok(())
    }

    /// What must not be written down.
    pub fn secrets(&self) -> Vec<String> {
        self.environment.values().chain(self.user_secrets.values()).cloned().collect()
    }
}

/// The requests and messages of the plan's first user up to their first run, in words. What is only
/// known from answers stands as `capture.NAME`; nothing is sent.
///
/// # Errors
///
/// A template asks for something that is not there.
pub fn first_requests(
    world: &World,
    servers: &Arc<Servers>,
    plan: &Arc<Plan>,
) -> Result<String, String> {
    let url = servers.url_of(0);
    let sockets = servers.websocket.as_ref().unwrap_or(&url).socket_url("");
    let backend = Wire::to(servers, &plan.protocol);
    user::first_requests(world, &backend, servers.given(), plan, (&url.to_string(), &sockets))
}
