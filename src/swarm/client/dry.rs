//! What the first user would send, without sending it.

use std::sync::Arc;

use super::values::About;
use super::{Client, Meeting, Servers};
use crate::trial::plan::{Plan, RunPlan, Step};
use crate::trial::protocol::{Act, Protocol, Start};
use crate::world::World;

/// The requests and messages of the plan's first user up to their first run, in words. What is only
/// known from answers stands as `capture.NAME`; nothing is sent.
///
/// # Errors
///
/// A template asks for something that is not there.
pub fn first_requests(
    world: &World,
    servers: &Arc<Servers>,
    protocol: &Arc<Protocol>,
    plan: &Arc<Plan>,
) -> Result<String, String> {
    let meeting = Arc::new(Meeting::new(plan, servers, protocol));
    let mut client = Client::new(world, servers, protocol, plan, 0, &meeting);
    client.dry()
}

impl Client {
    fn dry(&mut self) -> Result<String, String> {
        let mut text = self.dry_steps(false)?;
        if let Some(events) = &self.protocol.events {
            let path = self.path(&events.path, &[], About::default())?;
            let url = match events.streamed {
                true => format!("{}{path}", self.url),
                false => self.servers.websocket.as_ref().unwrap_or(&self.url).socket_url(&path),
            };
            let mut headers = self.headers(&[], About::default())?;
            if let Some(subprotocol) = &self.protocol.identity.subprotocol {
                headers.push(("sec-websocket-protocol".into(), self.content_of(subprotocol)?));
            }
            text.push_str(&shown("event connection", "GET", &url, &headers, ""));
        }
        text.push_str(&self.dry_steps(true)?);
        let steps = self.who().steps.iter();
        let first = steps.filter_map(|step| match step {
            Step::Start(run) => Some(run),
            _ => None,
        });
        match first.into_iter().next() {
            Some(run) => text.push_str(&self.dry_start(run)?),
            None => text.push_str("# starts no run\n"),
        }
        Ok(text)
    }

    fn dry_steps(&mut self, each_connection: bool) -> Result<String, String> {
        let mut text = String::new();
        let protocol = Arc::clone(&self.protocol);
        for step in protocol.setup.iter().filter(|own| own.each_connection == each_connection) {
            let what = format!("set-up step {}", step.name);
            text.push_str(&match &step.act {
                Act::Request(request) => {
                    let filled = self.fill_request(request, About::default())?.ready;
                    shown(&what, &filled.method, &filled.url, &filled.headers, &filled.body)
                }
                Act::Send(content) => said(&what, &self.content(content, About::default())?),
            });
            for capture in &step.captures {
                let place = format!("capture.{}", capture.name);
                self.captures.insert(capture.name.clone(), place);
            }
        }
        Ok(text)
    }

    fn dry_start(&self, run: &RunPlan) -> Result<String, String> {
        let about = About { run: Some(run), cursor: None };
        let what = format!("run {}", run.run);
        Ok(match &self.protocol.start {
            Start::Message(content) => said(&what, &self.content(content, about)?),
            Start::Http { request, .. } => {
                let filled = self.fill_request(request, about)?.ready;
                shown(&what, &filled.method, &filled.url, &filled.headers, &filled.body)
            }
        })
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
