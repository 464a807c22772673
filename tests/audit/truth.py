"""Every use of an accessor in a tree of Python files, by Python's own `ast`.

    python3 truth.py ROOT ACCESSOR

Prints one JSON list of [path, line, column, kind] with lines and columns from 1, in characters.
It shares no code with what it is compared with; files that do not parse are left out.
"""

import ast
import json
import os
import re
import sys

FUNCTION, CLASS, MODULE = "function", "class", "module"


class Scope:
    def __init__(self, kind, parent):
        self.kind, self.parent = kind, parent
        self.bound = {}
        self.globals, self.nonlocals = set(), set()

    def bind(self, name, value):
        self.holder(name).bound.setdefault(name, []).append(value)

    def holder(self, name):
        """The scope that this scope's binding of the name goes to."""
        if name in self.globals:
            scope = self
            while scope.parent:
                scope = scope.parent
            return scope
        if name in self.nonlocals:
            scope = self.parent
            while scope.kind != FUNCTION and scope.parent:
                scope = scope.parent
            return scope
        return self

    def home(self, name):
        scope = self
        while scope:
            if scope is self or scope.kind != CLASS:
                holder = scope.holder(name)
                if holder is not scope or name in scope.bound:
                    return holder
            scope = scope.parent
        return None


class Reader(ast.NodeVisitor):
    """Gathers names with their scopes, and what binds them."""

    def __init__(self, tree):
        self.module = self.scope = Scope(MODULE, None)
        self.reads, self.stores, self.imports, self.definitions = [], [], [], []
        self.strings, self.renamed, self.called = [], set(), set()
        for pass_ in (self.declare, self.visit):
            pass_(tree)

    def declare(self, tree):
        self.declared = {}
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                names = set(), set()
                body = node.body if isinstance(node.body, list) else []
                stack = list(body)
                while stack:
                    own = stack.pop()
                    if isinstance(own, ast.Global):
                        names[0].update(own.names)
                    elif isinstance(own, ast.Nonlocal):
                        names[1].update(own.names)
                    elif not isinstance(
                        own, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
                    ):
                        stack.extend(ast.iter_child_nodes(own))
                self.declared[node] = names

    def inside(self, kind, node, visit):
        outer = self.scope
        self.scope = Scope(kind, outer)
        if node in self.declared:
            self.scope.globals, self.scope.nonlocals = self.declared[node]
        visit()
        self.scope = outer

    def visit_function(self, node):
        for outer in (*node.decorator_list, node.returns, *self.defaults(node.args)):
            if outer is not None:
                self.visit(outer)
        self.definitions.append(node)
        self.scope.bind(node.name, ("definition", node))

        def body():
            self.parameters(node.args)
            for statement in node.body:
                self.visit(statement)

        self.inside(FUNCTION, node, body)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_function

    def visit_Lambda(self, node):
        for outer in self.defaults(node.args):
            self.visit(outer)

        def body():
            self.parameters(node.args)
            self.visit(node.body)

        self.inside(FUNCTION, node, body)

    def defaults(self, args):
        named = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
        annotations = [arg.annotation for arg in named if arg and arg.annotation]
        return [*args.defaults, *(d for d in args.kw_defaults if d), *annotations]

    def parameters(self, args):
        named = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
        for arg in named:
            if arg:
                self.scope.bind(arg.arg, None)

    def visit_ClassDef(self, node):
        for outer in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(outer)
        self.definitions.append(node)
        self.scope.bind(node.name, ("definition", node))
        self.inside(CLASS, node, lambda: [self.visit(statement) for statement in node.body])

    def visit_comprehension_scope(self, node):
        self.inside(FUNCTION, node, lambda: self.generic_visit(node))

    visit_ListComp = visit_SetComp = visit_DictComp = visit_comprehension_scope
    visit_GeneratorExp = visit_comprehension_scope

    def visit_Import(self, node):
        for alias in node.names:
            self.imports.append(alias)
            if alias.asname:
                self.scope.bind(alias.asname, ("import", alias))
            elif "." not in alias.name:
                self.scope.bind(alias.name, ("import", alias))
            else:
                self.scope.bind(alias.name.split(".")[0], None)

    def visit_ImportFrom(self, node):
        for alias in node.names:
            if alias.name != "*":
                self.imports.append(alias)
                self.scope.bind(alias.asname or alias.name, ("import", alias))

    def assigned(self, targets, value):
        is_name = isinstance(value, (ast.Name, ast.Attribute))
        for target in targets:
            if isinstance(target, ast.Name):
                if is_name:
                    self.renamed.add(value)
                self.stores.append((target, self.scope))
                self.scope.bind(target.id, ("value", value, self.scope) if is_name else None)
            else:
                self.visit(target)
        if value is not None:
            self.visit(value)

    def visit_Assign(self, node):
        self.assigned(node.targets, node.value)

    def visit_AnnAssign(self, node):
        self.visit(node.annotation)
        self.assigned([node.target], node.value)

    def visit_NamedExpr(self, node):
        self.assigned([node.target], node.value)

    def visit_ExceptHandler(self, node):
        if node.name:
            self.scope.bind(node.name, None)
        self.generic_visit(node)

    def visit_MatchAs(self, node):
        if node.name:
            self.scope.bind(node.name, None)
        self.generic_visit(node)

    def visit_Call(self, node):
        self.called.add(node.func)
        self.generic_visit(node)

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Load) or isinstance(node.ctx, ast.Del):
            self.reads.append((node, self.scope))
        else:
            self.stores.append((node, self.scope))
            self.scope.bind(node.id, None)

    def visit_Attribute(self, node):
        self.reads.append((node, self.scope))
        self.generic_visit(node)

    def visit_Expr(self, node):
        # What is no value of anything is a remark.
        if not isinstance(node.value, (ast.Constant, ast.JoinedStr)):
            self.visit(node.value)
        elif isinstance(node.value, ast.JoinedStr):
            for part in node.value.values:
                if isinstance(part, ast.FormattedValue):
                    self.visit(part)

    def visit_Constant(self, node):
        if isinstance(node.value, str):
            self.strings.append((node, node.value))

    def visit_JoinedStr(self, node):
        parts = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)
                parts.append("_")
            else:
                parts.append(str(part.value))
        self.strings.append((node, "".join(parts)))


