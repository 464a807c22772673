//! What stands for the places of a user's templates, and the requests that are made of them.

use super::credentials::{SetCookie, hide_cookies, set_cookies};
use super::simulated_user::User;
use partywall_core::ids::ThreadId;
use partywall_core::plan::{RunPlan, Twist};
use partywall_core::protocol::{Content, Request};
use partywall_core::raw::Raw;
use partywall_core::template::{Prepared, fill, in_url, plain};
use partywall_world::backend::{Call, Method};

/// Words before the canary in a prompt.
const BEFORE: &str = "Please look into ";

/// What a message or request is about.
#[derive(Clone, Copy, Default)]
pub(super) struct About<'r> {
    /// The run that it starts.
    pub(super) run: Option<&'r RunPlan>,
    /// The run whose events are asked for, and what the user has of it.
    pub(super) cursor: Option<(&'r str, u64)>,
    /// The thread, where it is about no run.
    pub(super) thread: Option<&'r ThreadId>,
}

fn json(value: &impl serde::Serialize) -> Option<String> {
    serde_json::to_string(value).ok()
}

impl User {
    pub(super) fn value(&self, name: &str, about: About<'_>) -> Option<String> {
        let index = self.who().index;
        let run = about.run;
        if let Some(name) = name.strip_prefix("env.") {
            return self.given().environment.get(name).cloned();
        }
        if let Some(name) = name.strip_prefix("capture.") {
            return self.captures.get(name).cloned();
        }
        Some(match name {
            "user" => self.name.to_string(),
            "user.secret" => self.given().user_secrets.get(&self.name)?.clone(),
            "upstream.url" => self.given().upstream.as_ref()?.url.clone(),
            "thread" => about.thread.or(run.map(|run| &run.thread))?.to_string(),
            "request_id" => run?.request_id.to_string(),
            "run" => about.cursor.map_or_else(
                || run.map(|run| run.run.to_string()),
                |(id, _)| Some(id.to_owned()),
            )?,
            "cursor" => about.cursor?.1.to_string(),
            "prompt" => run?.prompt(&self.mint, index),
            "canary" => {
                let prompt = run?.prompt(&self.mint, index);
                prompt.strip_prefix(BEFORE).unwrap_or(&prompt).to_owned()
            }
            "settings" => run?.settings(&self.mint, index),
            // These are JSON.
            "own_thread" => json(&run.filter(|run| !run.has(Twist::NoThread))?.thread)?,
            "agents" => json(&run?.agents)?,
            "approval" => json(&run.filter(|run| run.has(Twist::Approval)).map(|_| true)?)?,
            "delays" => json(&run?.delays)?,
            _ => return None,
        })
    }

    pub(super) fn content(&self, content: &Content, about: About<'_>) -> Result<String, String> {
        Prepared::new(content)?.fill(&|name: &str| self.value(name, about))
    }

    /// The path with what the identity adds to its query.
    pub(super) fn path(
        &self,
        template: &str,
        more: &[(String, String)],
        about: About<'_>,
    ) -> Result<String, String> {
        let values = |name: &str| self.value(name, about);
        let mut path = fill(template, &values, in_url)?;
        for (name, value) in self.protocol.identity.query.iter().chain(more) {
            let filled = match fill(value, &values, in_url) {
                Ok(filled) => filled,
                // As in a header: what is not captured yet cannot be shown.
                Err(_) if value.contains("capture.") => continue,
                Err(error) => return Err(error),
            };
            path.push(if path.contains('?') { '&' } else { '?' });
            path.push_str(&format!("{}={filled}", in_url(name)));
        }
        Ok(path)
    }

    /// The headers that say who the user is, and those of the request.
    pub(super) fn headers(
        &self,
        more: &[(String, String)],
        about: About<'_>,
    ) -> Result<Vec<(String, String)>, String> {
        let values = |name: &str| self.value(name, about);
        let identity = &self.protocol.identity;
        let mut headers = Vec::new();
        for (name, value) in identity.headers.iter().chain(more) {
            // What is not captured yet cannot be shown: the log-in itself has no token.
            match fill(value, &values, plain) {
                Ok(value) => headers.push((name.clone(), value)),
                Err(_) if value.contains("capture.") => {}
                Err(error) => return Err(error),
            }
        }
        let mut cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        for (name, value) in &identity.cookies {
            if let Ok(value) = fill(value, &values, plain) {
                cookies.push(format!("{name}={value}"));
            }
        }
        if !cookies.is_empty() {
            headers.push(("cookie".into(), cookies.join("; ")));
        }
        Ok(headers)
    }

    pub(super) fn fill_request(&self, request: &Request, about: About<'_>) -> Result<Call, String> {
        let path = self.path(&request.path, &[], about)?;
        let mut headers = self.headers(&request.headers, about)?;
        let names = |headers: &[(String, String)], wanted: &str| {
            headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted))
        };
        if matches!(request.content, Content::Json { .. }) && !names(&headers, "content-type") {
            headers.push(("content-type".into(), "application/json".into()));
        }
        let method = Method::named(&request.method)
            .ok_or_else(|| format!("`{}` is no HTTP method", request.method.escape_debug()))?;
        Ok(Call { method, path, headers, body: self.content(&request.content, about)? })
    }

    /// Keeps the cookies that an answer sets, and hides them before anything of it is recorded.
    pub(super) fn keep_cookies(&mut self, headers: &Raw) {
        hide_cookies(&self.world, &self.name, headers);
        self.store_cookies(headers);
    }

    /// The same of headers whose cookies are hidden already.
    pub(super) fn store_cookies(&mut self, headers: &Raw) {
        for SetCookie { name, value, gone, .. } in set_cookies(&headers.text()) {
            if gone {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
