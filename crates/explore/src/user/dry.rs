//! What the first user would send, without sending it.

use std::sync::Arc;

use super::given::Given;
use super::meeting::Meeting;
use super::simulated_user::User;
use super::values::About;
use partywall_core::plan::{Plan, RunPlan};
use partywall_core::protocol::{Act, Start};
use partywall_world::World;
use partywall_world::backend::{Backend, Call};

/// The requests and messages of the plan's first user up to their first run, in words, where the
/// server is at those URLs: that of requests, and that of event connections.
pub fn first_requests(
    world: &World,
    backend: &dyn Backend,
    given: Given,
    plan: &Arc<Plan>,
    urls: (&str, &str),
) -> Result<String, String> {
    let meeting = Arc::new(Meeting::new(plan, given));
    let user = User::new(world, backend, plan, 0, &meeting);
    Dry { user, urls }.all()
}

/// A user who sends nothing.
struct Dry<'u> {
    user: User,
    urls: (&'u str, &'u str),
}

impl Dry<'_> {
    fn all(mut self) -> Result<String, String> {
        let mut text = self.steps(false)?;
        let protocol = Arc::clone(&self.user.protocol);
        if let Some(events) = &protocol.events {
            let path = self.user.path(&events.path, &[], About::default())?;
            let base = if events.streamed { self.urls.0 } else { self.urls.1 };
            let url = format!("{base}{path}");
            let mut headers = self.user.headers(&[], About::default())?;
            if let Some(subprotocol) = &protocol.identity.subprotocol {
                headers.push(("sec-websocket-protocol".into(), self.user.content_of(subprotocol)?));
            }
            text.push_str(&shown("event connection", "GET", &url, &headers, ""));
        }
        text.push_str(&self.steps(true)?);
        match self.user.who().runs().next().cloned() {
            Some(run) => text.push_str(&self.start(&run)?),
            None => text.push_str("# starts no run\n"),
        }
        Ok(text)
    }

    fn steps(&mut self, each_connection: bool) -> Result<String, String> {
        let mut text = String::new();
        let protocol = Arc::clone(&self.user.protocol);
        for step in protocol.setup.iter().filter(|own| own.each_connection == each_connection) {
            let what = format!("set-up step {}", step.name);
            text.push_str(&match &step.act {
                Act::Request(request) => {
                    self.shown(&what, &self.user.fill_request(request, About::default())?)
                }
                Act::Send(content) => said(&what, &self.user.content(content, About::default())?),
            });
            for capture in &step.captures {
                let place = format!("capture.{}", capture.name);
                self.user.captures.insert(capture.name.clone(), place);
            }
        }
        Ok(text)
    }

    fn start(&self, run: &RunPlan) -> Result<String, String> {
        let about = About { run: Some(run), ..About::default() };
        let what = format!("run {}", run.run);
        Ok(match self.user.protocol.start_via(run.via) {
            Start::Message(content) => said(&what, &self.user.content(content, about)?),
            Start::Http { request, .. } => {
                self.shown(&what, &self.user.fill_request(request, about)?)
            }
        })
    }

    fn shown(&self, what: &str, call: &Call) -> String {
        let url = format!("{}{}", self.urls.0, call.path);
        shown(what, call.method.as_str(), &url, &call.headers, &call.body)
    }
}

fn shown(what: &str, method: &str, url: &str, headers: &[(String, String)], body: &str) -> String {
    let mut text = format!("# {what}\n{method} {url}\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\n"));
    }
    if !body.is_empty() {
        text.push_str(&format!("\n{body}\n"));
    }
    text + "\n"
}

fn said(what: &str, text: &str) -> String {
    format!("# {what}, on the event connection\n{text}\n\n")
}
