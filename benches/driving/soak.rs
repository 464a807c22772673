//! Whether memory grows: the rounds of `partywall run` for minutes on end, judged, in this process.

use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use partywall::campaign::budget::{Progress, Stop};
use partywall::campaign::round_keys::RoundKeys;
use partywall::campaign::store::RunFolder;
use partywall::campaign::wire::{Rounds, drive_rounds};
use partywall::scenario::{Target, built_in};
use partywall::swarm::Servers;
use partywall::swarm::transport::TargetUrl;
use partywall::trial::canary::CampaignKey;

use super::Server;
use super::figures::resident_kib;

/// Simulated users, each with the runs that the scenario has.
const USERS: u32 = 200;

/// How long, and with `--thorough`.
const SHORT: Duration = Duration::from_secs(40);
const THOROUGH: Duration = Duration::from_secs(600);

/// The share of the time after which nothing may grow any more.
const WARM_UP: f64 = 0.2;

/// By so much may the memory that is in use after a round exceed what it was at most while warming
/// up: rounds differ, and the allocator keeps what is free where it likes.
const MOST_GROWTH_KIB: f64 = 8.0 * 1024.0;

/// Takes the measure after each round, and removes its history: that one is on disk on purpose.
struct Watch<'f> {
    folder: &'f RunFolder,
    begun: Instant,
    samples: Mutex<Vec<(Duration, f64)>>,
}

impl Progress for Watch<'_> {
    fn begin(&self, _: &str, _: &str, _: &str, _: u64) {}
    fn say(&self, _: &str) {}
    fn end(&self) {}

    fn advance(&self, _: u64, _: u64, findings: u64) {
        assert_eq!(findings, 0, "the server does not leak");
        let _ = std::fs::remove_dir_all(self.folder.file("histories"));
        let sample = (self.begun.elapsed(), resident_kib("VmRSS:"));
        self.samples.lock().expect("nobody panics").push(sample);
    }
}

/// Drives rounds until the time is over.
pub(crate) fn soak(thorough: bool) {
    let time = if thorough { THOROUGH } else { SHORT };
    let server = Server::of(Command::new(super::figures::program()).args(["serve", "--port", "0"]));
    let workload = built_in("reference-golden-path").expect("it is carried").wire.with_users(USERS);
    let home = std::env::temp_dir().join(format!("partywall-soak-{}", std::process::id()));
    let folder = RunFolder::create(&home, "soak", SystemTime::now()).expect("a folder");
    let begun = Instant::now();
    let stop = Stop::at(Some(begun + time));
    let url = TargetUrl::loopback(server.port);
    let target = Target::at(url.to_string());
    let servers = Servers::at(url);
    let mut rounds = Rounds::new(&workload, servers, target, 1, u64::MAX, &folder, &stop);
    rounds.keys = RoundKeys::on_shared_server(CampaignKey::from_seed(1));
    let watch = Watch { folder: &folder, begun, samples: Mutex::default() };
    let driven = drive_rounds(&rounds, &watch);
    let _ = std::fs::remove_dir_all(&home);
    let level = driven.expect("rounds are driven").level;
    let samples = watch.samples.into_inner().expect("nobody panics");
    tell(&samples, time, level.runs_completed);
}

fn tell(samples: &[(Duration, f64)], time: Duration, runs: u64) {
    let warm = samples.partition_point(|(at, _)| *at < time.mul_f64(WARM_UP)).max(1);
    let (warming, later) = samples.split_at(warm);
    assert!(later.len() > 2, "too few rounds to say anything");
    let most =
        |samples: &[(Duration, f64)]| samples.iter().map(|(_, kib)| *kib).fold(0.0, f64::max);
    let (before, after) = (most(warming), most(later));
    let growth = after - before;
    println!(
        "{} rounds of {USERS} users in {:.0} s, {runs} runs completed and judged: at most {:.1} MiB \
         resident in the first fifth, {:.1} MiB later (growth {:.1} MiB, allowed {:.0})",
        samples.len(),
        time.as_secs_f64(),
        before / 1024.0,
        after / 1024.0,
        growth / 1024.0,
        MOST_GROWTH_KIB / 1024.0
    );
    let fifth = |part: usize| {
        let place = |at: Duration| (at.as_secs_f64() / time.as_secs_f64() * 5.0) as usize;
        let part = samples.iter().filter(|(at, _)| place(*at).min(4) == part);
        part.map(|(_, kib)| *kib / 1024.0).fold(0.0, f64::max)
    };
    // What creeps shows as a row that rises.
    println!("the most in each fifth, in MiB: {:.1?}", [0, 1, 2, 3, 4].map(fifth));
    assert!(growth <= MOST_GROWTH_KIB, "memory grows");
}
