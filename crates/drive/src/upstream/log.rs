//! Who asked for what: the stub's own log, in the order of arrival.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderMap, header};
use hmac_sha256::Hash;
use serde::Serialize;

use partywall_core::history::Note;
use partywall_core::ids::{RunId, UserName};
use partywall_core::raw::to_hex;

/// The most bytes of text that are kept; what comes later is counted only.
const MOST_KEPT: usize = 64 << 20;

/// So much is kept of what a caller says of itself, in characters.
const LONGEST_NAME: usize = 256;

/// Headers in which credentials come, besides cookies.
const CREDENTIALS: [&str; 3] = ["authorization", "api-key", "x-api-key"];

/// Headers in which callers say for whom they ask.
const IDENTITIES: [&str; 4] = ["x-user-id", "x-user", "x-forwarded-user", "x-end-user-id"];

/// Headers in which callers say for which run they ask.
const RUNS: [&str; 2] = ["x-run-id", "x-request-id"];

/// A simulated user, as the upstream may meet them.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Account {
    /// The user's name in the plan.
    pub user: String,
    /// The credentials that only this user has: API keys, bearer tokens, cookies. Only their
    /// digests are kept.
    pub secrets: Vec<String>,
    /// What the target may call the user, besides the name: ids that it gave out.
    pub aliases: Vec<String>,
}

impl Account {
    /// An account of that user, known by that credential if there is one.
    pub fn new(user: &UserName, secret: Option<&str>) -> Self {
        let secrets = secret.map(str::to_owned).into_iter().collect();
        Self { user: user.to_string(), secrets, aliases: Vec::new() }
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Account({:?}, {} secrets)", self.user, self.secrets.len())
    }
}

/// What was asked: a model or a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// The OpenAI-compatible endpoint.
    Model,
    /// The echo.
    Tool,
}

/// One call, as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Call {
    /// Its number, from 0, in the order of arrival.
    pub n: u64,
    /// What was asked.
    pub service: Service,
    /// The simulated users under whose account it came: of credentials first, then of what the
    /// caller says of itself. More than one is a contradiction.
    pub accounts: Vec<UserName>,
    /// The credentials as digests (`sha256:` and twelve digits), with the user's name where known.
    pub credentials: Vec<String>,
    /// What the caller says for whom it asks; the target's text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<String>,
    /// For which run, as the caller says; empty for not said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub run: String,
    /// The request's body: the target's text.
    pub text: String,
}

impl Call {
    /// What the log says of the call, as a history has it: a line for each account that it came
    /// under, and one for each credential and name that is nobody's as far as is known yet: the
    /// history says whose it is where a user turns out to have it.
    pub fn notes(&self) -> impl Iterator<Item = Note> + '_ {
        let digests = self.credentials.iter().filter(|digest| !digest.contains(" of "));
        let unknown = digests.map(|digest| UserName::new(format!("credential {digest}")));
        let names = self.identities.iter();
        let names = names.filter(|name| !self.accounts.iter().any(|own| own.as_str() == *name));
        let mut all: Vec<UserName> = self.accounts.iter().cloned().chain(unknown).collect();
        all.extend(names.map(|name| credential_of(name)));
        if all.is_empty() {
            all.push(UserName::new("no credential"));
        }
        all.into_iter().map(|credential| Note::Upstream {
            service: match self.service {
                Service::Model => "model".into(),
                Service::Tool => "tool".into(),
            },
            credential,
            run: RunId::new(&self.run),
            text: self.text.clone(),
        })
    }
}

/// The calls that were kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Log {
    /// In the order of arrival.
    pub calls: Vec<Call>,
    /// How many more came that there was no room for; a verdict without them is not of all calls.
    pub lost: u64,
}

pub(super) type Listener = Box<dyn FnMut(&Call) + Send>;

/// The log while it is written.
#[derive(Default)]
pub(super) struct Journal(Mutex<Pages>);

#[derive(Default)]
struct Pages {
    next: u64,
    kept: Log,
    bytes: usize,
    /// Users by the digests of their credentials.
    by_secret: BTreeMap<String, UserName>,
    by_name: BTreeMap<String, UserName>,
    listener: Option<Listener>,
}

