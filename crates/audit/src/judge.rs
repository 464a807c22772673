//! What all files together say of the suspects: what reaches them, what becomes of what their
//! getters give, and which of them are the same.

use std::collections::HashMap;

use super::reach::Reach;
use super::summary::{Function, Held, Summary};
use super::suspects::instances::{Class, Instance};
use super::suspects::{Candidate, Write};
use partywall_core::audit::{Code, Shown, SingletonSuspect, SuspectKind};

/// So many lines are enough to judge a suspect by.
const MOST_SHOWN: usize = 5;

/// Where more functions take an object by that name, it need not be this one.
const MOST_HOLDERS: usize = 64;

/// Folders of what does not serve: no score above 2.
const ASIDE: [&str; 14] = [
    "scripts",
    "script",
    "tools",
    "examples",
    "example",
    "docs",
    "doc",
    "benchmarks",
    "benchmark",
    "migrations",
    "alembic",
    "versions",
    "bin",
    "backups",
];

/// The suspects of all files, the likeliest first.
pub(crate) fn judge(files: &mut [Summary], reach: &Reach) -> Vec<SingletonSuspect> {
    let mut candidates: Vec<(usize, Candidate)> = Vec::new();
    for (at, file) in files.iter_mut().enumerate() {
        candidates
            .extend(std::mem::take(&mut file.candidates).into_iter().map(|found| (at, found)));
    }
    let whole = Whole::new(files, reach);
    let mut suspects: Vec<Suspect<'_>> =
        candidates.into_iter().map(|(file, found)| whole.suspect(file, found)).collect();
    suspects.extend(whole.instances());
    let mut suspects: Vec<SingletonSuspect> =
        merged(suspects).into_iter().filter_map(|suspect| whole.judged(suspect)).collect();
    suspects.sort_by(|one, other| {
        (one.browser, std::cmp::Reverse(one.score))
            .cmp(&(other.browser, std::cmp::Reverse(other.score)))
            .then_with(|| one.place.cmp(&other.place))
    });
    suspects
}

/// A suspect with the file of each of its writes.
struct Suspect<'f> {
    file: usize,
    found: Candidate,
    writes: Vec<(usize, Write)>,
    /// What becomes of it where functions take it.
    held: Vec<(usize, &'f Held)>,
}

struct Whole<'f> {
    files: &'f [Summary],
    reach: &'f Reach,
    classes: HashMap<&'f str, Vec<(usize, &'f Class)>>,
    held: HashMap<&'f str, Vec<(usize, &'f Held)>>,
}

impl<'f> Whole<'f> {
    fn new(files: &'f [Summary], reach: &'f Reach) -> Self {
        let mut whole = Self { files, reach, classes: HashMap::new(), held: HashMap::new() };
        for (at, file) in files.iter().enumerate() {
            for class in &file.classes {
                whole.classes.entry(&class.name).or_default().push((at, class));
            }
            for held in &file.held {
                whole.held.entry(&held.of).or_default().push((at, held));
            }
        }
        whole
    }

