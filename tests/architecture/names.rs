//! What some layers must not name: clocks, unordered maps, chance, the environment, the system.

use super::lexer::tokens;
use super::{Complaint, Source, all_sources, complaints};

/// Names that stand only in some places.
struct Rule {
    /// What they would bring in.
    about: &'static str,
    /// Paths, or the ends of paths: `Instant`, `env::var`. A `*` stands for any word that begins
    /// with a lower-case letter.
    names: &'static [&'static str],
    /// The folders or files of `src/` that it holds for; an empty name is all of `src/`.
    within: &'static [&'static str],
    /// Folders or files among them that may.
    except: &'static [&'static str],
}

const RULES: [Rule; 9] = [
    Rule {
        about: "a clock: nothing that is explored or judged may depend on the time of day",
        names: &["Instant", "SystemTime", "UNIX_EPOCH"],
        within: &[
            "core/",
            "world/",
            "reference/",
            "oracles/",
            "explore/user/",
            "explore/workload/",
            "explore/in_process/",
            "explore/exploration/",
            "explore/shrink",
            "drive/",
        ],
        except: &["world/live.rs", "reference/model/check.rs"],
    },
    Rule {
        about: "an unordered collection: its order differs from run to run",
        names: &["HashMap", "HashSet", "RandomState", "DefaultHasher"],
        within: &["core/", "world/", "reference/", "oracles/", "explore/", "drive/", "campaign/"],
        except: &[],
    },
    Rule {
        about: "chance without a seed",
        names: &["rand", "uuid", "getrandom", "fastrand::*", "Rng::new", "Rng::default"],
        within: &[""],
        except: &[],
    },
    Rule {
        about: "chance in a layer that has none of its own",
        names: &["fastrand"],
        within: &[""],
        except: &[
            "world/strategy/",
            "oracles/",
            "explore/workload/",
            "explore/exploration/replay.rs",
            "campaign/",
            "fuzzing/",
        ],
    },
    Rule {
        about: "a generator of an oracle's own: the judge control hands out the one there is",
        names: &["Rng::with_seed", "Rng::fork"],
        within: &["oracles/"],
        except: &["oracles/control.rs"],
    },
    Rule {
        about: "the environment, which only subcommands read",
        names: &["env::*"],
        within: &[""],
        // The folder for temporary files is no setting.
        except: &["cli/", "explore/own_code/isolation.rs"],
    },
    Rule {
        about: "the system: plain data and oracles are pure",
        names: &["std::fs", "std::net", "std::process", "std::thread", "std::io", "tokio", "async"],
        within: &["core/", "oracles/"],
        except: &[],
    },
    Rule {
        about: "a task or a sleep behind the world's back, where no strategy sees it",
        names: &["tokio::spawn", "tokio::time", "tokio::task", "tokio::runtime", "std::thread"],
        within: &["reference/", "explore/user/", "explore/in_process/", "drive/transport/"],
        except: &["reference/model/"],
    },
    Rule {
        about: "what carries a simulated user's messages, which only transports know",
        names: &[
            "reqwest",
            "tokio_tungstenite",
            "rustls",
            "upstream::*",
            "reference::*",
            "transport::*",
            "in_process::*",
        ],
        within: &["explore/user/"],
        except: &[],
    },
];

impl Rule {
    fn judge(&self, source: &Source) -> Vec<Complaint> {
        let is_in = |places: &[&str]| places.iter().any(|place| source.path.starts_with(place));
        if !is_in(self.within) || is_in(self.except) {
            return Vec::new();
        }
        let code = tokens(&source.text);
        let texts: Vec<&str> = code.iter().map(|token| token.text).collect();
        let mut found = Vec::new();
        for (at, token) in code.iter().enumerate() {
            for name in self.names.iter().filter(|name| stands(&texts[at..], name)) {
                found.push(source.complaint(token.line, &format!("`{name}`: {}", self.about)));
            }
        }
        found
    }
}

/// Whether the code begins with that path.
fn stands(code: &[&str], path: &str) -> bool {
    let mut code = code.iter();
    path.split("::").enumerate().all(|(at, segment)| {
        if at > 0 && code.next() != Some(&"::") {
            return false;
        }
        let Some(word) = code.next() else { return false };
        match segment {
            "*" => word.starts_with(|c: char| c.is_ascii_lowercase()),
            segment => *word == segment,
        }
    })
}

