//! A suspect while the tree is still being searched: what speaks for it but for what reaches it.

use crate::facts::{Name, Span};
use crate::source_file::File;
use partywall_core::audit::{Code, Place, Shown, SuspectKind};

/// A suspect of one file, before it is known what reaches the functions that write it.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) kind: SuspectKind,
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) code: Code,
    /// What the evidence comes to without the functions that write it.
    pub(crate) base: u32,
    /// The highest score that it may get, whatever reaches it.
    pub(crate) most: u32,
    /// Evidence that is no write.
    pub(crate) shown: Vec<Shown>,
    /// Where it is written.
    pub(crate) writes: Vec<Write>,
    /// The module's own name that it hangs on: suspects with the same one are the same.
    pub(crate) root: String,
    /// Functions that hand it out: what becomes of their result is evidence.
    pub(crate) getters: Vec<String>,
}

/// A place where a suspect is written.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    /// The scope of the function around it.
    pub(crate) function: Option<usize>,
    pub(crate) shown: Shown,
    /// Whether what is written names a user.
    pub(crate) personal: bool,
}

impl Candidate {
    pub(super) fn new(file: &File<'_>, kind: SuspectKind, name: String, at: Span) -> Self {
        let root = name.split(['.', '[', '(']).next().unwrap_or_default().to_owned();
        Self {
            kind,
            name,
            place: file.lines.place(file.path, at),
            code: file.code,
            base: 1,
            most: u32::MAX,
            shown: Vec::new(),
            writes: Vec::new(),
            root,
            getters: Vec::new(),
        }
    }
}

impl File<'_> {
    /// A place where something is written.
    pub(super) fn write(&self, what: &str, name: &Name) -> Write {
        let shown = self.evidence(what, name);
        let personal = super::people::line_names_one(&shown.text);
        Write { function: self.function_of(name), shown, personal }
    }
}
