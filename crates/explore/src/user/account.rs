//! By what the server, and the upstream behind it, can tell users apart. The upstream's log is judged by
//! the credentials that are a user's own.

use super::simulated_user::User;
use super::values::About;
use partywall_core::history::What;
use partywall_core::plan::RunPlan;
use partywall_core::template::{fill, names, plain};

/// A shorter credential could be anybody's.
const SHORTEST: usize = 6;

impl User {
    /// Tells what the user shows from here on, as digests; nothing where nobody could meet it.
    pub(super) fn tell_account(&mut self) {
        let Some(credential_of) = self.given().upstream.as_ref().map(|played| played.credential_of)
        else {
            return;
        };
        let identity = &self.protocol.identity;
        let pairs = [&identity.headers, &identity.query, &identity.cookies].into_iter().flatten();
        let shown = pairs.map(|(_, template)| template).chain(&identity.subprotocol);
        let values = |name: &str| self.value(name, About::default());
        let own = |template: &&String| is_own(template);
        let filled = |template: &String| fill(template, &values, plain).ok();
        let mut all: Vec<String> = shown.filter(own).filter_map(filled).collect();
        all.extend(self.cookies.values().cloned());
        all.retain(|credential| credential.len() >= SHORTEST);
        // These the scenario calls the user's own, however short.
        all.extend(self.given().accounts.iter().filter_map(filled));
        for credential in all.iter().map(|credential| credential_of(credential)) {
            if self.accounts.insert(credential.clone()) {
                self.observe(None, What::Account { credential });
            }
        }
    }

    /// Notes by what the server can tell the user apart who asks for that run.
    pub(super) fn note_identity(&self, run: &RunPlan) {
        if self.world.is_simulated() {
            return;
        }
        let about = About { run: Some(run), ..About::default() };
        let names = self.meeting.names_shown.iter();
        let values = names.map(|name| self.value(name, about).unwrap_or_default());
        let cookies = self.cookies.iter().flat_map(|(name, value)| [name.clone(), value.clone()]);
        self.given().identities.note(&self.name, values.chain(cookies).collect());
    }
}

/// Whether a template has something of the user in it: what is the same for all tells nobody apart.
fn is_own(template: &str) -> bool {
    let own = |name: &&str| name.starts_with("user") || name.starts_with("capture.");
    names(template).is_ok_and(|names| names.iter().any(own))
}
