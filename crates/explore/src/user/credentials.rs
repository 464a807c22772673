//! What the server gives a user to prove who they are by: it is taken out of all that is recorded,
//! the answer that brings it included.

use partywall_core::history::Whose;
use partywall_core::ids::UserName;
use partywall_core::protocol::{Act, Capture, Identity, Protocol, Request, Start};
use partywall_core::raw::Raw;
use partywall_core::template::names;
use partywall_world::World;

/// A shorter cookie is a choice of words or colours more often than a session.
const SHORTEST_COOKIE: usize = 16;

/// Headers that carry a credential and nothing else.
const CREDENTIALS: [&str; 4] = ["authorization", "proxy-authorization", "api-key", "x-api-key"];

/// A cookie that an answer sets.
#[derive(Debug)]
pub(super) struct SetCookie<'h> {
    pub(super) name: &'h str,
    pub(super) value: &'h str,
    /// Whether it is taken away instead.
    pub(super) gone: bool,
    /// Whether it is kept from scripts, as sessions are.
    http_only: bool,
}

/// The cookies that header lines set.
pub(super) fn set_cookies(headers: &str) -> impl Iterator<Item = SetCookie<'_>> {
    headers.lines().filter_map(|line| {
        let (cookie, attributes) = line
            .strip_prefix("set-cookie: ")
            .map(|all| all.split_once(';').unwrap_or((all, "")))?;
        let (name, value) = cookie.split_once('=')?;
        let is = |wanted| attributes.split(';').any(|one| one.trim().eq_ignore_ascii_case(wanted));
        let (gone, http_only) = (is("max-age=0"), is("httponly"));
        Some(SetCookie { name: name.trim(), value: value.trim(), gone, http_only })
    })
}

/// Hides the cookies that are set there. Of those that scripts may read nobody can know whether they
/// are secrets, and by them nobody is judged.
pub(super) fn hide_cookies(world: &World, user: &UserName, headers: &Raw) {
    for SetCookie { name, value, http_only, .. } in set_cookies(&headers.text()) {
        if value.len() >= SHORTEST_COOKIE {
            world.hide(user, value, name, http_only.then_some(Whose::Cookie));
        }
    }
}

/// Hides what is captured there, as far as it is secret.
pub(super) fn hide_captures(
    world: &World,
    user: &UserName,
    protocol: &Protocol,
    captures: &[Capture],
    (headers, body): (&str, &str),
) {
    for capture in captures {
        let shown = Shown::of(protocol, capture);
        let whose = match shown {
            _ if capture.private => Some(Whose::Private),
            Shown::AsCredential => Some(Whose::Captured),
            Shown::AsIdentity => None,
            Shown::Nowhere => continue,
        };
        if let Some(value) = capture.from.value(headers, body) {
            world.hide(user, &value, &capture.name, whose);
        }
    }
}

/// How a user shows what was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// In a header for credentials.
    AsCredential,
    /// Where they say who they are: that may be an id which others know.
    AsIdentity,
    Nowhere,
}

impl Shown {
    fn of(protocol: &Protocol, capture: &Capture) -> Self {
        let wanted = format!("capture.{}", capture.name);
        let shows =
            |template: &String| names(template).is_ok_and(|names| names.contains(&wanted.as_str()));
        let requests = protocol.setup.iter().filter_map(|step| match &step.act {
            Act::Request(request) => Some(request),
            Act::Send(_) => None,
        });
        let start = match &protocol.start {
            Start::Http { request, .. } => Some(request),
            Start::Message(_) => None,
        };
        let of_requests = requests.chain(start).flat_map(|Request { headers, .. }| headers);
        let Identity { headers, query, cookies, subprotocol } = &protocol.identity;
        let is_credential = |name: &String| {
            CREDENTIALS.iter().any(|credential| name.eq_ignore_ascii_case(credential))
        };
        let mut in_credentials =
            headers.iter().chain(of_requests).filter(|(name, _)| is_credential(name));
        if in_credentials.any(|(_, template)| shows(template)) {
            return Self::AsCredential;
        }
        let pairs = [headers, query, cookies].into_iter().flatten();
        match pairs.map(|(_, template)| template).chain(subprotocol).any(shows) {
            true => Self::AsIdentity,
            false => Self::Nowhere,
        }
    }
}
