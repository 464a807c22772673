//! What `partywall audit` found in a source tree: plain data, as `audit --format json` prints it.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of the audit format that this program writes and reads.
pub const AUDIT_VERSION: u32 = 1;

/// Everything that one audit came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct AuditRecord {
    /// [`AUDIT_VERSION`].
    pub audit_version: u32,
    /// The program's version.
    pub partywall: String,
    /// The folder or file that was searched, as it was given.
    pub root: String,
    /// What was looked for.
    pub symbols: Vec<SymbolRow>,
    /// What was read.
    pub files: FilesRow,
    /// The uses, those at risk first.
    pub uses: Vec<Use>,
    /// Whether unknown singletons were looked for.
    pub searched_singletons: bool,
    /// What may be shared by all users unnoticed, the likeliest first; suspects, not verdicts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspects: Vec<SingletonSuspect>,
    /// How it compares with an earlier audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<Compared>,
}

impl AuditRecord {
    /// Call sites in application code that still have to be migrated.
    pub fn remaining(&self) -> impl Iterator<Item = &Use> {
        self.remaining_in(Scope::App)
    }

    /// Call sites in that part of the code that still have to be migrated.
    pub fn remaining_in(&self, scope: Scope) -> impl Iterator<Item = &Use> {
        self.uses.iter().filter(move |found| found.is_call_site() && scope.holds(found.code))
    }

    /// Counted uses in that part of the code that the earlier audit does not have.
    pub fn new_in(&self, scope: Scope) -> impl Iterator<Item = &Use> {
        let new = self.compared.iter().flat_map(|compared| &compared.new);
        let new = new.filter_map(|at| self.uses.get(*at as usize));
        new.filter(move |found| scope.holds(found.code))
    }

    /// Uses of any kind that has to go: all but mentions and the definition itself.
    pub fn counted(&self) -> impl Iterator<Item = &Use> {
        self.uses.iter().filter(|found| found.kind.is_counted())
    }
}

/// A deprecated accessor and what takes its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct SymbolRow {
    /// The accessor.
    pub name: String,
    /// What takes its place, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<String>,
    /// How often the replacement is called already.
    pub replaced: u64,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct FilesRow {
    /// Source files found.
    pub found: u64,
    /// Those parsed: they hold one of the names, or singletons were looked for.
    pub parsed: u64,
    /// Those parsed that have syntax errors (or newer syntax); they were searched all the same.
    pub broken: Vec<BrokenFile>,
    /// Those that could not be searched.
    pub skipped: Vec<SkippedFile>,
    /// How many are not searched because a program made them: bundles, minified and generated code.
    #[serde(default)]
    pub generated: u64,
}

/// A file that was read in part: it has syntax errors, syntax newer than the grammar, or nests too
/// deep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct BrokenFile {
    /// The file, relative to the root.
    pub path: String,
    /// The line of the first error, from 1.
    pub line: u32,
    /// The lines that were not understood, or not all of them; the rest was searched as usual, and
    /// in these the names were found by their text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<LineRange>,
}

/// Lines of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct LineRange {
    /// The first, from 1.
    pub first: u32,
    /// The last.
    pub last: u32,
}

/// A file that could not be searched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct SkippedFile {
    /// The file, relative to the root.
    pub path: String,
    /// Why.
    pub why: String,
}

/// A place in a source file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Place {
    /// The file, relative to the root, with `/` between folders.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
    /// The column behind the last character.
    pub end_column: u32,
}

/// One use of a deprecated accessor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Use {
    /// Which accessor.
    pub symbol: String,
    /// How it is used.
    pub kind: UseKind,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// The function around it, with the classes and functions around that: `Route.get`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Whether that function is asynchronous.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_async: bool,
    /// Application or test code.
    pub code: Code,
    /// The other name that it goes by here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The line of source; hostile text.
    pub text: String,
    /// How likely it lets users reach one another.
    pub risk: Risk,
    /// The lines that show it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown_by: Vec<Shown>,
    /// Whether a framework calls it there, though it is only named: `Depends(f)`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub injected: bool,
    /// Whether it was recognised by its neighbouring characters only, where the syntax is broken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_text: bool,
}

impl Use {
    /// Whether the process-wide object is taken there: by a call, or where a framework calls what is
    /// named, or what is named is kept. A reference that only hands the accessor on is none.
    pub fn is_call_site(&self) -> bool {
        let is_kept = self.injected || self.risk == Risk::High;
        self.kind.is_call_site() && (self.kind != UseKind::Reference || is_kept)
    }
}

/// Which part of the code a gate looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Application code.
    #[default]
    App,
    /// Tests.
    Tests,
    /// Both.
    All,
}

