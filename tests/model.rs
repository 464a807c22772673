//! Every model with its controls: what it comes to, how much was explored, and how it is told.

use std::cell::Cell;
use std::sync::OnceLock;

use partywall::model::{
    Bound, Expected, ModelOutcome, ModelSpec, Property, Step, Thoroughness, check, models,
    render_story, render_table, replay,
};

/// What one search came to, where it is not as pinned; each line says what to look at.
fn complaints(spec: &ModelSpec, outcome: &ModelOutcome, thoroughness: Thoroughness) -> Vec<String> {
    let mut found = Vec::new();
    let mut demand = |holds: bool, text: String| {
        if !holds {
            found.push(format!("{}: {text}", spec.name));
        }
    };
    let pinned = spec.pinned.of(thoroughness);
    let explored = outcome.interleavings;
    demand(explored == pinned, format!("{explored} interleavings, pinned {pinned}"));
    demand(outcome.reached, format!("never came to {:?}", spec.interesting));
    for (control, seen) in spec.controls.iter().zip(&outcome.controls) {
        let (name, at, pinned) = (control.name, seen.interleavings, control.pinned);
        demand(seen.fired, format!("control `{name}` was not refuted for {}", control.violates));
        demand(at == pinned, format!("control `{name}` ended at {at}, pinned {pinned}"));
    }
    let story = outcome.refuted.as_ref().map(render_story).unwrap_or_default();
    demand(outcome.as_expected(), format!("not {:?}\n{story}", spec.expected));
    found
}

/// What the ordinary search of every model came to; searched once for all tests.
fn outcomes() -> &'static [ModelOutcome] {
    static OUTCOMES: OnceLock<Vec<ModelOutcome>> = OnceLock::new();
    OUTCOMES.get_or_init(|| {
        models().iter().map(|spec| check(spec, Thoroughness::Usual, &|_| {})).collect()
    })
}

fn outcome(name: &str) -> &'static ModelOutcome {
    outcomes().iter().find(|outcome| outcome.name == name).expect("there is such a model")
}

fn model(name: &str) -> &'static ModelSpec {
    models().iter().find(|spec| spec.name == name).expect("there is such a model")
}

#[test]
fn every_model_comes_to_what_it_must() {
    let complain = |(spec, outcome)| complaints(spec, outcome, Thoroughness::Usual);
    let found: Vec<String> = models().iter().zip(outcomes()).flat_map(complain).collect();
    assert!(found.is_empty(), "{}\n\n{}", found.join("\n"), render_table(outcomes()));
}

