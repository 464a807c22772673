//! Checks of what users may see of each other.

use super::file::ScenarioFile;
use super::words::{Checked, Words};
use super::written::Written;
use super::{are_users, names};
use partywall_core::ids::UserName;
use partywall_core::protocol::Shared;

impl Words<'_> {
    /// The public places, and what some users share.
    pub(super) fn sharing(&self, file: &ScenarioFile) -> Checked<Vec<Shared>> {
        let public = file
            .events
            .public
            .iter()
            .map(|place| Ok(Shared { place: self.shared_place(place)?, users: Vec::new() }));
        let listed = names::listed(self, &file.identity)?;
        let shared = file.shared.iter().map(|table| {
            let users: Vec<UserName> = table.users.iter().map(UserName::new).collect();
            self.demand(are_users(&users), &table.users, || {
                "`users` of `[[shared]]` names at least two, each once; for all users write \
                 `public` in `[events]`"
                    .into()
            })?;
            let unknown = users.iter().find(|user| !listed.is_empty() && !listed.contains(user));
            if let Some(unknown) = unknown {
                let shown = unknown.as_str().escape_debug();
                let problem = format!("`{shown}` is none of the `users` in `[identity]`");
                return Err(self.error(&table.users, problem));
            }
            Ok(Shared { place: self.shared_place(&table.path)?, users })
        });
        public.chain(shared).collect()
    }

    /// A star at the beginning would excuse everything.
    fn shared_place(&self, place: &Written<String>) -> Checked<String> {
        let begins = place.strip_prefix('/').is_some_and(|rest| !rest.is_empty());
        self.demand(begins && !place.starts_with("/*"), place, || {
            let shown = place.escape_debug();
            format!("`{shown}` is no path or place; write one such as `/lobby/*`")
        })?;
        Ok(place.to_string())
    }
}
