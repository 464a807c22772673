//! Memory of idle users, many users at once, and how soon all have their first event.

use std::process::Command;
use std::time::Instant;

use partywall::trial::history::What;
use partywall::trial::plan::{Plan, Step};

use super::plans::{chats, of_own_server};
use super::{Server, drive, judge_clean};

/// Memory of this process, in KiB: `VmRSS:` for now, `VmHWM:` for the most so far.
pub(crate) fn resident_kib(which: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with(which)).expect("a line");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

/// The same users without a run, lingering for a moment.
fn idle_plan(users: u32) -> Plan {
    let mut plan = chats(users, 0);
    let pause = |user: &mut partywall::trial::plan::UserPlan| {
        user.steps.push(Step::Pause { turns: 300 });
    };
    plan.users.iter_mut().for_each(pause);
    plan
}

/// KiB of memory for each idle user more, all that the harness holds included.
pub(crate) fn idle(own_server: bool) {
    let server = Server::start(&["serve"]);
    let (protocol, plan): (_, fn(Plan) -> Plan) = match own_server {
        true => ("a server of one's own", of_own_server),
        false => ("the reference protocol", |plan| plan),
    };
    drive(server.port, plan(idle_plan(100)));
    let before = resident_kib("VmHWM:");
    drive(server.port, plan(idle_plan(4_100)));
    let each = (resident_kib("VmHWM:") - before) / 4_000.0;
    println!("memory, {protocol}: {each:.1} KiB for each idle user more, of 4,000");
}

/// Five thousand users at once, each with a run, all judged.
pub(crate) fn many() {
    let server = Server::start(&["serve"]);
    let begun = Instant::now();
    let users = 5_000;
    let (history, _file) = drive(server.port, chats(users, 1));
    let connected = history
        .observations
        .iter()
        .filter(|seen| matches!(seen.what, What::Connected { .. }))
        .count();
    assert_eq!(connected, users as usize);
    judge_clean(&history, users as usize);
    let took = begun.elapsed().as_secs_f64();
    println!("{users} users at once, connected, driven and judged in {took:.2} s, none lost");
    println!("peak memory {:.0} MiB", resident_kib("VmHWM:") / 1024.0);
}

/// The program itself, for `serve`.
pub(crate) fn program() -> std::path::PathBuf {
    std::env::var_os("PARTYWALL_BIN").map_or_else(
        || std::env::current_exe().expect("a path").with_file_name("../partywall"),
        Into::into,
    )
}

/// When each of a thousand users has connected and has the first event of their own run, against
/// `partywall serve`.
pub(crate) fn first() {
    let program = program();
    for _ in 0..super::TIMES {
        let server = Server::of(Command::new(&program).args(["serve", "--port", "0"]));
        let plan = chats(super::USERS, 1);
        let (history, _file) = drive(server.port, plan);
        let mut waiting: std::collections::BTreeSet<_> =
            history.plan.users.iter().map(|user| user.name.clone()).collect();
        let mut last = (0, 0);
        for seen in &history.observations {
            match (&seen.what, &seen.by) {
                (What::Connected { .. }, _) => last.0 = seen.at,
                (What::Received { raw }, Some(user))
                    if raw.text().contains("agent_started") && waiting.remove(user) =>
                {
                    last.1 = seen.at;
                }
                _ => {}
            }
        }
        assert!(waiting.is_empty(), "{} users have no event", waiting.len());
        println!(
            "{} users: all connected after {} ms, each with its first event after {} ms",
            super::USERS,
            last.0,
            last.1
        );
    }
}
