//! Leaking plans of the wire are made small, while they leak often enough.

use std::path::Path;
use std::time::{Duration, Instant};

use partywall::campaign::budget::Stop;
use partywall::campaign::launched::Launched;
use partywall::campaign::wire::shrink::{ShrinkBudget, shrink_wire_repro};
use partywall::scenario::Target;
use partywall::swarm::Servers;
use partywall::trial::plan::Step;

use super::drive::{Came, drive_with, steered};
use crate::servers::{Leak, steered_chat};

const WORK: &str = "users = 12\nruns_per_user = 3\nrounds = 1\nstop_other_percent = 60\n\
                    malformed_percent = 30\nstart_delay = [0, 10]";

fn found(url: &str, text: &str, shrink: ShrinkBudget) -> Came {
    let came = drive_with(url, text, shrink, 4, &Stop::default());
    came.is_found_by("O9");
    came
}

fn reached(url: &str) -> Launched {
    let (target, given) = (Target::at(url), Servers::default());
    // Nothing is started, so that nothing is logged.
    let nothing = Path::new("");
    let launched = Launched::start(&target, nothing, &given, nothing, &Stop::default());
    launched.expect("it may be driven")
}

#[test]
fn a_finding_is_of_few_users_runs_and_faults_and_states_its_rate() {
    let (server, _) = steered_chat::start(Leak::AnybodysRun);
    let budget = ShrinkBudget { time: Duration::from_secs(30), drives: 200 };
    let came = found(&server.url(), &steered("", WORK), budget);
    let finding = came.level.findings.iter().find(|found| found.oracle.code() == "O9");
    let finding = finding.expect("it was found");
    let rate = finding.reproduction_rate.expect("it was driven again");
    assert!(rate.of == 4 && rate.hit >= 2, "{rate:?}");
    let repro = came.repros.iter().find(|repro| repro.fingerprint == finding.fingerprint);
    let plan = &repro.expect("a repro").plan;
    assert!(plan.users.len() <= 4, "{:#?}", plan.users);
    assert!(plan.runs().count() <= 8, "{:#?}", plan.users);
    let mut steps = plan.users.iter().flat_map(|user| &user.steps);
    assert!(steps.any(|step| matches!(step, Step::ControlOther { .. })), "{:#?}", plan.users);
    assert!(finding.repro_size.as_deref().is_some_and(|size| size.contains("active users")));
}

#[test]
fn a_repro_is_made_small_and_a_clean_server_shows_nothing() {
    let (server, _) = steered_chat::start(Leak::AnybodysRun);
    let text = steered("", WORK);
    let came = found(&server.url(), &text, ShrinkBudget::NONE);
    let repro = came.repros.iter().find(|repro| repro.oracle.code() == "O9").expect("a repro");
    assert_eq!(repro.plan.users.len(), 12, "nothing was made small");
    let stop = Stop::default();
    let budget = ShrinkBudget { time: Duration::from_secs(15), drives: 60 };
    let small = shrink_wire_repro(repro, &reached(&server.url()), budget, 4, &stop);
    let small = small.expect("it is driven").expect("it shows");
    assert!(small.repro.plan.users.len() < 12 && small.rate.of == 4, "{:?}", small.rate);
    assert!(small.rate.hit * 2 >= small.whole.hit * small.rate.of / small.whole.of);
    let (clean, _) = steered_chat::start(Leak::None);
    let gone = shrink_wire_repro(repro, &reached(&clean.url()), ShrinkBudget::ALONE, 2, &stop);
    assert!(gone.expect("it is driven").is_none());
}

#[test]
fn a_budget_holds() {
    let (server, _) = steered_chat::start(Leak::AnybodysRun);
    let begun = Instant::now();
    let budget = ShrinkBudget { time: Duration::from_secs(60), drives: 3 };
    let came = found(&server.url(), &steered("", WORK), budget);
    assert!(came.level.findings.iter().all(|found| found.reproduction_rate.is_some()));
    assert!(begun.elapsed() < Duration::from_secs(60));
    // Interrupted: what was found is there, and nothing is driven again.
    let stop = Stop::default();
    stop.interrupt();
    let repro = came.repros.first().expect("a repro");
    let small = shrink_wire_repro(repro, &reached(&server.url()), ShrinkBudget::ALONE, 4, &stop);
    assert!(small.expect("nothing was driven").is_none());
}

#[test]
fn driving_again_keeps_to_the_scenarios_requests() {
    let (server, seen) = steered_chat::start(Leak::AnybodysRun);
    let work = "users = 6\nruns_per_user = 3\nrounds = 1\nstop_other_percent = 100";
    let text = steered("", work).replace("run_seconds = 5", "run_seconds = 5\nrequests = 60");
    found(&server.url(), &text, ShrinkBudget::ALONE);
    let said = |text: &str| {
        let seen = seen.lock().expect("no handler panics");
        seen.iter().filter(|line| line.contains(text)).count()
    };
    // The first drive alone starts eighteen runs: for all else, in however many drives that the budget
    // would have room for, 42 requests are left.
    let others = said("opens") + said(" by ") + said("refused to");
    assert!(said("opens") >= 6 && others <= 42, "{others} requests besides the runs");
}