class Uses:
    def __init__(self, reader, accessor):
        self.reader, self.accessor = reader, accessor

    def means(self, node, scope, seen=()):
        """`direct`, `alias`, or nothing."""
        if node in seen or len(seen) > 16:
            return None
        if isinstance(node, ast.Attribute):
            return "direct" if node.attr == self.accessor else None
        home = scope.home(node.id)
        bindings = home.bound.get(node.id, []) if home else []
        bound = any(self.binds(binding, (*seen, node)) for binding in bindings)
        if node.id == self.accessor:
            is_local = home is not None and home.kind == FUNCTION
            defined = any(b and b[0] == "definition" for b in bindings)
            return "direct" if not is_local or bound or defined else None
        return "alias" if bound else None

    def binds(self, binding, seen):
        if binding is None or binding[0] == "definition":
            return False
        if binding[0] == "import":
            return binding[1].name.split(".")[-1] == self.accessor
        return self.means(binding[1], binding[2], seen) is not None

    def all(self):
        accessor, reader = self.accessor, self.reader
        for alias in reader.imports:
            last = alias.name.split(".")[-1]
            if last == accessor:
                yield alias.lineno, alias.col_offset + len((alias.name[: -len(last)]).encode()), "import"
        for node in reader.definitions:
            if node.name == accessor:
                yield node.lineno, node, "definition"
        for node, scope in reader.stores:
            if node.id == accessor:
                home = scope.home(accessor)
                values = [b for b in home.bound[accessor] if b and b[0] == "value"]
                own = [b for b in values if self.binds(b, ())]
                if home.kind != FUNCTION and not own:
                    yield node.lineno, node.col_offset, "definition"
        for node, scope in reader.reads:
            means = self.means(node, scope)
            if not means:
                continue
            is_attribute = isinstance(node, ast.Attribute)
            if node in reader.called:
                kind = "attribute_call" if is_attribute else "call"
                kind = "alias_call" if means == "alias" else kind
            else:
                kind = "alias" if node in reader.renamed else "reference"
            if is_attribute:
                yield node.end_lineno, node.end_col_offset - len(node.attr.encode()), kind
            else:
                yield node.lineno, node.col_offset, kind
        for node, value in reader.strings:
            if re.fullmatch(r"[\w.:$]+", value) and accessor in re.split(r"[.:]", value):
                yield node.lineno, node.col_offset, "patch_string"


def uses(path, accessor):
    with open(path, "rb") as file:
        text = file.read().decode("utf-8", "replace")
    lines = text.split("\n")
    for line, column, kind in Uses(Reader(ast.parse(text)), accessor).all():
        if not isinstance(column, int):
            # A definition's name stands behind its keyword.
            column = len(lines[line - 1].encode()[: column.col_offset])
            before = lines[line - 1].encode()[column:]
            column += re.search(rb"\b" + accessor.encode() + rb"\b", before).start()
        yield line, len(lines[line - 1].encode()[:column].decode()) + 1, kind


def main(root, accessor):
    found = []
    for folder, _, files in os.walk(root):
        for name in files:
            if name.endswith(".py"):
                path = os.path.join(folder, name)
                relative = os.path.relpath(path, root).replace(os.sep, "/")
                try:
                    found += [[relative, *use] for use in uses(path, accessor)]
                except SyntaxError:
                    continue
    print(json.dumps(sorted(found)))


main(*sys.argv[1:])
