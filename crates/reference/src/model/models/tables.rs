//! The table: of several who ask for one thing at a time, one leads and the others join.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::super::kernel::table::Table;
use super::super::spec::{Bound, Control, Expected, ModelSpec, Pinned, Property};
use super::super::stage::Stage;

pub(super) const ONE_LEADER: ModelSpec = ModelSpec {
    name: "table-one-leader",
    about: "three requests enter themselves under one key, and the first of them leads",
    asserts: &[Property::Unique],
    expected: Expected::Clean,
    bound: Bound::Complete,
    interesting: &[("request 2", "enter"), ("request 1", "enter"), ("request 3", "enter")],
    controls: &[Control {
        name: "looks, then enters",
        violates: Property::Unique,
        pinned: 2,
        body: |stage| enter(stage, looks_then_enters),
    }],
    pinned: Pinned::both(26),
    body: |stage| enter(stage, enters_in_one_go),
};

type Entries = Table<&'static str, Vec<&'static str>>;

fn enter(stage: &Arc<Stage>, enters: fn(&Entries, &'static str) -> bool) {
    let table = Arc::new(Table::new(3));
    let leaders = Arc::new(AtomicU32::new(0));
    for request in ["request 1", "request 2", "request 3"] {
        let (table, leaders) = (Arc::clone(&table), Arc::clone(&leaders));
        stage.spawn(request, move |actor| {
            let leads = enters(&table, request);
            actor.did("enter", if leads { "and leads" } else { "and joins" });
            leaders.fetch_add(u32::from(leads), Ordering::Relaxed);
        });
    }
    stage.finally(move |stage| {
        let leaders = leaders.load(Ordering::Relaxed);
        stage.demand(leaders == 1, Property::Unique, || format!("{leaders} requests lead"));
        let entered = table.take(&"key").map_or(0, |entered| entered.len());
        stage.demand(entered == 3, Property::Unique, || format!("{entered} of 3 are entered"));
    });
}

fn enters_in_one_go(table: &Entries, request: &'static str) -> bool {
    table.change("key", Vec::new, |entered| {
        entered.push(request);
        entered.len() == 1
    })
}

/// Broken: another may enter between the look and the entry.
fn looks_then_enters(table: &Entries, request: &'static str) -> bool {
    let mut entered = table.get(&"key").unwrap_or_default();
    entered.push(request);
    let leads = entered.len() == 1;
    table.put("key", entered);
    leads
}
