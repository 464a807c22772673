//! Each ingredient is seen at the server or in the recorded history.

use partywall::trial::history::What;
use partywall::trial::plan::Step;

use super::drive::{drive, drive_within, holds, of, steered};
use crate::servers::{Leak, steered_chat};

/// What the server noted.
fn noted(seen: &std::sync::Mutex<Vec<String>>, text: &str) -> usize {
    seen.lock().expect("no handler panics").iter().filter(|line| line.contains(text)).count()
}

#[test]
fn users_come_one_after_the_other() {
    let (server, _) = steered_chat::start(Leak::None);
    let work = "users = 5\nruns_per_user = 1\nrounds = 1\nramp = 200\nstart_delay = [0, 0]";
    let came = drive(&server.url(), &steered("", work));
    came.is_clean();
    let history = &came.histories[0];
    assert!(history.plan.users.iter().all(|user| !user.steps.contains(&Step::Barrier)));
    let opened: Vec<u64> = history
        .observations
        .iter()
        .filter(|seen| seen.what == What::Connect)
        .map(|seen| seen.at)
        .collect();
    let (first, last) = (opened[0], opened[opened.len() - 1]);
    assert!(opened.len() == 5 && last - first >= 100, "{opened:?}");
}

#[test]
fn two_runs_go_on_at_a_time_on_one_connection() {
    let (server, _) = steered_chat::start(Leak::None);
    let work = "users = 3\nruns_per_user = 2\nrounds = 1\nparallel = 2\nstart_delay = [0, 0]";
    let came = drive(&server.url(), &steered("", work));
    came.is_clean();
    let history = &came.histories[0];
    let both = history.plan.users.iter().all(|user| {
        let own: Vec<_> = of(history, &user.name).collect();
        let started = own.iter().filter(|seen| matches!(seen.what, What::Start { .. }));
        let last = started.map(|seen| seen.n).max().expect("it starts");
        let ended = own.iter().find(|seen| holds(seen, "\"final\"")).expect("it ends");
        let lines: std::collections::BTreeSet<_> =
            own.iter().filter_map(|s| s.on.as_ref()).collect();
        last < ended.n && lines.len() == 1
    });
    assert!(both);
}

#[test]
fn a_user_has_several_tabs_and_both_are_used() {
    let (server, seen) = steered_chat::start(Leak::None);
    let work = "users = 4\nruns_per_user = 4\nrounds = 1\ntabs = 2";
    let came = drive(&server.url(), &steered("", work));
    came.is_clean();
    assert_eq!(noted(&seen, "opens"), 6, "two of four users have two");
    let history = &came.histories[0];
    let user = &history.plan.users[1].name;
    let own: Vec<_> = of(history, user).collect();
    let opened = own
        .iter()
        .filter(|seen| matches!(seen.what, What::Connected { .. }))
        .map(|seen| seen.n)
        .max();
    let left = own.iter().find(|seen| matches!(seen.what, What::Leave { .. })).expect("it ends");
    assert!(opened < Some(left.n), "both stand at a time");
    let starts: std::collections::BTreeSet<_> = own
        .iter()
        .filter(|seen| matches!(seen.what, What::Start { .. }))
        .filter_map(|seen| seen.on.as_ref())
        .collect();
    assert_eq!(starts.len(), 2);
}

/// The numbers of the events that came of each abandoned run, in the last round.
fn events_before_the_cut(work: &str) -> Vec<usize> {
    let (server, _) = steered_chat::start(Leak::None);
    let work = format!("users = 4\nruns_per_user = 1\nrounds = 2\ncancel_percent = 100\n{work}");
    let came = drive(&server.url(), &steered("", &work));
    came.is_clean();
    let history = came.histories.last().expect("a round");
    let cut = history.plan.users.iter().skip(1).map(|user| {
        let mut own = of(history, &user.name);
        own.by_ref()
            .take_while(|seen| !matches!(seen.what, What::GaveUp { .. }))
            .filter(|seen| holds(seen, "\"step\"") || holds(seen, "\"final\""))
            .count()
    });
    cut.collect()
}

