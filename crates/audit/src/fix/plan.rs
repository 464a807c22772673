//! What is rewritten in one file, and what stays.

use std::collections::{BTreeMap, BTreeSet};

use super::call::Call;
use super::context::{Contexts, is_bound};
use super::imports::{self, Change, Spec};
use super::modules::{Modules, Parts, split};
use super::source::{Edit, Source};
use super::{Request, is_call};
use crate::bindings::Bindings;
use crate::facts::{Name, Role, Span, Value};
use crate::lines::Lines;
use crate::source_file::File;
use crate::symbols::Symbol;
use crate::uses::{kind, names_it};
use partywall_core::audit::{Code, UseKind};
use partywall_core::fix::{FixedCall, Left, WhyLeft};

/// What is done to one file.
#[derive(Debug, Default)]
pub(super) struct Planned {
    pub(super) edits: Vec<Edit>,
    pub(super) calls: Vec<FixedCall>,
    pub(super) left: Vec<Left>,
}

/// One file for one accessor.
pub(super) struct Plan<'s> {
    source: &'s Source,
    bindings: &'s Bindings<'s>,
    modules: &'s Modules,
    symbol: &'s Symbol,
    position: usize,
    replacement: &'s str,
}

/// A call that can be rewritten.
struct Ready<'s> {
    name: usize,
    call: Call<'s>,
    context: String,
    /// The imports that have to be extended.
    imports: Vec<usize>,
}

type Reason = (WhyLeft, Vec<String>);

impl<'s> Plan<'s> {
    /// Looks for what can be rewritten.
    pub(super) fn of(
        source: &'s Source,
        modules: &'s Modules,
        request: &Request,
        code: Code,
        symbols: &'s [Symbol],
    ) -> Planned {
        let bindings = Bindings::new(&source.facts, &source.text);
        let lines = Lines::new(&source.text);
        let file = File::new(source.language, &source.shown, code, &bindings, &lines);
        let mut contexts = Contexts::new(source, &bindings, &request.contexts);
        let mut planned = Planned::default();
        let mut changes = BTreeMap::new();
        for (position, symbol) in symbols.iter().enumerate() {
            let Some(replacement) = symbol.replacement.as_deref() else { continue };
            let plan = Plan { source, bindings: &bindings, modules, symbol, position, replacement };
            plan.add(&file, &mut contexts, &mut changes, &mut planned);
        }
        planned.edits.extend(imports::edits(source, &changes));
        planned
    }