    fn suspect(&self, file: usize, mut found: Candidate) -> Suspect<'f> {
        let writes = std::mem::take(&mut found.writes).into_iter().map(|write| (file, write));
        let writes = writes.collect();
        let held = found.getters.iter().flat_map(|getter| self.held_by(getter)).collect();
        Suspect { file, found, writes, held }
    }

    fn held_by(&self, name: &str) -> Vec<(usize, &'f Held)> {
        self.held.get(name).cloned().unwrap_or_default()
    }

    /// Objects made at import whose class writes on its own objects.
    fn instances(&self) -> Vec<Suspect<'f>> {
        let mut found = Vec::new();
        for (at, file) in self.files.iter().enumerate() {
            for instance in &file.instances {
                let writes = self.writes_of(at, &instance.class);
                if !writes.is_empty() {
                    found.push(self.instance(at, instance, &writes));
                }
            }
        }
        found
    }

    fn instance(
        &self,
        at: usize,
        instance: &Instance,
        writes: &[(usize, &'f Write)],
    ) -> Suspect<'f> {
        let found = Candidate {
            kind: SuspectKind::SharedMutable,
            name: instance.name.clone(),
            place: instance.place.clone(),
            code: Code::Application,
            base: 2,
            most: u32::MAX,
            shown: vec![instance.shown.clone()],
            writes: Vec::new(),
            root: instance.name.clone(),
            getters: Vec::new(),
        };
        // A name that many files use says nothing of this object.
        let held = Some(self.held_by(&instance.name)).filter(|held| held.len() <= MOST_HOLDERS);
        let held = held.unwrap_or_default();
        let writes = writes.iter().map(|(file, write)| (*file, (*write).clone())).collect();
        Suspect { file: at, found, writes, held }
    }

    /// What the methods of a class write, and those of its bases: the class of the file itself, or
    /// else the only one of that name.
    fn writes_of(&self, file: usize, class: &str) -> Vec<(usize, &'f Write)> {
        let mut found = Vec::new();
        let mut next = vec![class];
        let mut seen: Vec<&str> = Vec::new();
        while let Some(class) = next.pop() {
            let all = self.classes.get(class).map_or(&[][..], Vec::as_slice);
            let own = all.iter().find(|(of, _)| *of == file);
            let only = if all.len() == 1 { all.first() } else { None };
            let Some((of, class)) = own.or(only) else { continue };
            if seen.contains(&class.name.as_str()) || seen.len() > 8 {
                continue;
            }
            seen.push(&class.name);
            found.extend(class.writes.iter().map(|write| (*of, write)));
            next.extend(class.bases.iter().map(String::as_str));
        }
        found
    }

    fn function(&self, file: usize, scope: Option<usize>) -> Option<(usize, &'f Function)> {
        let functions = &self.files[file].functions;
        let at = functions.binary_search_by_key(&scope?, |function| function.scope).ok()?;
        Some((at, &functions[at]))
    }

    /// What a write is worth, and the route that reaches it.
    fn weight(&self, file: usize, write: &Write) -> (i64, Option<&'f str>) {
        let Some((at, function)) = self.function(file, write.function) else { return (0, None) };
        let reached = self.reach.get(file, at);
        let weight = match reached {
            Some(reached) if reached.steps == 0 => 4,
            Some(_) => 3,
            None if function.at_start => return (-1, None),
            None if function.serves => 2,
            None => 1,
        };
        let route = reached.map(|reached| self.reach.route(self.files, reached));
        (weight + i64::from(write.personal), route)
    }

    fn judged(&self, mut suspect: Suspect<'f>) -> Option<SingletonSuspect> {
        let mut weighed: Vec<(i64, Option<&str>, usize, Write)> = Vec::new();
        for (file, write) in std::mem::take(&mut suspect.writes) {
            let (weight, route) = self.weight(file, &write);
            weighed.push((weight, route, file, write));
        }
        weighed.sort_by_key(|(weight, ..)| std::cmp::Reverse(*weight));
        let only_at_start = weighed.first().is_some_and(|(weight, ..)| *weight < 0);
        if only_at_start && suspect.found.kind == SuspectKind::ProcessAttribute {
            // That is how an application is put together.
            return None;
        }
        let mut score = i64::from(suspect.found.base);
        score += weighed.first().map_or(0, |(weight, ..)| *weight);
        let reached_from = weighed.iter().find_map(|(_, route, ..)| *route).map(str::to_owned);
        let mut shown = Vec::new();
        for (_, route, file, write) in weighed {
            let mut line = write.shown;
            if let Some(route) = route {
                line.what = format!("{}, reached from {route}", line.what);
            }
            line.path = (file != suspect.file).then(|| self.files[file].path.clone());
            shown.push(line);
        }
        shown.truncate(MOST_SHOWN - 2);
        shown.extend(std::mem::take(&mut suspect.found.shown));
        let mut reached_by_held = None;
        if !suspect.held.is_empty() {
            let weigh = |(file, held): &&(usize, &Held)| {
                let reached = self.function(*file, held.function).and_then(|(at, _)| {
                    self.reach.get(*file, at).map(|reached| u32::MAX - reached.steps)
                });
                (held.worth, reached.unwrap_or(0), self.files[*file].path.clone())
            };
            let strongest = suspect.held.iter().max_by_key(weigh);
            if let Some((file, held)) = strongest {
                score += i64::from(held.worth);
                let reached = self
                    .function(*file, held.function)
                    .and_then(|(at, _)| self.reach.get(*file, at));
                reached_by_held =
                    reached.map(|reached| self.reach.route(self.files, reached).to_owned());
                score += i64::from(reached.is_some());
                let path = (*file != suspect.file).then(|| self.files[*file].path.clone());
                let lines =
                    held.shown.iter().map(|line| Shown { path: path.clone(), ..line.clone() });
                shown.splice(0..0, lines.take(3));
            }
        }
        shown.dedup();
        shown.truncate(MOST_SHOWN);
        let file = &self.files[suspect.file];
        let mut most = suspect.found.most;
        let mut folders = file.path.split('/').rev().skip(1);
        if folders.any(|folder| ASIDE.contains(&folder)) {
            most = most.min(2);
        }
        Some(SingletonSuspect {
            kind: suspect.found.kind,
            name: suspect.found.name,
            place: suspect.found.place,
            code: suspect.found.code,
            score: u32::try_from(score.max(1)).unwrap_or(1).min(most),
            reached_from: reached_by_held.or(reached_from),
            browser: file.browser,
            shown_by: shown,
        })
    }
}

