//! The static audit: what is found, what is not, and how fast.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use partywall::audit::symbols::Symbol;
use partywall::audit::{Options, audit};
use partywall::trial::audit::{AuditRecord, Use};

#[path = "audit/baselines.rs"]
mod baselines;
#[path = "audit/fixtures.rs"]
mod fixtures;
#[path = "audit/generate.rs"]
mod generate;
#[path = "audit/hostile.rs"]
mod hostile;
#[path = "audit/reports.rs"]
mod reports;
#[path = "audit/tree.rs"]
mod tree;
#[path = "audit/truth.rs"]
mod truth;

const LEGACY: &str = "get_agent_instance_factory";
const REPLACEMENT: &str = "create_agent_instance_factory";

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/audit").join(name)
}

fn options() -> Options {
    Options::new(vec![Symbol::new(LEGACY, Some(REPLACEMENT)).expect("plain names")])
}

/// An audit of a folder in which nothing is a test by its path.
fn audited(root: &Path, find_singletons: bool) -> AuditRecord {
    let mut options = options();
    options.find_singletons = find_singletons;
    options.tests = vec![partywall::audit::glob::Glob::new("no/such/path")];
    audit(root, &options, &|_, _| {}).expect("the folder can be read")
}

/// A folder of a test's own, removed again unless the test fails.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let own = format!("audit-{name}-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(own);
        std::fs::create_dir_all(&path).expect("the folder of tests can be written");
        Self(path)
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.0.join(name);
        let folder = path.parent().expect("it is in a folder");
        std::fs::create_dir_all(folder).expect("the folder of tests can be written");
        std::fs::write(path, text).expect("the folder of tests can be written");
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// What a serialised name of an enum is: `attribute_call`.
fn snake(value: impl serde::Serialize) -> String {
    let text = serde_json::to_string(&value).expect("plain data serialises");
    text.trim_matches('"').to_owned()
}

/// Something of each line, by file and line; sorted within a line.
fn by_line(uses: &[Use], of: impl Fn(&Use) -> String) -> BTreeMap<(String, u32), Vec<String>> {
    let mut lines: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for found in uses {
        let line = (found.place.path.clone(), found.place.line);
        lines.entry(line).or_default().push(of(found));
    }
    lines.values_mut().for_each(|values| values.sort());
    lines
}