#[test]
fn runs_are_cut_before_the_first_byte_in_the_middle_and_just_before_the_end() {
    assert_eq!(events_before_the_cut("cut_at = [\"first\"]"), [0; 3]);
    let middle = events_before_the_cut("cut_at = [\"middle\"]");
    assert!(middle.iter().all(|events| (1..=2).contains(events)), "{middle:?}");
    // That there are four was learnt in the round before.
    assert_eq!(events_before_the_cut("cut_at = [\"last\"]"), [3; 3]);
}

#[test]
fn a_user_gives_up_after_a_time_and_what_comes_late_is_theirs_all_the_same() {
    let (server, _) = steered_chat::start(Leak::None);
    let work =
        "users = 4\nruns_per_user = 2\nrounds = 1\ntime_out_percent = 100\ntime_out = [1, 4]";
    let came = drive(&server.url(), &steered("", work));
    came.is_clean();
    let history = &came.histories[0];
    for user in history.plan.users.iter().skip(1) {
        let gave_up = of(history, &user.name).filter(|s| matches!(s.what, What::GaveUp { .. }));
        assert_eq!(gave_up.count(), 2);
        assert!(of(history, &user.name).any(|seen| holds(seen, "\"final\"")), "it comes late");
    }
}

#[test]
fn users_come_back_with_each_kind_of_cursor() {
    for (kind, note) in [
        ("own", "goes on after"),
        ("old", "goes on after"),
        ("foreign", "cursor refused"),
        ("nonsense", "cursor refused"),
    ] {
        let (server, seen) = steered_chat::start(Leak::None);
        let work = format!(
            "users = 4\nruns_per_user = 2\nrounds = 1\ndisconnect_percent = 100\n\
             cut_at = [\"middle\"]\nreconnect = [\"{kind}\"]"
        );
        let came = drive(&server.url(), &steered("", &work));
        came.is_clean();
        assert!(noted(&seen, note) >= 6, "{kind}: {seen:?}");
        let history = &came.histories[0];
        let resumed = history.observations.iter().filter_map(|seen| match &seen.what {
            What::Resume { run, .. } => Some(run.as_str().to_owned()),
            _ => None,
        });
        let named = resumed.filter(|run| (run == "no-such-run") == (kind == "nonsense")).count();
        assert_eq!(named, 6, "{kind}");
    }
}

#[test]
fn the_old_connection_stands_while_the_new_one_is_opened() {
    let (server, seen) = steered_chat::start(Leak::None);
    let work =
        "users = 3\nruns_per_user = 1\nrounds = 1\noverlap_percent = 100\nkeep_old = [40, 40]";
    let came = drive(&server.url(), &steered("", work));
    came.is_clean();
    let seen = seen.lock().expect("no handler panics").clone();
    let user = came.histories[0].plan.users[1].name.to_string();
    let (opens, leaves) = (format!("{user} opens"), format!("{user} leaves"));
    let own: Vec<_> = seen.iter().filter(|line| **line == opens || **line == leaves).collect();
    assert_eq!(own, [&opens, &opens, &leaves, &leaves]);
    let history = &came.histories[0];
    let own: Vec<_> = of(history, &history.plan.users[1].name).collect();
    let stood = own
        .iter()
        .filter(|seen| matches!(seen.what, What::Connected { .. }))
        .map(|seen| seen.at)
        .max();
    let left = own.iter().find(|s| s.what == What::Leave { vanished: true }).map(|seen| seen.at);
    assert!(left >= stood.map(|at| at + 40), "{stood:?} {left:?}");
}

#[test]
fn the_next_user_goes_on_on_the_same_websocket() {
    let (server, seen) = steered_chat::start(Leak::None);
    let work = "users = 7\nruns_per_user = 2\nrounds = 2\nswitch_percent = 100";
    let came = drive(&server.url(), &steered("", work));
    came.is_clean();
    assert_eq!(noted(&seen, "takes over"), 6, "three pairs of seven, twice: {seen:?}");
    // Who takes over opens nothing.
    assert_eq!(noted(&seen, "opens"), 8);
}

