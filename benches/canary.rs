//! Speed of the canary scan beside `memchr` for a byte that is not there, over the same
//! bytes: the floor that is set is 1 GB/s and a twentieth of `memchr`.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use partywall::trial::canary::{
    CampaignKey, Encoding, Field, HexCase, Mint, Owner, Scanner, Stream,
};

/// A byte that no text has; it is taken out of the random ones.
const ABSENT: u8 = 0;

const SIZES: [(&str, usize); 2] = [("64KiB", 64 << 10), ("8MiB", 8 << 20)];

const WORDS: [&str; 24] = [
    "the",
    "of",
    "power",
    "agent",
    "a",
    "report",
    "is",
    "quarterly",
    "with",
    "wallpaper",
    "up",
    "to",
    "swapping",
    "cost",
    "and",
    "people",
    "who",
    "pw",
    "10",
    "data",
    "for",
    "analysis",
    "plan",
    "supply",
];

/// Makes a text of that many bytes.
type Generator = fn(usize) -> Vec<u8>;

/// Joins what `part` makes until there are `length` bytes.
fn filled(length: usize, mut part: impl FnMut(&mut fastrand::Rng) -> String) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(11);
    let mut text = Vec::with_capacity(length + 512);
    while text.len() < length {
        text.extend_from_slice(part(&mut rng).as_bytes());
    }
    text.truncate(length);
    text
}

fn sentence(rng: &mut fastrand::Rng) -> String {
    let words: Vec<_> = (0..rng.usize(4..16)).map(|_| rng.choice(WORDS).expect("words")).collect();
    words.join(" ") + ". "
}

fn random_bytes(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    fastrand::Rng::with_seed(12).fill(&mut bytes);
    bytes.iter_mut().filter(|byte| **byte == ABSENT).for_each(|byte| *byte = 1);
    bytes
}

fn base64(length: usize) -> Vec<u8> {
    use base64::Engine as _;
    let mut text =
        base64::engine::general_purpose::STANDARD.encode(random_bytes(length)).into_bytes();
    text.truncate(length);
    text
}

fn chat_events(length: usize) -> Vec<u8> {
    filled(length, |rng| {
        format!(
            "{{\"type\":\"agent_thinking\",\"run_id\":\"{:08x}\",\"thread_id\":\"thread-{}\",\
             \"timestamp\":{},\"payload\":{{\"agent_name\":\"triage\",\"content\":\"{}\"}}}}\n",
            rng.u32(..),
            rng.u8(..),
            rng.u32(..),
            sentence(rng),
        )
    })
}

fn percent_encoded(length: usize) -> Vec<u8> {
    let hex = Encoding::Percent { hex: HexCase::Upper };
    filled(length, |rng| hex.encode(&sentence(rng)))
}

fn speed(criterion: &mut Criterion) {
    let scanner = Scanner::new(CampaignKey::from_seed(1));
    let kinds: [(&str, Generator); 5] = [
        ("chat events", chat_events),
        ("english", |length| filled(length, sentence)),
        ("random bytes", random_bytes),
        ("base64", base64),
        ("percent-encoded", percent_encoded),
    ];
    for (kind, text) in kinds {
        for (size, length) in SIZES {
            let text = text(length);
            assert!(memchr::memchr(ABSENT, &text).is_none() && scanner.scan(&text).is_empty());
            let mut group = criterion.benchmark_group(kind);
            group.throughput(Throughput::Bytes(length as u64));
            group.bench_function(BenchmarkId::new("memchr", size), |bencher| {
                bencher.iter(|| memchr::memchr(ABSENT, black_box(&text)));
            });
            group.bench_function(BenchmarkId::new("scan", size), |bencher| {
                bencher.iter(|| scanner.scan(black_box(&text)));
            });
            group.bench_function(BenchmarkId::new("stream of 4 KiB", size), |bencher| {
                bencher.iter(|| fed(&scanner, black_box(&text), 4 << 10));
            });
            group.finish();
        }
    }
}

/// The worst cases: no floor is set here, but none may be out of proportion.
fn worst(criterion: &mut Criterion) {
    let key = CampaignKey::from_seed(1);
    let scanner = Scanner::new(key);
    let canary = Mint::new(key).mint(Owner { user: 1, run: 1, field: Field::Prompt });
    // Right up to the last character, so that every one costs a tag.
    let wrong_tags =
        canary[..canary.len() - 1].to_owned() + if canary.ends_with('z') { "y" } else { "z" };
    let mut group = criterion.benchmark_group("worst");
    let texts = [
        ("magic only", "pw10".to_owned()),
        ("base64 magic only", "cHcxM".to_owned()),
        ("escapes only", r"\u0070".to_owned()),
        ("wrong tags", wrong_tags),
        ("canaries", canary),
    ];
    for (name, part) in texts {
        let text = part.repeat((64 << 10) / part.len());
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::new("scan", name), |bencher| {
            bencher.iter(|| scanner.scan(black_box(text.as_bytes())));
        });
        group.bench_function(BenchmarkId::new("byte by byte", name), |bencher| {
            bencher.iter(|| fed(&scanner, black_box(text.as_bytes()), 1));
        });
    }
    let text = chat_events(64 << 10);
    group.bench_function("byte by byte/chat events", |bencher| {
        bencher.iter(|| fed(&scanner, black_box(&text), 1));
    });
    group.finish();
}

fn fed(scanner: &Scanner, text: &[u8], size: usize) -> usize {
    let mut stream = Stream::new(scanner.clone());
    text.chunks(size).map(|chunk| stream.feed(chunk).len()).sum()
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(std::time::Duration::from_millis(300))
        .measurement_time(std::time::Duration::from_millis(1000));
    targets = speed, worst
}
criterion_main!(benches);