    fn add(
        &self,
        file: &File<'_>,
        contexts: &mut Contexts<'_>,
        changes: &mut BTreeMap<usize, (Spec<'s>, Change)>,
        planned: &mut Planned,
    ) {
        let mut ready = Vec::new();
        let mut imported = Vec::new();
        let first_left = planned.left.len();
        for (at, name) in self.source.facts.names.iter().enumerate() {
            let Some(kind) = kind(self.bindings, at, &self.symbol.name) else { continue };
            let reason = match kind {
                UseKind::Definition | UseKind::Mention => continue,
                UseKind::Import => {
                    imported.push(at);
                    continue;
                }
                kind if is_call(kind) => match self.ready(at, contexts) {
                    Ok(call) => {
                        planned.calls.push(self.fixed(file, &call));
                        ready.push(call);
                        continue;
                    }
                    Err(reason) => reason,
                },
                _ => (WhyLeft::NotACall, Vec::new()),
            };
            planned.left.push(self.left(file, name.span, name.within, kind, reason));
        }
        for text in self.strings() {
            let reason = (WhyLeft::NotACall, Vec::new());
            planned.left.push(self.left(file, text.0, text.1, UseKind::PatchString, reason));
        }
        for call in &ready {
            planned.edits.extend(call.call.edits(self.replacement, &call.context));
        }
        let gone = self.change_imports(&ready, changes);
        // An import is listed where nothing else says why it stays.
        if planned.left.len() == first_left {
            for at in imported.into_iter().filter(|at| !gone.contains(at)) {
                let name = &self.source.facts.names[at];
                let reason = (WhyLeft::ImportStays, Vec::new());
                planned.left.push(self.left(file, name.span, name.within, UseKind::Import, reason));
            }
        }
    }

    /// Strings that name the accessor.
    fn strings(&self) -> impl Iterator<Item = (Span, usize)> {
        let texts = self.source.facts.texts.iter();
        texts.filter_map(|text| {
            let is_named = names_it(text.value.as_deref()?, &self.symbol.name);
            is_named.then_some((text.span, text.within))
        })
    }

    fn ready(&self, at: usize, contexts: &mut Contexts<'_>) -> Result<Ready<'s>, Reason> {
        let because = |why| (why, Vec::new());
        let name = &self.source.facts.names[at];
        if self.is_within_itself(name) {
            return Err(because(WhyLeft::InReplacement));
        }
        let call = Call::of(self.source, name.span).map_err(because)?;
        let context = contexts.at(at, call.node)?;
        let imports = match name.role {
            Role::Member { .. } => self.of_member(&call).map(|()| Vec::new()),
            _ => self.of_name(at, name, &call),
        };
        Ok(Ready { name: at, call, context, imports: imports.map_err(because)? })
    }

    /// Whether a name stands in the definition of the replacement, which would call itself, or of the
    /// accessor.
    fn is_within_itself(&self, name: &Name) -> bool {
        let scopes = &self.source.facts.scopes;
        let mut around = std::iter::successors(Some(name.within), |scope| scopes[*scope].parent);
        around.any(|scope| {
            let own = scopes[scope].name.map(|own| own.of(&self.source.text));
            own.is_some_and(|own| [self.replacement, &self.symbol.name].contains(&own))
        })
    }

    /// The imports that have to be extended for a call by a plain name.
    fn of_name(&self, at: usize, name: &Name, call: &Call<'_>) -> Result<Vec<usize>, WhyLeft> {
        let is_known = self.is_known(name, call)?;
        let text = self.bindings.text(at);
        let home = self.bindings.home_of(at);
        let places = home.map_or(&[][..], |home| self.bindings.bound_in(home, text));
        let mut imports = Vec::new();
        for place in places {
            let facts = self.bindings.facts;
            match facts.names[*place].role {
                Role::Import { .. } => imports.push(*place),
                // `import f as g`, whose own name stands before.
                Role::Bind(Value::Name(original))
                    if facts.name_at(original).is_some_and(|original| {
                        matches!(facts.names[original].role, Role::Import { .. })
                    }) =>
                {
                    imports.push(*place);
                }
                Role::Define if is_known => {}
                Role::Define => return Err(WhyLeft::NoImport),
                _ => return Err(WhyLeft::AliasedCall),
            }
        }
        if is_known && imports.is_empty() {
            return Ok(imports);
        }
        if imports.is_empty() {
            return Err(WhyLeft::NoImport);
        }
        for place in &imports {
            match Spec::of(self.source, self.bindings.facts.names[*place].span) {
                None if is_known => {}
                None => return Err(WhyLeft::NoImport),
                Some(spec) => {
                    let has = self.modules.have(self.position, &spec.module);
                    if !is_known && has == Some(false) {
                        return Err(WhyLeft::NoReplacementThere);
                    }
                }
            }
        }
        Ok(imports)
    }

    /// Whether the replacement is known by its name at a call.
    ///
    /// # Errors
    ///
    /// The name means something else there.
    fn is_known(&self, name: &Name, call: &Call<'_>) -> Result<bool, WhyLeft> {
        let Some(home) = self.bindings.home(name.scope, self.replacement) else { return Ok(false) };
        let number = self.bindings.index.with_text(self.replacement);
        let places = number
            .first()
            .map_or(&[][..], |first| self.bindings.bound_in(home, self.bindings.text(*first)));
        let facts = self.bindings.facts;
        let is_it = |at: &usize| match facts.names[*at].role {
            Role::Import { .. } | Role::Define => true,
            Role::Bind(Value::Name(value)) => facts
                .name_at(value)
                .is_some_and(|value| matches!(facts.names[value].role, Role::Import { .. })),
            _ => false,
        };
        let is_there = |at: &usize| {
            home == 0
                || self
                    .source
                    .node(facts.names[*at].span)
                    .and_then(|node| statement_of(node))
                    .is_some_and(|statement| is_bound(statement, call.node))
        };
        match !places.is_empty() && places.iter().all(is_it) && places.iter().any(is_there) {
            true => Ok(true),
            false => Err(WhyLeft::ReplacementShadowed),
        }
    }

    /// Whether what a member is taken of is the module that has the replacement.
    fn of_member(&self, call: &Call<'_>) -> Result<(), WhyLeft> {
        let object = call.object.ok_or(WhyLeft::NotAModule)?;
        let (module, is_module) = self.module(object).ok_or(WhyLeft::NotAModule)?;
        match self.modules.have(self.position, &module) {
            Some(true) => Ok(()),
            _ if !is_module => Err(WhyLeft::NotAModule),
            Some(false) => Err(WhyLeft::NoReplacementThere),
            None => Ok(()),
        }
    }

    /// The module that an expression such as `app.factory` names, and whether it is surely one.
    fn module(&self, object: tree_sitter::Node<'_>) -> Option<(Parts, bool)> {
        let mut first = object;
        while ["attribute", "member_expression"].contains(&first.kind()) {
            first = first.child_by_field_name("object")?;
        }
        let name = self.bindings.facts.name_at(first.start_byte())?;
        let rest = split(&self.source.text[first.end_byte()..object.end_byte()], '.');
        let text = self.bindings.text(name);
        let home = self.bindings.home_of(name)?;
        let mut found = None;
        for place in self.bindings.bound_in(home, text) {
            let one = self.imported(*place)?;
            found = Some(one);
        }
        let (mut module, is_module) = found?;
        module.extend(rest);
        Some((module, is_module))
    }

    /// The module that an import binds to a name, and whether it is surely one.
    fn imported(&self, place: usize) -> Option<(Parts, bool)> {
        let span = self.bindings.facts.names[place].span;
        let mut node = self.source.node(span)?;
        let own = self.source.text(node).to_owned();
        if let Some(spec) = Spec::of(self.source, span) {
            let original = spec.own.of(&self.source.text);
            let original = original.split([' ', ':']).next().unwrap_or_default();
            let mut module = spec.module;
            module.extend(split(original, '.'));
            return Some((module, false));
        }
        loop {
            let parent = node.parent()?;
            match parent.kind() {
                "aliased_import" => {
                    let name = parent.child_by_field_name("name")?;
                    return Some((split(self.source.text(name), '.'), true));
                }
                "import_statement" if self.source.is_python() => return Some((vec![own], true)),
                "namespace_import" | "import_require_clause" | "import_clause" => {
                    let is_module = parent.kind() != "import_clause";
                    let statement = std::iter::successors(Some(parent), |node| node.parent())
                        .find(|node| node.kind() == "import_statement")?;
                    let from = statement
                        .child_by_field_name("source")
                        .or_else(|| parent.child_by_field_name("source"))?;
                    let text = self.source.text(from).trim_matches(['"', '\'']);
                    return Some((imports::relative(&self.source.shown, text, '/'), is_module));
                }
                "variable_declarator" => {
                    return Some((imports::required(self.source, parent)?, true));
                }
                "dotted_name" => node = parent,
                _ => return None,
            }
        }
    }

    /// Notes how the imports of the rewritten calls change; gives those of which the accessor goes.
    fn change_imports(
        &self,
        ready: &[Ready<'s>],
        changes: &mut BTreeMap<usize, (Spec<'s>, Change)>,
    ) -> BTreeSet<usize> {
        let facts = self.bindings.facts;
        let rewritten: BTreeSet<usize> = ready.iter().map(|ready| ready.name).collect();
        let mut gone = BTreeSet::new();
        let places: BTreeSet<usize> =
            ready.iter().flat_map(|ready| ready.imports.iter().copied()).collect();
        for place in places {
            let name = &facts.names[place];
            let Some(spec) = Spec::of(self.source, name.span) else { continue };
            let is_known = self.bindings.home(name.scope, self.replacement).is_some();
            let dropped = !self.is_used(place, &rewritten);
            let start = spec.own.start;
            if dropped {
                gone.insert(place);
                gone.extend(facts.name_at(start));
            }
            let is_added = |changes: &BTreeMap<usize, (Spec<'_>, Change)>| {
                changes.values().any(|(other, change)| {
                    change.added.iter().any(|name| name == self.replacement)
                        && other.module == spec.module
                        && other.block() == spec.block()
                })
            };
            let needs = !is_known && !is_added(changes);
            let (_, change) = changes.entry(start).or_insert_with(|| (spec, Change::default()));
            change.dropped |= dropped;
            if needs {
                change.added.push(self.replacement.to_owned());
            }
        }
        gone
    }

    /// Whether something that stays uses what an import binds.
    fn is_used(&self, place: usize, rewritten: &BTreeSet<usize>) -> bool {
        let facts = self.bindings.facts;
        let text = self.bindings.text(place);
        let home = self.bindings.home_of(place);
        let uses = |at: &usize| {
            let is_it = !rewritten.contains(at)
                && !matches!(facts.names[*at].role, Role::Member { .. })
                && self.bindings.home_of(*at) == home;
            let places = home.map_or(&[][..], |home| self.bindings.bound_in(home, text));
            is_it && !places.contains(at) && !matches!(facts.names[*at].role, Role::Import { .. })
        };
        let is_package = ["__init__.py", "__init__.pyi"]
            .iter()
            .any(|name| self.source.shown.rsplit('/').next() == Some(name));
        let names = self.bindings.index.with_text(text);
        let in_strings = facts
            .texts
            .iter()
            .any(|given| given.value.as_deref().is_some_and(|value| names_it(value, text)));
        is_package
            || in_strings
            || names.iter().any(uses)
            || self.modules.is_taken_from(self.position, &self.source.shown)
    }

    fn fixed(&self, file: &File<'_>, ready: &Ready<'_>) -> FixedCall {
        let name = &self.source.facts.names[ready.name];
        FixedCall {
            symbol: self.symbol.name.clone(),
            place: file.lines.place(file.path, name.span),
            function: self.source.facts.qualified(name.within, &self.source.text),
            context: ready.context.clone(),
        }
    }

    fn left(
        &self,
        file: &File<'_>,
        span: Span,
        within: usize,
        kind: UseKind,
        (why, candidates): Reason,
    ) -> Left {
        let found = file.plain_use(self.symbol, span, within, kind);
        Left { candidates, ..super::stays(&found, why) }
    }
}

/// The statement that a name is imported or defined by.
fn statement_of(name: tree_sitter::Node<'_>) -> Option<tree_sitter::Node<'_>> {
    const STATEMENTS: [&str; 7] = [
        "import_from_statement",
        "import_statement",
        "function_definition",
        "function_declaration",
        "class_definition",
        "lexical_declaration",
        "variable_declaration",
    ];
    std::iter::successors(Some(name), |node| node.parent())
        .find(|node| STATEMENTS.contains(&node.kind()))
}