/// Suspects of the same name are one: `POOL` and `POOL[…]`.
fn merged(suspects: Vec<Suspect<'_>>) -> Vec<Suspect<'_>> {
    let is_whole = |suspect: &Suspect<'_>| {
        matches!(suspect.found.kind, SuspectKind::LazyGlobal | SuspectKind::SharedMutable)
    };
    let (whole, parts): (Vec<_>, Vec<_>) = suspects.into_iter().partition(is_whole);
    let mut kept: Vec<Suspect<'_>> = Vec::new();
    let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
    let mut by_file: HashMap<(usize, String), usize> = HashMap::new();
    for suspect in whole {
        let key = (suspect.file, suspect.found.root.clone());
        let same = by_file.get(&key).copied();
        match same {
            Some(at) => {
                let known = &mut kept[at];
                known.found.base = known.found.base.max(suspect.found.base);
                known.writes.extend(suspect.writes);
                known.held.extend(suspect.held);
            }
            None => {
                by_name.entry(suspect.found.root.clone()).or_default().push(kept.len());
                by_file.insert(key, kept.len());
                kept.push(suspect);
            }
        }
    }
    for suspect in parts {
        let all = by_name.get(&suspect.found.root).map_or(&[][..], Vec::as_slice);
        let own = by_file.get(&(suspect.file, suspect.found.root.clone())).copied();
        let whole = suspect.found.name.trim_end_matches("[…]").to_owned();
        let own = own.or_else(|| by_file.get(&(suspect.file, whole)).copied());
        let is_item = suspect.found.name == format!("{}[…]", suspect.found.root);
        let only = (is_item && all.len() == 1).then(|| all[0]);
        let is_attribute = suspect.found.kind == SuspectKind::ProcessAttribute;
        match own.or(only).filter(|_| is_attribute) {
            Some(at) => {
                kept[at].writes.extend(suspect.writes);
            }
            None => {
                if suspect.found.kind == SuspectKind::Cache && own.is_some() {
                    continue;
                }
                kept.push(suspect);
            }
        }
    }
    kept
}
