//! The names of generated users and the ids that their clients choose.

use std::collections::BTreeSet;

use partywall::scenario::workload::names::{id, name};
use partywall::scenario::workload::user_name;
use partywall::scenario::{Ids, Scenario, ServerWork, TEMPLATES};
use partywall::trial::ids::UserName;

fn work(ids: Ids) -> ServerWork {
    let scenario = Scenario::parse(TEMPLATES[0].1).expect("valid");
    ServerWork { ids, ..scenario.wire.server.expect("it is one of a server") }
}

#[test]
fn generated_names_are_awkward_in_each_way() {
    let work = work(Ids::Equal);
    let names: Vec<String> = (0..5_000).map(|index| name(&work, index).to_string()).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    let pairs = || names.iter().flat_map(|one| names[..20].iter().map(move |other| (one, other)));
    assert!(pairs().any(|(one, other)| one != other && one.starts_with(other.as_str())));
    assert!(names.iter().any(|name| name.contains(':')) && names.iter().any(|n| n.contains('_')));
    assert!(names[..8].iter().filter(|name| !name.is_ascii()).count() == 2);
    assert!(pairs().any(|(one, other)| one != other && one.len() == other.len()));
    let plain = ServerWork { unicode_names: false, ..work };
    assert!((0..100).all(|index| name(&plain, index).as_str().is_ascii()));
}

#[test]
fn ids_are_equal_or_unique_or_collide_when_joined_with_the_name() {
    let all = |ids| -> Vec<(String, String)> {
        let work = work(ids);
        let of = |index| {
            let work = work.clone();
            (1..=4).map(move |run: u32| {
                let id = id(&work, 50, index, run, &run.to_string());
                (name(&work, index).to_string(), id)
            })
        };
        (0..50).flat_map(of).collect()
    };
    let ids = |of: &[(String, String)]| -> BTreeSet<String> {
        of.iter().map(|(_, id)| id.clone()).collect()
    };
    assert_eq!(ids(&all(Ids::Equal)).len(), 4);
    let unique = all(Ids::Unique);
    assert_eq!(ids(&unique).len(), 200);
    assert!(unique.iter().all(|(_, id)| id.parse::<u64>().is_ok()));
    let colliding = all(Ids::Colliding);
    // One user's ids differ, or answers could not be told apart.
    assert_eq!(colliding.iter().collect::<BTreeSet<_>>().len(), 200);
    for separator in ["", ":", "_"] {
        let mut joined = BTreeSet::new();
        let key = |(name, id): &(String, String)| format!("{name}{separator}{id}");
        let twice = colliding.iter().filter(|own| !joined.insert(key(own))).count();
        assert!(twice > 0, "joined with `{separator}`");
    }
}

#[test]
fn user_names_are_unique_and_some_are_prefixes_of_others() {
    let names: Vec<UserName> = (0..5_000).map(user_name).collect();
    let mut sorted = names.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), names.len());
    assert!(names[1].as_str().starts_with(names[0].as_str()));
}