#[test]
fn the_thorough_search_of_the_bounded_models_is_clean_too() {
    let bounded = models().iter().filter(|spec| spec.bound != Bound::Complete);
    let mut found = Vec::new();
    for spec in bounded {
        let outcome = check(spec, Thoroughness::Thorough, &|_| {});
        found.extend(complaints(spec, &outcome, Thoroughness::Thorough));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn progress_is_told_while_a_search_goes_on() {
    let told = Cell::new(0);
    let outcome = check(model("limit-two-seats"), Thoroughness::Usual, &|explored| {
        assert!(told.replace(explored) <= explored, "it went back to {explored}");
    });
    assert_eq!(told.get(), outcome.interleavings);
}

#[test]
fn the_legacy_counterexample_tells_of_the_last_writer() {
    let outcome = outcome("legacy-2-users");
    let story = outcome.refuted.as_ref().expect("the fault is found");
    assert!(story.violates(Property::Own), "{story:?}");
    let moments = [("alice", "configure"), ("bob", "configure"), ("alice", "read")];
    let places = moments.map(|(thread, did)| {
        let place = |step: &Step| step.thread == thread && step.did == did;
        story.steps.iter().position(place).expect("the story names it")
    });
    assert!(places.is_sorted(), "{}", render_story(story));
    assert_eq!(story.steps[places[2]].detail, "gets bob's bridge from the shared factory");
    assert!(outcome.seconds < 1.0, "it took {} s", outcome.seconds);
}

#[test]
fn a_story_is_drawn_side_by_side() {
    let story = replay(model("legacy-2-users"), None, Thoroughness::Usual, 14).expect("is there");
    let told = "\
legacy-2-users, interleaving 14

    alice                                 bob
    ------------------------------------  ------------------------------------
 1  configure: writes alice's bridge
    into the shared factory
 2  take a seat: got it
 3                                        configure: writes bob's bridge into
                                          the shared factory
 4                                        take a seat: got it
 5                                        read: gets bob's bridge from the
                                          shared factory
 6                                        deliver: bob's event 1 to bob's tab
 7  read: gets bob's bridge from the
    shared factory
 8  deliver: alice's event 1 to bob's
    tab

Wrong: alice's event 1 came to bob's tab.
Ought to hold: no event reaches a connection of another user.
";
    assert_eq!(render_story(&story), told);
}

#[test]
fn every_counterexample_replays() {
    for (spec, outcome) in models().iter().zip(outcomes()) {
        if let Some(story) = &outcome.refuted {
            let again = replay(spec, None, Thoroughness::Usual, story.execution);
            assert_eq!(again.as_ref(), Some(story));
        }
        for control in &outcome.controls {
            let again =
                replay(spec, Some(control.name), Thoroughness::Usual, control.interleavings);
            assert_eq!(again, control.refuted, "{}: {}", spec.name, control.name);
        }
    }
}

#[test]
fn a_clean_interleaving_can_be_told_and_one_that_is_not_there_cannot() {
    let spec = model("per-request-2-users");
    let story = replay(spec, None, Thoroughness::Usual, 31).expect("the last interleaving");
    assert!(story.violation.is_none() && !story.steps.is_empty(), "{story:?}");
    assert_eq!(replay(spec, None, Thoroughness::Usual, 32), None);
    assert_eq!(replay(spec, Some("no such control"), Thoroughness::Usual, 1), None);
}

#[test]
fn a_deadlock_says_who_waits() {
    let control = &outcome("limit-cancel").controls[0];
    let story = control.refuted.as_ref().expect("a lost wake-up");
    let violation = story.violation.as_ref().expect("it is told");
    assert_eq!(violation.seen, "deadlock: waiting waits and nobody is left to end it");
}

#[test]
fn every_model_says_what_it_asserts_and_has_a_control() {
    for spec in models() {
        let refuted = matches!(spec.expected, Expected::Refuted(_));
        assert!(refuted || !spec.controls.is_empty(), "{} has no control", spec.name);
        assert!(!spec.interesting.is_empty(), "{} waits for nothing", spec.name);
        let caught = spec.controls.iter().map(|control| control.violates);
        for property in caught {
            assert!(spec.asserts.contains(&property), "{} does not assert {property}", spec.name);
        }
        let namesakes = models().iter().filter(|other| other.name == spec.name);
        assert_eq!(namesakes.count(), 1, "{} is there twice", spec.name);
    }
}

#[test]
fn every_property_that_a_model_asserts_is_caught_by_some_control() {
    let caught = |property| {
        let of_control = |spec: &ModelSpec| {
            spec.controls.iter().any(|control| control.violates == property)
                || spec.expected == Expected::Refuted(property)
        };
        models().iter().any(of_control)
    };
    let asserted = models().iter().flat_map(|spec| spec.asserts);
    let never: Vec<_> = asserted.filter(|&&property| !caught(property)).collect();
    assert!(never.is_empty(), "asserted, and never seen to fail: {never:?}");
}

#[test]
fn tables_and_stories_fit_eighty_columns() {
    let stories = outcomes().iter().flat_map(|outcome| {
        let of_controls = outcome.controls.iter().filter_map(|control| control.refuted.as_ref());
        of_controls.chain(&outcome.refuted).map(render_story)
    });
    for text in stories.chain([render_table(outcomes())]) {
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{text}");
    }
}

/// The documentation's table has a line for each model: name, search, interleavings, seconds.
#[test]
fn the_documented_figures_are_the_pinned_ones() {
    let docs = include_str!("../crates/reference/src/model/mod.rs");
    let rows: Vec<Vec<&str>> = docs
        .lines()
        .filter_map(|line| line.strip_prefix("//! | `"))
        .map(|row| row.split('|').map(|cell| cell.trim().trim_matches('`')).collect())
        .collect();
    let names: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(names, models().iter().map(|spec| spec.name).collect::<Vec<_>>());
    for (row, spec) in rows.iter().zip(models()) {
        let thorough = spec.pinned.thorough;
        let thorough =
            if spec.bound == Bound::Complete { String::new() } else { grouped(thorough) };
        assert_eq!([row[2], row[4]], [grouped(spec.pinned.usual), thorough], "{}", spec.name);
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let head = digits.len() % 3;
    let mut groups: Vec<&str> = Vec::new();
    if head > 0 {
        groups.push(&digits[..head]);
    }
    groups.extend((head..digits.len()).step_by(3).map(|place| &digits[place..place + 3]));
    groups.join(",")
}
