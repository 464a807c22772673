//! What is driven: the reference back end, code in a test, or a server.

mod upstream;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::upstream::{Options, Order, OrderError};
use super::call_site::Migration;
use super::defect::Defect;

/// What is driven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", from = "WrittenTarget")]
pub enum Target {
    /// The reference back end: in this process where it is explored, else as a process of its own.
    Reference(Reference),
    /// Code in a test, which is explored there.
    Code {
        /// What its author calls it.
        name: String,
    },
    /// A server, as its scenario says where it is or how it is started.
    Server {
        /// That.
        target: Box<Server>,
    },
}

/// A target as files have it, those of earlier versions included.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum WrittenTarget {
    Reference(Reference),
    Code { name: String },
    Server { target: Box<Server> },
    Url { url: String },
}

impl From<WrittenTarget> for Target {
    fn from(written: WrittenTarget) -> Self {
        match written {
            WrittenTarget::Reference(reference) => Self::Reference(reference),
            WrittenTarget::Code { name } => Self::Code { name },
            WrittenTarget::Server { target } => Self::Server { target },
            WrittenTarget::Url { url } => Self::at(url),
        }
    }
}

impl Target {
    /// A server that is there already.
    pub fn at(url: impl Into<String>) -> Self {
        Self::from(Server { urls: vec![url.into()], ..Server::default() })
    }

    /// The server, where it is one that a scenario describes.
    pub fn server(&self) -> Option<&Server> {
        match self {
            Self::Server { target } => Some(target),
            Self::Reference(_) | Self::Code { .. } => None,
        }
    }

    /// Whether it is a process that this program starts.
    pub fn is_started(&self) -> bool {
        match self {
            Self::Reference(_) => true,
            Self::Code { .. } => false,
            Self::Server { target } => !target.command.is_empty(),
        }
    }

    /// Whether partywall plays its upstream and must be told whose account each call comes under.
    pub fn has_judged_upstream(&self) -> bool {
        let upstream = self.server().and_then(|own| own.upstream.as_ref());
        upstream.is_some_and(|upstream| upstream.judged)
    }
}

impl From<Server> for Target {
    fn from(server: Server) -> Self {
        Self::Server { target: Box::new(server) }
    }
}

impl From<Reference> for Target {
    fn from(reference: Reference) -> Self {
        Self::Reference(reference)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference(reference) => reference.fmt(out),
            Self::Code { name } => write!(out, "code in a test, `{name}`"),
            Self::Server { target } if target.command.is_empty() => {
                write!(out, "the server at {}", target.urls.join(", "))
            }
            Self::Server { target } => write!(out, "`{}`", target.command.join(" ")),
        }
    }
}

/// The reference back end with its switches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Switches", into = "Switches")]
pub struct Reference {
    /// The call sites that are migrated.
    pub migration: Migration,
    /// The defect that is switched on, if any.
    pub defect: Option<Defect>,
}

/// The switches as the command line takes them, by `--migrated` and `--defect`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Switches {
    migrated: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    defect: Option<String>,
}

impl Reference {
    /// No call site is migrated: the fault in full.
    pub const LEGACY: Self = Self { migration: Migration::NONE, defect: None };
    /// Every call site is migrated: the cure in full.
    pub const PER_REQUEST: Self = Self { migration: Migration::ALL, defect: None };

    /// The cured form with that defect switched on.
    pub fn with_defect(defect: Defect) -> Self {
        Self { migration: Migration::ALL, defect: Some(defect) }
    }
}

impl From<Migration> for Reference {
    fn from(migration: Migration) -> Self {
        Self { migration, defect: None }
    }
}

impl From<Reference> for Switches {
    fn from(reference: Reference) -> Self {
        Self {
            migrated: reference.migration.to_string(),
            defect: reference.defect.map(|defect| defect.to_string()),
        }
    }
}

impl TryFrom<Switches> for Reference {
    type Error = String;

    fn try_from(switches: Switches) -> Result<Self, String> {
        let migration = switches.migrated.parse().map_err(|error| format!("{error}"))?;
        let defect = switches.defect.as_deref().map(str::parse).transpose();
        Ok(Self { migration, defect: defect.map_err(|error| format!("{error}"))? })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "reference back end, migrated {}", self.migration)?;
        match self.defect {
            Some(defect) => write!(out, ", with defect {defect}"),
            None => Ok(()),
        }
    }
}

/// Where a server is, or how it is started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its base URLs; none where it is started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// The base URL of its event connection, where that is elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub websocket: Option<String>,
    /// The file of the authorities that are trusted; the system's where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// The command that starts it; none where it runs already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// The folder that it is started in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Its environment besides that of partywall: templates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<(String, String)>,
    /// A path that answers once it is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<String>,
    /// How long it may take to be ready, in seconds.
    #[serde(default)]
    pub ready_seconds: u32,
    /// Whether each round has a process of its own.
    #[serde(default)]
    pub fresh_process: bool,
    /// How many processes the command is started as; 0 is one as well.
    #[serde(default)]
    pub instances: u16,
    /// Whether one of them is ended and started anew while users are at work.
    #[serde(default)]
    pub restart_during_round: bool,
    /// Hosts besides this machine that may be driven.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Its model and tools, where partywall plays them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<PlayedUpstream>,
    /// Where the users' names and secrets come from, where they are neither listed nor generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<UsersFrom>,
    /// Whether it ends once its standard input is closed, which is then kept open for it.
    #[serde(skip)]
    pub ends_with_input: bool,
}

/// A server's model and tools, played by partywall.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlayedUpstream {
    /// How they answer.
    pub options: Options,
    /// Whether it must be told whose account each call comes under.
    #[serde(default)]
    pub judged: bool,
    /// What else the server may call a user to them: templates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<String>,
}

/// Where the users' names and secrets come from: a line for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsersFrom {
    /// A file.
    File(String),
    /// What a command prints.
    Command(Vec<String>),
}
