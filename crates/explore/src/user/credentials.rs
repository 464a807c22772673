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
            world.hide(user, value, name, http_only.then_some(Whose::Session));
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
            Shown::AsSession => Some(Whose::Session),
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
    /// Under a name that says session or token.
    AsSession,
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
        let is_credential =
            |name: &str| CREDENTIALS.iter().any(|credential| name.eq_ignore_ascii_case(credential));
        let own_name = &capture.name;
        let in_headers = headers.iter().chain(of_requests).map(|(name, own)| (name, own, true));
        let elsewhere = query.iter().chain(cookies).map(|(name, own)| (name, own, false));
        let in_subprotocol = subprotocol.iter().map(|own| (own_name, own, false));
        let shown = in_headers.chain(elsewhere).chain(in_subprotocol);
        let shown = shown.filter(|(_, template, _)| shows(template));
        let ways = shown.map(|(name, _, in_header)| match () {
            () if in_header && is_credential(name) => Self::AsCredential,
            () if is_session(name) || is_session(own_name) => Self::AsSession,
            () => Self::AsIdentity,
        });
        ways.min_by_key(|way| *way as u8).unwrap_or(Self::Nowhere)
    }
}

/// Whether a name says that what it names is a session or a token: `mcp-session-id`, `accessToken`,
/// `sid`.
fn is_session(name: &str) -> bool {
    const WITHIN: [&str; 5] = ["session", "token", "secret", "credential", "apikey"];
    const WORDS: [&str; 6] = ["sid", "sessid", "jwt", "auth", "key", "ticket"];
    let name = name.to_ascii_lowercase();
    WITHIN.iter().any(|part| name.contains(part))
        || name.split(|char: char| !char.is_alphanumeric()).any(|word| WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_known_by_its_name() {
        for session in ["mcp-session-id", "accessToken", "sid", "x_auth", "JSESSIONID", "api.key"] {
            assert!(is_session(session), "{session}");
        }
        for other in ["x-user-id", "role", "residence", "monkey", "authority", "thread"] {
            assert!(!is_session(other), "{other}");
        }
    }
}