impl Scope {
    /// Whether code of that kind is in it.
    pub fn holds(self, code: Code) -> bool {
        match self {
            Self::App => code == Code::Application,
            Self::Tests => code == Code::Test,
            Self::All => true,
        }
    }

    /// What it is called in a sentence: `in application code`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::App => "application code",
            Self::Tests => "tests",
            Self::All => "application code and tests",
        }
    }
}

/// How an accessor is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum UseKind {
    /// Called by its plain name.
    Call,
    /// Called as an attribute: `module.f()`.
    AttributeCall,
    /// Called by another name.
    AliasCall,
    /// Named without a call: `Depends(f)`.
    Reference,
    /// Given another name: `g = f`.
    Alias,
    /// Imported.
    Import,
    /// Named by a string, as `patch("a.b.f")` does.
    PatchString,
    /// Defined.
    Definition,
    /// Mentioned in a comment, a docstring or a message.
    Mention,
}

impl UseKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Call,
        Self::AttributeCall,
        Self::AliasCall,
        Self::Reference,
        Self::Alias,
        Self::Import,
        Self::PatchString,
        Self::Definition,
        Self::Mention,
    ];

    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::AttributeCall => "attribute call",
            Self::AliasCall => "alias call",
            Self::Reference => "reference",
            Self::Alias => "alias",
            Self::Import => "import",
            Self::PatchString => "patch string",
            Self::Definition => "definition",
            Self::Mention => "mention",
        }
    }

    /// Whether the process-wide object can be reached through it: calls and references.
    pub fn is_call_site(self) -> bool {
        matches!(self, Self::Call | Self::AttributeCall | Self::AliasCall | Self::Reference)
    }

    /// Whether it counts in a comparison: all but mentions and the definition itself.
    pub fn is_counted(self) -> bool {
        !matches!(self, Self::Definition | Self::Mention)
    }
}

/// Application or test code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// What is shipped.
    Application,
    /// What tests it.
    Test,
}

impl Code {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Test => "test",
        }
    }
}

/// How likely it lets users reach one another; the first is the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// The result outlives the request, or is configured or kept where another request can run.
    High,
    /// Something of it is there, but nothing awaits.
    Low,
    /// Nothing of the kind was seen.
    None,
}

impl Risk {
    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Low => "low",
            Self::None => "none",
        }
    }
}

/// A line that shows something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Shown {
    /// What, in our words.
    pub what: String,
    /// The file, where it is another one than that of what it speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The line, from 1.
    pub line: u32,
    /// The line of source; hostile text.
    pub text: String,
}

/// Something that all users of the process may share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct SingletonSuspect {
    /// What kind of thing it is.
    pub kind: SuspectKind,
    /// Its name in the source; hostile text.
    pub name: String,
    /// Where it is made.
    #[serde(flatten)]
    pub place: Place,
    /// Application or test code.
    pub code: Code,
    /// How strong the evidence is; higher is stronger.
    pub score: u32,
    /// The route by which a request reaches code that writes it, by the names of functions:
    /// `POST /chat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached_from: Option<String>,
    /// Whether it is code of a browser, where a process serves one user; ranked behind the rest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub browser: bool,
    /// The lines that speak for it.
    pub shown_by: Vec<Shown>,
}

/// What kind of thing may be shared unnoticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SuspectKind {
    /// A module global that a getter makes at first use.
    LazyGlobal,
    /// A module- or class-level instance or container that functions change.
    SharedMutable,
    /// A cache whose key holds no user.
    Cache,
    /// A mutable default argument.
    MutableDefault,
    /// An attribute that a request handler sets on a process-wide object.
    ProcessAttribute,
    /// A context variable that is set where its readers do not see it, or whose default all share.
    ContextVariable,
}

impl SuspectKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::LazyGlobal,
        Self::SharedMutable,
        Self::Cache,
        Self::MutableDefault,
        Self::ProcessAttribute,
        Self::ContextVariable,
    ];

    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LazyGlobal => "lazy global",
            Self::SharedMutable => "shared mutable",
            Self::Cache => "cache",
            Self::MutableDefault => "mutable default",
            Self::ProcessAttribute => "process attribute",
            Self::ContextVariable => "context variable",
        }
    }
}

/// How an audit compares with an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Compared {
    /// Where the earlier one is.
    pub baseline: String,
    /// Counted uses then.
    pub before: u64,
    /// Counted uses now.
    pub now: u64,
    /// Those of now that were not there then, as positions in `uses`.
    pub new: Vec<u32>,
    /// Those of then that are gone.
    pub gone: u64,
}
