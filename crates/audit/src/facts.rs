//! What a source file says, apart from its language: scopes, names and texts.
//!
//! A language turns its syntax tree into these; whatever is concluded from them (aliases, shadowed
//! names, risk, singletons) is concluded once for all languages.

/// Bytes of the source, from and to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte behind the last.
    pub end: usize,
}

impl Span {
    /// The text there.
    pub fn of(self, source: &str) -> &str {
        source.get(self.start..self.end).unwrap_or_default()
    }
}

impl From<tree_sitter::Node<'_>> for Span {
    fn from(node: tree_sitter::Node<'_>) -> Self {
        Self { start: node.start_byte(), end: node.end_byte() }
    }
}

/// Everything of one file.
#[derive(Debug, Default)]
pub struct Facts {
    /// The scopes; the first is the module.
    pub scopes: Vec<Scope>,
    /// The names, in the order in which they stand.
    pub names: Vec<Name>,
    /// Comments and strings that hold something that is looked for.
    pub texts: Vec<Text>,
    /// Where something is awaited: the whole expression, and the function that awaits.
    pub awaits: Vec<(Span, usize)>,
    /// Where the first syntax error is.
    pub first_error: Option<usize>,
    /// Parts that were not, or not all, understood.
    pub unread: Vec<Span>,
}

/// A part of the file with names of its own.
#[derive(Debug)]
pub struct Scope {
    /// The scope around it; the module has none.
    pub parent: Option<usize>,
    /// What it is.
    pub kind: ScopeKind,
    /// Its name; functions without one have none.
    pub name: Option<Span>,
    /// The whole of it.
    pub span: Span,
    /// The callee that it is an argument of.
    pub given_to: Option<Span>,
}

/// What has names of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeKind {
    /// The file.
    Module,
    /// A class: its names are not seen from the functions in it.
    Class,
    /// A function.
    Function {
        /// Whether it can await.
        is_async: bool,
    },
    /// Something smaller, such as a comprehension.
    Inner,
}

/// One name where it stands.
#[derive(Debug)]
pub struct Name {
    /// Where.
    pub span: Span,
    /// The scope in which it is looked up or bound.
    pub scope: usize,
    /// The scope in whose text it stands: a default value stands in its function.
    pub within: usize,
    /// What it does there.
    pub role: Role,
    /// Whether it is called right there.
    pub called: bool,
    /// What becomes of it, or of what its call gives.
    pub fate: Fate,
}

/// What a name does where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is read.
    Read,
    /// It names a member of something: of a plain name that begins there, if it is one.
    Member {
        /// Where that name begins.
        of: Option<usize>,
    },
    /// It is bound in its scope.
    Bind(Value),
    /// It is given another value in the scope that bound it.
    Write(Value),
    /// It is a parameter, with its default.
    Parameter(Value),
    /// It is defined: a function, a class.
    Define,
    /// It is imported; another name may be bound for it.
    Import {
        /// Whether it is bound by its own name.
        binds: bool,
    },
    /// Its scope takes the module's.
    Global,
    /// Its scope takes the one of a function around it.
    Nonlocal,
    /// Nothing can be said by the syntax, which is broken there.
    Loose,
}

/// What a name is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing at all.
    Absent,
    /// Another name, or a member: where its last name begins.
    Name(usize),
    /// What a call gives: where the last name of the callee begins.
    Call(usize),
    /// A new list, dictionary or set.
    Container,
    /// None, null, undefined.
    Null,
    /// Anything else.
    Other,
}

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is read, and more is not known.
    Read,
    /// A method of it, or of a part of it, is called.
    Method(Span),
    /// A member of it is set or deleted.
    MemberSet(Span),
    /// An item of it, or of a part of it, is set or deleted; the key with its brackets.
    ItemSet(Span),
    /// It is given a name.
    Assigned {
        /// Where that name begins.
        to: usize,
    },
    /// It becomes a member of the object that the function belongs to.
    StoredOnSelf(Span),
    /// It becomes a member or an item of something else.
    StoredElsewhere(Span),
    /// It is handed to a function, whose expression is there.
    Argument(Option<Span>),
    /// It is returned.
    Returned,
    /// It decorates what begins there.
    Decorates(usize),
}

/// A comment or a string.
#[derive(Debug)]
pub struct Text {
    /// Where, with its quotes.
    pub span: Span,
    /// The scope in whose text it stands.
    pub within: usize,
    /// The content of a string that is a value; none for comments and docstrings, which only
    /// mention. What is filled in at run time stands as `_`.
    pub value: Option<String>,
}

impl Facts {
    /// Forgets all, but keeps the space for the next file.
    pub fn clear(&mut self) {
        let Self { scopes, names, texts, awaits, first_error, unread } = self;
        scopes.clear();
        names.clear();
        texts.clear();
        awaits.clear();
        *first_error = None;
        unread.clear();
    }

    /// The name that begins there.
    pub fn name_at(&self, start: usize) -> Option<usize> {
        self.names.binary_search_by_key(&start, |name| name.span.start).ok()
    }

    /// The function that stands for a scope: the nearest that has a name, or else the outermost
    /// without one, such as a handler that is handed to a router.
    pub fn enclosing(&self, scope: usize) -> Option<usize> {
        let mut outermost = None;
        let mut at = Some(scope);
        while let Some(scope) = at {
            if let ScopeKind::Function { .. } = self.scopes[scope].kind {
                if self.scopes[scope].name.is_some() {
                    return Some(scope);
                }
                outermost = Some(scope);
            }
            at = self.scopes[scope].parent;
        }
        outermost
    }

    /// The nearest function with a name around a scope, or the scope itself if it is one.
    pub fn function(&self, scope: usize) -> Option<usize> {
        let mut at = Some(scope);
        while let Some(scope) = at {
            if let ScopeKind::Function { .. } = self.scopes[scope].kind
                && self.scopes[scope].name.is_some()
            {
                return Some(scope);
            }
            at = self.scopes[scope].parent;
        }
        None
    }

    /// The nearest function around a scope, with a name or without one.
    pub fn callable(&self, scope: usize) -> Option<usize> {
        let mut at = Some(scope);
        while let Some(scope) = at {
            if let ScopeKind::Function { .. } = self.scopes[scope].kind {
                return Some(scope);
            }
            at = self.scopes[scope].parent;
        }
        None
    }

    /// Whether a function is asynchronous.
    pub fn is_async(&self, function: usize) -> bool {
        self.scopes[function].kind == ScopeKind::Function { is_async: true }
    }

    /// The name of a scope with those around it: `Route.get`; none for the module.
    pub fn qualified(&self, scope: usize, source: &str) -> Option<String> {
        let mut names = Vec::new();
        let mut at = Some(scope);
        while let Some(scope) = at {
            names.extend(self.scopes[scope].name.map(|name| name.of(source)));
            at = self.scopes[scope].parent;
        }
        names.reverse();
        (!names.is_empty()).then(|| names.join("."))
    }
}
