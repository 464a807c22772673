//! Which functions a request reaches: a graph of calls by their names, from the handlers on.

use std::collections::{HashMap, VecDeque};

use super::summary::{Edge, Names, Summary};

/// A plain name that more functions have is not followed: it says nothing.
const MOST_NAMESAKES: usize = 6;

/// Methods that every kind of object has; they are followed only where one function is called so.
const COMMON: [&str; 44] = [
    "get", "set", "add", "pop", "put", "update", "append", "items", "keys", "values", "join",
    "split", "format", "strip", "read", "write", "close", "open", "run", "start", "stop", "send",
    "execute", "commit", "encode", "decode", "copy", "clear", "remove", "insert", "delete", "find",
    "filter", "all", "first", "save", "create", "load", "lower", "count", "index", "map", "then",
    "next",
];

/// How a request comes to each function.
#[derive(Debug)]
pub(super) struct Reach {
    of: HashMap<(usize, usize), Reached>,
}

/// How a request comes to one function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reached {
    /// The file and the position of the handler.
    handler: (usize, usize),
    /// How many calls are between; 0 for the handler itself.
    pub(super) steps: u32,
}

impl Reach {
    /// Follows the calls of all handlers, breadth first: the nearest handler is named.
    pub(super) fn new(files: &[Summary], names: &Names) -> Self {
        let mut namesakes: HashMap<u32, Vec<(usize, usize)>> = HashMap::new();
        let mut of = HashMap::new();
        let mut next = VecDeque::new();
        for (at, file) in files.iter().enumerate() {
            for (position, function) in file.functions.iter().enumerate() {
                if let Some(name) = function.name {
                    namesakes.entry(name).or_default().push((at, position));
                }
                if function.entry.is_some() {
                    of.insert((at, position), Reached { handler: (at, position), steps: 0 });
                    next.push_back((at, position));
                }
            }
        }
        let common: Vec<u32> = COMMON.iter().filter_map(|name| names.get(name)).collect();
        let graph = Graph { files, namesakes, common };
        while let Some(at) = next.pop_front() {
            let reached = of[&at];
            for called in graph.called(at) {
                of.entry(called).or_insert_with(|| {
                    next.push_back(called);
                    Reached { steps: reached.steps + 1, ..reached }
                });
            }
        }
        Self { of }
    }

    /// How a request comes to that function of that file.
    pub(super) fn get(&self, file: usize, position: usize) -> Option<Reached> {
        self.of.get(&(file, position)).copied()
    }

    /// The handler's route: `POST /chat`.
    pub(super) fn route<'f>(&self, files: &'f [Summary], reached: Reached) -> &'f str {
        let (file, position) = reached.handler;
        files[file].functions[position].entry.as_deref().unwrap_or_default()
    }
}

struct Graph<'f> {
    files: &'f [Summary],
    namesakes: HashMap<u32, Vec<(usize, usize)>>,
    common: Vec<u32>,
}

impl Graph<'_> {
    /// The functions that one names.
    fn called(&self, at: (usize, usize)) -> Vec<(usize, usize)> {
        let (file, position) = at;
        let function = &self.files[file].functions[position];
        let mut called = Vec::new();
        for edge in self.files[file].edges_of(function) {
            match edge {
                Edge::Plain(name) => called.extend(self.plain(file, *name)),
                Edge::Own(name) => {
                    let all = self.with_name(*name);
                    let first = all.partition_point(|(of, _)| *of < file);
                    let own = all[first..].iter().copied().take_while(|(of, _)| *of == file);
                    let own = own.filter(|(_, position)| {
                        self.files[file].functions[*position].class == function.class
                    });
                    let own: Vec<_> = own.collect();
                    match own.is_empty() {
                        true => called.extend(self.member(*name)),
                        false => called.extend(own),
                    }
                }
                Edge::Module(name) => {
                    called.extend(self.plain(file, *name));
                    called.extend(self.member(*name));
                }
                Edge::Member(name) => called.extend(self.member(*name)),
            }
        }
        // A script is not called from Python, nor the other way round; and what registers a function
        // that it is given ran when the module was loaded.
        called.retain(|(of, at)| {
            let is_decorator = self.files[*of].functions[*at].registers;
            self.files[*of].script == self.files[file].script && !is_decorator
        });
        called
    }

    fn with_name(&self, name: u32) -> &[(usize, usize)] {
        self.namesakes.get(&name).map_or(&[], Vec::as_slice)
    }

    /// Functions by their plain name: those of the file itself, or else those of others.
    fn plain(&self, file: usize, name: u32) -> Vec<(usize, usize)> {
        let is_plain = |(of, at): &&(usize, usize)| self.files[*of].functions[*at].class.is_none();
        let all = self.with_name(name);
        let first = all.partition_point(|(of, _)| *of < file);
        let own = all[first..].iter().take_while(|(of, _)| *of == file);
        let own: Vec<_> = own.filter(is_plain).copied().collect();
        if own.is_empty() && all.len() > MOST_NAMESAKES * MOST_NAMESAKES {
            return Vec::new();
        }
        let all: Vec<_> = all.iter().filter(is_plain).copied().collect();
        match (own.is_empty(), all.len() <= MOST_NAMESAKES) {
            (false, _) => own,
            (true, true) => all,
            (true, false) => Vec::new(),
        }
    }

    /// Methods that a member may be.
    fn member(&self, name: u32) -> Vec<(usize, usize)> {
        let all = self.with_name(name);
        if all.len() > MOST_NAMESAKES * MOST_NAMESAKES {
            return Vec::new();
        }
        let is_method = |(of, at): &&(usize, usize)| self.files[*of].functions[*at].class.is_some();
        let all: Vec<_> = all.iter().filter(is_method).copied().collect();
        let most = if self.common.contains(&name) { 1 } else { MOST_NAMESAKES };
        if all.len() <= most { all } else { Vec::new() }
    }
}
