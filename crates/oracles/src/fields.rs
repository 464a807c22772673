//! What the dialect finds in one message, and where a message keeps it.

use std::borrow::Cow;

use super::leaves::{Paths, Roles, Value};
use super::message::{Message, Text};
use partywall_core::dialect::Dialect;
use partywall_core::raw::Raw;

pub(super) const KIND: Roles = Roles(1);
pub(super) const USER: Roles = Roles(1 << 1);
/// Where the event that ends a run says why.
pub(super) const ERROR: Roles = Roles(1 << 2);
pub(super) const RUN: Roles = Roles(1 << 3);
pub(super) const SEQUENCE: Roles = Roles(1 << 4);
pub(super) const AGENT: Roles = Roles(1 << 5);
pub(super) const REQUEST: Roles = Roles(1 << 6);
pub(super) const CONNECTION: Roles = Roles(1 << 7);

/// Gives the places that the dialect names their roles.
pub(super) fn ask(paths: &mut Paths, dialect: &Dialect) {
    for (pointer, role) in [
        (dialect.kind.as_str(), KIND),
        (&dialect.user, USER),
        (&dialect.run, RUN),
        (&dialect.sequence, SEQUENCE),
        (&dialect.agent, AGENT),
        (&dialect.request, REQUEST),
        (&dialect.connection, CONNECTION),
        (&dialect.why_ended, ERROR),
    ] {
        paths.ask(pointer, role);
    }
}

/// The texts that the dialect finds in a message.
#[derive(Debug, Default)]
pub(super) struct Fields<'h> {
    pub(super) kind: Option<Cow<'h, str>>,
    pub(super) user: Option<Cow<'h, str>>,
    pub(super) request: Option<Cow<'h, str>>,
    pub(super) agent: Option<Cow<'h, str>>,
    pub(super) greeted: Option<Cow<'h, str>>,
    pub(super) error: Option<Cow<'h, str>>,
}

impl<'h> Fields<'h> {
    /// Takes in what stands at a place with those roles.
    pub(super) fn fill(&mut self, roles: Roles, value: &Value<'h>) {
        for role in roles.each() {
            let slot = match role {
                KIND => &mut self.kind,
                USER => &mut self.user,
                AGENT => &mut self.agent,
                REQUEST => &mut self.request,
                CONNECTION => &mut self.greeted,
                ERROR => &mut self.error,
                _ => continue,
            };
            *slot = Some(value.as_id());
        }
    }

    /// Leaves the texts with their message; those that do not stand in it as they are, in `made`.
    pub(super) fn keep(&mut self, message: &mut Message<'_>, raw: &Raw, made: &mut Vec<String>) {
        message.kind = place(raw, self.kind.take(), made);
        message.user = place(raw, self.user.take(), made);
        message.agent = place(raw, self.agent.take(), made);
        message.greeted = place(raw, self.greeted.take(), made);
    }
}

fn place(raw: &Raw, text: Option<Cow<'_, str>>, made: &mut Vec<String>) -> Text {
    let owned = match text {
        None => return Text::ABSENT,
        Some(Cow::Borrowed(text)) => {
            // A part of what was received, so it begins behind its beginning.
            let from = text.as_ptr().addr().wrapping_sub(raw.bytes().as_ptr().addr());
            match Text::within(from, text.len()) {
                Some(within) => return within,
                None => text.to_owned(),
            }
        }
        Some(Cow::Owned(text)) => text,
    };
    made.push(owned);
    Text::made(made.len() - 1)
}