#[test]
fn no_layer_names_what_it_must_not() {
    let found = complaints(|source| RULES.iter().flat_map(|rule| rule.judge(source)).collect());
    assert!(found.is_empty(), "not to be named there:\n{}", found.join("\n"));
}

#[test]
fn every_rule_names_places_that_there_are() {
    let sources = all_sources();
    for rule in &RULES {
        for place in rule.within.iter().chain(rule.except) {
            let is_there = sources.iter().any(|source| source.path.starts_with(place));
            assert!(is_there, "nothing is in `{place}`, where this holds: {}", rule.about);
        }
    }
}

#[test]
fn a_planted_name_is_found() {
    // The number of the rule, the file, the line; each fires that rule once.
    let planted = [
        (0, "reference/planted.rs", "use std::time::{Duration, Instant};"),
        (0, "explore/user/planted.rs", "let now = Instant::now();"),
        (0, "explore/shrink/planted.rs", "use std::time::Instant;"),
        (0, "world/simulated.rs", "let now = std::time::SystemTime::now();"),
        (1, "oracles/planted.rs", "use std::collections::HashMap;"),
        (1, "core/planted.rs", "runs: std::collections::HashSet<u16>,"),
        (1, "explore/exploration/planted.rs", "use std::collections::HashMap;"),
        (2, "campaign/planted.rs", "let seed = fastrand::u64(..);"),
        (2, "drive/scenario/planted.rs", "let mut rng = fastrand::Rng::new();"),
        (2, "reference/planted.rs", "let id = uuid::Uuid::new_v4();"),
        (3, "core/planted.rs", "fn draw(rng: &mut fastrand::Rng) {}"),
        (3, "world/simulated.rs", "let rng = fastrand::Rng::with_seed(1);"),
        (3, "explore/user/planted.rs", "let rng = fastrand::Rng::with_seed(1);"),
        (4, "oracles/canary.rs", "let mut rng = Rng::with_seed(7);"),
        (5, "campaign/planted.rs", "let set = std::env::var(\"PARTYWALL_SEED\");"),
        (5, "lib.rs", "fn home() -> Option<OsString> { env::var_os(\"HOME\") }"),
        (5, "explore/store/planted.rs", "let home = env::var(\"HOME\");"),
        (6, "oracles/planted.rs", "let text = std::fs::read_to_string(path);"),
        (6, "core/planted.rs", "pub async fn mint() {}"),
        (7, "explore/user/planted.rs", "tokio::spawn(work);"),
        (7, "drive/transport/planted.rs", "tokio::time::sleep(patience);"),
        (7, "reference/planted.rs", "std::thread::spawn(work);"),
        (8, "explore/user/planted.rs", "use crate::reference::auth;"),
        (8, "explore/user/planted.rs", "fn send(client: &reqwest::Client) {}"),
    ];
    for (number, path, line) in planted {
        let found = RULES[number].judge(&Source::planted(path, line));
        assert_eq!(found.len(), 1, "rule {number} on {path}: {line}: {found:?}");
    }
    let covered = |number| planted.iter().any(|(rule, ..)| *rule == number);
    assert!((0..RULES.len()).all(covered), "a rule without a planted line");
}

#[test]
fn a_harmless_line_is_left_alone() {
    let harmless = [
        ("world/live.rs", "use tokio::time::Instant;"),
        ("campaign/planted.rs", "use std::time::{Instant, SystemTime};"),
        ("oracles/planted.rs", "fn draw(rng: &mut fastrand::Rng) {} // HashMap, Instant"),
        ("oracles/control.rs", "let mut rng = fastrand::Rng::with_seed(seed);"),
        ("cli/output.rs", "std::env::var_os(name)"),
        ("core/planted.rs", "let version = env!(\"CARGO_PKG_VERSION\"); let s = \"Instant\";"),
        ("reference/planted.rs", "use tokio::sync::watch; use std::collections::BTreeMap;"),
    ];
    for (path, line) in harmless {
        let source = Source::planted(path, line);
        let found: Vec<_> = RULES.iter().flat_map(|rule| rule.judge(&source)).collect();
        assert!(found.is_empty(), "{path}: {line}: {found:?}");
    }
}
