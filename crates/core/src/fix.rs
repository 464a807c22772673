//! What `partywall audit --fix` rewrote, and what it left with the reason: plain data.

use serde::Serialize;

use crate::audit::{Code, Place, UseKind};

/// The version of the format.
pub const FIX_VERSION: u32 = 1;

/// Everything that one rewrite came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FixRecord {
    /// [`FIX_VERSION`].
    pub fix_version: u32,
    /// The program's version.
    pub partywall: String,
    /// The folder or file that was searched, as it was given.
    pub root: String,
    /// Whether the files were to be written, or only shown.
    pub write: bool,
    /// The files in which calls can be rewritten.
    pub files: Vec<FixedFile>,
    /// The uses that stay, each with the reason.
    pub left: Vec<Left>,
}

impl FixRecord {
    /// The calls that are rewritten, with their file.
    pub fn calls(&self) -> impl Iterator<Item = &FixedCall> {
        self.files.iter().filter(|file| file.is_done()).flat_map(|file| &file.calls)
    }
}

/// A file in which calls can be rewritten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FixedFile {
    /// The file, relative to the root.
    pub path: String,
    /// What became of it.
    pub state: FixState,
    /// What the system said where it could not be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The calls.
    pub calls: Vec<FixedCall>,
    /// The change as a unified diff; hostile text.
    pub diff: String,
}

impl FixedFile {
    /// Whether nothing went wrong.
    pub fn is_done(&self) -> bool {
        matches!(self.state, FixState::Shown | FixState::Written)
    }
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FixState {
    /// It is shown only.
    Shown,
    /// It is written.
    Written,
    /// It changed after it was read, and is left as it is.
    Changed,
    /// It could not be written, and is left as it is.
    Failed,
}

/// A call that is rewritten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FixedCall {
    /// Which accessor.
    pub symbol: String,
    /// Where the call was before.
    #[serde(flatten)]
    pub place: Place,
    /// The function around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// What it is given: a parameter or a local.
    pub context: String,
}

/// A use that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Left {
    /// Which accessor.
    pub symbol: String,
    /// How it is used.
    pub kind: UseKind,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// The function around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Application or test code.
    pub code: Code,
    /// The line of source; hostile text.
    pub text: String,
    /// Why it stays.
    pub why: WhyLeft,
    /// The names that could be the context, where that is the reason; hostile text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<String>,
}

/// Why a use stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyLeft {
    /// It is in a test, and tests were not asked for.
    TestCode,
    /// It runs when its module is loaded, where no user is served.
    ModuleLevel,
    /// It is in the replacement, or in the accessor, itself.
    InReplacement,
    /// No parameter and no local has the context's type or name.
    NoContext,
    /// Several parameters or locals have it.
    SeveralContexts,
    /// What has it may be none there.
    ContextMayBeNone,
    /// What has it is not assigned on every way to the call, or something else is assigned to it.
    ContextUnsure,
    /// The call has arguments already.
    HasArguments,
    /// It is no plain call: an optional one, or one of an expression.
    NotPlainCall,
    /// It is named, not called: a reference, an alias, a string.
    NotACall,
    /// It is called by a name that something else than an import gave it.
    AliasedCall,
    /// It is a member of an object that is not known to be the module.
    NotAModule,
    /// The replacement is not imported, and no import of the accessor can be extended.
    NoImport,
    /// The module that the accessor is imported from has no such replacement.
    NoReplacementThere,
    /// The replacement's name means something else there.
    ReplacementShadowed,
    /// The file is read in part only.
    PartlyRead,
    /// The file has more uses than are rewritten.
    TooMany,
    /// A program made the file.
    Generated,
    /// The file could not be read, or is no UTF-8.
    Unreadable,
    /// The file would not parse any more.
    ResultBroken,
    /// It is imported for others, or because something that stays uses it.
    ImportStays,
}

impl WhyLeft {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::TestCode,
        Self::ModuleLevel,
        Self::InReplacement,
        Self::NoContext,
        Self::SeveralContexts,
        Self::ContextMayBeNone,
        Self::ContextUnsure,
        Self::HasArguments,
        Self::NotPlainCall,
        Self::NotACall,
        Self::AliasedCall,
        Self::NotAModule,
        Self::NoImport,
        Self::NoReplacementThere,
        Self::ReplacementShadowed,
        Self::PartlyRead,
        Self::TooMany,
        Self::Generated,
        Self::Unreadable,
        Self::ResultBroken,
        Self::ImportStays,
    ];
}