/// What a body says of who asks.
#[derive(Clone, Debug, Default)]
pub(super) struct Says {
    pub(super) identities: Vec<String>,
    pub(super) run: Option<String>,
}

impl Journal {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn know(&self, accounts: &[Account]) {
        let mut pages = self.pages();
        (pages.by_secret, pages.by_name) = Default::default();
        for Account { user, secrets, aliases } in accounts {
            let name = UserName::new(user);
            for secret in secrets {
                pages.by_secret.insert(digest(bare(secret)), name.clone());
            }
            for alias in std::iter::once(user).chain(aliases) {
                pages.by_name.insert(alias.clone(), name.clone());
            }
        }
    }

    pub(super) fn listen(&self, listener: Option<Listener>) {
        self.pages().listener = listener;
    }

    pub(super) fn take(&self) -> Log {
        let mut pages = self.pages();
        pages.bytes = 0;
        std::mem::take(&mut pages.kept)
    }

    /// Writes a call down; gives its number.
    pub(super) fn write(
        &self,
        service: Service,
        headers: &HeaderMap,
        says: Says,
        text: String,
    ) -> u64 {
        let mut pages = self.pages();
        let n = pages.next;
        pages.next += 1;
        let digests: Vec<String> = credentials(headers).map(|secret| digest(&secret)).collect();
        let mut identities: Vec<String> = values(headers, &IDENTITIES).collect();
        identities.extend(says.identities);
        for identity in &mut identities {
            *identity = identity.chars().take(LONGEST_NAME).collect();
        }
        let by_secret = digests.iter().filter_map(|digest| pages.by_secret.get(digest));
        let by_name = identities.iter().filter_map(|name| pages.by_name.get(name));
        let mut accounts: Vec<UserName> = Vec::new();
        for user in by_secret.chain(by_name) {
            if !accounts.contains(user) {
                accounts.push(user.clone());
            }
        }
        let name = |digest: &String| match pages.by_secret.get(digest) {
            Some(user) => format!("{digest} of {user}"),
            None => digest.clone(),
        };
        let credentials = digests.iter().map(name).collect();
        let run = says.run.or_else(|| values(headers, &RUNS).next()).unwrap_or_default();
        let run = run.chars().take(LONGEST_NAME).collect();
        let call = Call { n, service, accounts, credentials, identities, run, text };
        if let Some(listener) = &mut pages.listener {
            listener(&call);
        } else if pages.bytes + call.text.len() > MOST_KEPT {
            pages.kept.lost += 1;
        } else {
            // What the rest of the call takes is counted too: empty calls must not be free.
            pages.bytes += call.text.len() + 1024;
            pages.kept.calls.push(call);
        }
        n
    }
}

fn values<'h>(headers: &'h HeaderMap, names: &'h [&str]) -> impl Iterator<Item = String> + 'h {
    let value = |name| headers.get_all(name).iter();
    let texts = names.iter().copied().flat_map(value).filter_map(|value| value.to_str().ok());
    texts.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The bare credentials of a request, cookies' values among them.
fn credentials(headers: &HeaderMap) -> impl Iterator<Item = String> + '_ {
    let of_headers = values(headers, &CREDENTIALS).map(|value| bare(&value).to_owned());
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|cookies| cookies.split(';'));
    let of_cookies = pairs.filter_map(|pair| Some(pair.split_once('=')?.1.trim().to_owned()));
    of_headers.chain(of_cookies.filter(|value| !value.is_empty()))
}

/// How the log names that credential, or what a caller calls a user: nobody's account unless a
/// history says whose it is.
pub fn credential_of(shown: &str) -> UserName {
    UserName::new(format!("credential {}", digest(bare(shown))))
}

/// A credential without its scheme: `Bearer`, `Basic`.
fn bare(credential: &str) -> &str {
    credential.split_once(' ').map_or(credential, |(_, secret)| secret.trim())
}

fn digest(secret: &str) -> String {
    let digest = Hash::hash(secret.as_bytes());
    format!("sha256:{}", &to_hex(&digest)[..12])
}
