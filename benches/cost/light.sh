#!/usr/bin/env bash
# What a dev-dependency on partywall costs: a cold `cargo test` of an example package of two files, beside
# the same package with shuttle in its place, in turns. Usage: benches/cost/light.sh [TURNS]
set -euo pipefail
root="$(cd "$(dirname "$0")/../.." && pwd)"
turns="${1:-1}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

package() { # NAME DEPENDENCY, the test on standard input
    mkdir -p "$work/$1/src" "$work/$1/tests"
    printf '[package]\nname = "%s"\nversion = "0.1.0"\nedition = "2024"\n\n[dev-dependencies]\n%s\n\n[workspace]\n' \
        "$1" "$2" >"$work/$1/Cargo.toml"
    printf '//! Nothing of its own.\n' >"$work/$1/src/lib.rs"
    cat >"$work/$1/tests/isolated.rs"
    cp "$root/Cargo.lock" "$work/$1/Cargo.lock"
    (cd "$work/$1" && cargo fetch --quiet)
}

package with-partywall "partywall = { path = \"$root\", default-features = false }" <<'RUST'
#[test]
fn each_run_answers_its_own_prompt() {
    partywall::assert_isolated(partywall::Config::default().regressions(None), || {
        partywall::handler(|chat| async move {
            let prompt = chat.prompt().to_owned();
            for step in 1..=4 {
                chat.say(&format!("step {step}"));
                chat.world().turn().await;
            }
            format!("you asked: {prompt}")
        })
    });
}
RUST
package with-shuttle 'shuttle = { version = "0.9", default-features = false }' <<'RUST'
#[test]
fn each_run_answers_its_own_prompt() {
    use shuttle::sync::{Arc, Mutex};
    shuttle::check_random(
        || {
            let slot = Arc::new(Mutex::new(0));
            let other = Arc::clone(&slot);
            let thread = shuttle::thread::spawn(move || *other.lock().unwrap() += 1);
            thread.join().unwrap();
            assert_eq!(*slot.lock().unwrap(), 1);
        },
        1000,
    );
}
RUST

TIMEFORMAT='%R s, %U s user, %S s system'
for ((turn = 1; turn <= turns; turn++)); do
    for name in with-partywall with-shuttle; do
        rm -rf "$work/$name/target"
        printf '%s: ' "$name"
        time (cd "$work/$name" && cargo test --quiet --offline >"$work/out" 2>&1 || { cat "$work/out"; exit 1; })
    done
done
