//! What an audit has to know of a language.

use tree_sitter::Node;

use super::facts::{Role, ScopeKind};
use super::syntax::{Interest, Path};

/// What an audit has to know of a language.
///
/// The walk over the syntax tree is the same for all; it asks for every node, parents first.
pub trait Language: Sync {
    /// The name in reports.
    fn name(&self) -> &'static str;

    /// The extensions of its files, without the dot.
    fn extensions(&self) -> &'static [&'static str];

    /// The grammar for files with that extension.
    fn grammar(&self, extension: &str) -> tree_sitter::Language;

    /// Paths that hold tests, as patterns.
    fn test_patterns(&self) -> &'static [&'static str];

    /// What is asked of nodes of that kind: what is not announced here is not asked.
    fn interest(&self, kind: &str) -> Interest;

    /// Which names the last node of the path opens or leaves.
    fn scope<'t>(&self, path: &Path<'t, '_>) -> Option<Opens<'t>>;

    /// What the last node of the path does, if it is a name.
    fn role(&self, path: &Path<'_, '_>) -> Option<Role>;

    /// What the parent of the node at that depth of the path does with it.
    fn link<'t>(&self, path: &Path<'t, '_>, depth: usize) -> Link<'t>;

    /// What the last node of the path says, if it is a comment or a string.
    fn text(&self, path: &Path<'_, '_>) -> Option<Said>;

    /// Whether the node awaits.
    fn awaits(&self, node: Node<'_>) -> bool;

    /// The names of the object that a method belongs to.
    fn own_names(&self) -> &'static [&'static str];

    /// What makes a new list, dictionary or set, by its last name.
    fn containers(&self) -> &'static [&'static str];

    /// Whether a default argument is made once, when its function is.
    fn keeps_defaults(&self) -> bool {
        false
    }

    /// Functions that hand on, as a parameter's value, what a function given to them makes.
    fn injectors(&self) -> &'static [&'static str] {
        &[]
    }
}

/// Names of its own, or those of the scope around.
#[derive(Clone, Copy, Debug)]
pub enum Opens<'t> {
    /// A scope begins with the node.
    Scope {
        /// What it is.
        kind: ScopeKind,
        /// Its name.
        name: Option<Node<'t>>,
    },
    /// Names in the node are looked up in the scope around: defaults, base classes.
    Outer,
}

/// What a parent does with a child.
#[derive(Clone, Copy, Debug)]
pub enum Link<'t> {
    /// It gives what it holds: parentheses, `await`, `or`.
    Same,
    /// It takes a member of it.
    Member(Node<'t>),
    /// It takes an item of it.
    Item,
    /// It calls it.
    Called,
    /// It is an argument of that callee.
    Argument(Option<Node<'t>>),
    /// It is what is assigned to.
    Target,
    /// It is deleted.
    Deleted,
    /// It is assigned to that.
    AssignedTo(Node<'t>),
    /// It is returned.
    Returned,
    /// It decorates what begins there.
    Decorates(usize),
    /// Something else.
    Other,
}

/// What a comment or a string says.
#[derive(Clone, Debug)]
pub enum Said {
    /// It only mentions: a comment, a docstring.
    Remark,
    /// It is a value, with that content.
    Value(String),
}
