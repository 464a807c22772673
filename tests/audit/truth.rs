//! The audit against what Python's own `ast` says, on trees of real syntax.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use partywall::trial::audit::UseKind;

use super::{LEGACY, Scratch, audited, folder, generate, snake};

/// Path, line, column, kind.
type Place = (String, u32, u32, String);

/// What Python says, or nothing where there is no Python that can.
fn truth(root: &Path) -> Option<BTreeSet<Place>> {
    let output = Command::new("python3").arg(folder("truth.py")).arg(root).arg(LEGACY).output();
    let output = match output {
        Ok(output) if output.status.success() => output,
        Ok(output) if output.status.code() != Some(127) => {
            panic!("{}", String::from_utf8_lossy(&output.stderr));
        }
        _ => {
            eprintln!("skipped: there is no python3 to ask");
            return None;
        }
    };
    Some(serde_json::from_slice(&output.stdout).expect("it prints JSON"))
}

/// What the audit says of files that parse, mentions aside.
fn found(root: &Path) -> BTreeSet<Place> {
    let audit = audited(root, false);
    let broken: BTreeSet<_> = audit.files.broken.iter().map(|file| file.path.clone()).collect();
    let uses = audit.uses.into_iter().filter(|found| {
        found.kind != UseKind::Mention
            && found.place.path.ends_with(".py")
            && !broken.contains(&found.place.path)
    });
    uses.map(|found| (found.place.path, found.place.line, found.place.column, snake(found.kind)))
        .collect()
}

#[track_caller]
fn assert_same(root: &Path, least: usize) -> Option<()> {
    let truth = truth(root)?;
    let found = found(root);
    let missed: Vec<_> = truth.difference(&found).take(20).collect();
    let false_ones: Vec<_> = found.difference(&truth).take(20).collect();
    assert!(
        missed.is_empty() && false_ones.is_empty(),
        "missed {missed:#?}, false {false_ones:#?}"
    );
    assert!(truth.len() >= least, "only {} uses to compare", truth.len());
    Some(())
}

#[test]
fn what_python_finds_in_the_fixtures_is_found_and_nothing_else() {
    let scratch = Scratch::new("fixtures");
    for entry in std::fs::read_dir(folder("fixtures/uses")).expect("they are there") {
        let path = entry.expect("they can be read").path();
        let name = path.file_name().expect("a file").to_str().expect("a plain name");
        // An older Python does not know the newer syntax.
        if name.ends_with(".py") && !["broken.py", "newer.py"].contains(&name) {
            scratch.file(name, std::fs::read(&path).expect("it can be read"));
        }
    }
    assert_same(&scratch.0, 60);
}

#[test]
fn what_python_finds_in_a_tree_is_found_and_nothing_else() {
    let scratch = Scratch::new("tree");
    let (_, planted) = generate::write_tree(&scratch.0, 800);
    let compared = assert_same(&scratch.0, 500);
    // The generator knows how many there are, with or without Python.
    assert_eq!(found(&scratch.0).len(), planted as usize, "Python was there: {compared:?}");
}

/// What people leave behind in files.
const DAMAGE: [&str; 8] = [
    "<<<<<<< HEAD\n",
    "=======\n",
    "def half(:\n",
    "value = = 1\n",
    "call(1, [2, {3:\n",
    ")\n",
    "    class\n",
    "return await 'not closed\n",
];

#[test]
fn uses_in_files_with_syntax_errors_are_found_too() {
    let scratch = Scratch::new("damaged");
    let mut rng = fastrand::Rng::with_seed(7);
    let mut planted = BTreeSet::new();
    for number in (0..640).step_by(8) {
        let made = generate::file(number);
        let name = format!("module_{number}.py");
        let whole = Scratch::new(&format!("whole-{number}"));
        whole.file(&name, &made.text);
        let mut lines: Vec<&str> = made.text.split_inclusive('\n').collect();
        // Between two pieces, so that no string or bracket is open there.
        let between: Vec<usize> =
            (1..lines.len()).filter(|at| lines[*at] == "\n" && lines[at - 1] == "\n").collect();
        let at = *rng.choice(&between).expect("there are some");
        lines.insert(at, rng.choice(&DAMAGE).expect("there are some"));
        scratch.file(&name, lines.concat());
        for (path, line, column, _) in found(&whole.0) {
            let line = line + u32::from(line as usize > at);
            planted.insert((path, line, column));
        }
    }
    let audit = audited(&scratch.0, false);
    let found: BTreeSet<_> = audit
        .uses
        .iter()
        .filter(|found| found.kind != UseKind::Mention)
        .map(|found| (found.place.path.clone(), found.place.line, found.place.column))
        .collect();
    let missed: Vec<_> = planted.difference(&found).take(20).collect();
    assert!(missed.is_empty(), "missed {missed:#?}");
    assert!(planted.len() > 200, "only {} were planted", planted.len());
    assert!(audit.files.broken.len() > 70, "{} of 80 are broken", audit.files.broken.len());
}