#[test]
fn what_the_next_user_says_on_the_same_websocket_counts_as_sent() {
    let (server, _) = steered_chat::start(Leak::None);
    let text = steered("", "users = 4\nruns_per_user = 1\nrounds = 1\nswitch_percent = 100");
    // Wherever what is allowed comes to its end.
    let mut taken_over = false;
    for allowed in 1..=12 {
        let came = drive_within(&server.url(), &text, allowed);
        let mut sent = 0;
        let mut said = std::collections::BTreeSet::new();
        for seen in &came.histories[0].observations {
            match &seen.what {
                What::Sent { raw } => {
                    taken_over |= raw.text().contains("login");
                    said.insert(seen.on.clone());
                    sent += 1;
                }
                // Who takes over opens nothing.
                What::Connected { .. } => sent += u64::from(!said.contains(&seen.on)),
                _ => {}
            }
        }
        assert!(sent <= allowed, "{sent} of {allowed}: {:#?}", came.histories[0].observations);
    }
    assert!(taken_over, "nobody came so far");
}

#[test]
fn a_slow_reader_reads_nothing_for_a_while() {
    let (server, _) = steered_chat::start(Leak::None);
    let work = "users = 3\nruns_per_user = 1\nrounds = 1\nslow_percent = 100\nslow = [120, 120]";
    let came = drive(&server.url(), &steered("", work));
    came.is_clean();
    let history = &came.histories[0];
    for (place, user) in history.plan.users.iter().enumerate() {
        let own: Vec<_> = of(history, &user.name).collect();
        let sent = own.iter().find(|seen| matches!(seen.what, What::Sent { .. })).expect("sent");
        let next = own.iter().find(|seen| seen.n > sent.n && holds(seen, "accepted"));
        let waited = next.expect("it goes on").at - sent.at;
        assert!(place == 0 || waited >= 115, "{waited} ms");
        assert!(own.iter().any(|seen| holds(seen, "\"final\"")), "and then all of it");
    }
}

#[test]
fn malformed_and_oversize_messages_come_to_the_server() {
    let (server, seen) = steered_chat::start(Leak::None);
    let work = "users = 3\nruns_per_user = 2\nrounds = 1\nmalformed_percent = 100";
    drive(&server.url(), &steered("", work)).is_clean();
    assert_eq!(noted(&seen, "malformed"), 4);
    let work = "users = 3\nruns_per_user = 2\nrounds = 1\noversize_percent = 100\n\
                oversize_bytes = 200000";
    let came = drive(&server.url(), &steered("", work));
    came.is_clean();
    assert_eq!(noted(&seen, "200"), 4, "{seen:?}");
    // Each cost its connection, and the next run was on a new one.
    assert_eq!(came.level.runs_unknown, 4);
}

#[test]
fn runs_are_stopped_by_their_user_and_not_by_another() {
    let (server, seen) = steered_chat::start(Leak::None);
    let work = "users = 4\nruns_per_user = 2\nrounds = 1\nstop_percent = 100\ncut_at = [\"first\"]";
    let came = drive(&server.url(), &steered("", work));
    came.is_clean();
    assert_eq!(noted(&seen, "Stopped by"), 6, "{seen:?}");
    let row = came.level.oracles.iter().find(|row| row.oracle.code() == "O9").expect("a row");
    assert!(row.judged_items > 0 && row.blind.is_none(), "{row:?}");

    let (server, seen) = steered_chat::start(Leak::None);
    let work = "users = 4\nruns_per_user = 2\nrounds = 1\nstop_other_percent = 100";
    drive(&server.url(), &steered("", work)).is_clean();
    assert!(noted(&seen, "Stopped refused to") > 0 && noted(&seen, "Stopped by") == 0, "{seen:?}");
}

#[test]
fn runs_are_approved_by_their_user_and_not_by_another() {
    let (server, seen) = steered_chat::start(Leak::None);
    let work = "users = 4\nruns_per_user = 1\nrounds = 1\napprove_other_percent = 100";
    drive(&server.url(), &steered(", ask = true", work)).is_clean();
    assert_eq!(noted(&seen, "Approved refused to"), 3, "{seen:?}");
    assert_eq!(noted(&seen, "Approved by"), 4, "{seen:?}");
}
