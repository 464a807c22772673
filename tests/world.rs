//! The simulated world: one task at a time, the default policy, strict replay, and what it tells
//! apart when a trial does not come to its end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use partywall::trial::history::{Ending, Note};
use partywall::trial::schedule::Schedule;
use partywall::world::World;
use partywall::world::recorder::Recorder;
use partywall::world::simulated::{Limits, Simulated, Users, simulate};
use partywall::world::strategy::{Choice, Mode, Random, Replay, Strategy, SwitchPoint};

/// Always the default policy's choice.
struct DefaultPolicy;

impl Strategy for DefaultPolicy {
    fn choose(&mut self, at: &SwitchPoint<'_>) -> Choice {
        Choice::Ready(at.default)
    }
}

/// What tasks did, in order.
#[derive(Clone, Default)]
struct Steps(Arc<Mutex<Vec<String>>>);

impl Steps {
    fn did(&self, what: impl Into<String>) {
        self.0.lock().expect("one thread").push(what.into());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().expect("one thread").clone()
    }
}

fn run(strategy: &mut dyn Strategy, start: impl FnOnce(&World, &Users)) -> Simulated {
    simulate(strategy, Limits::default(), &|| false, Recorder::in_memory(), start)
        .expect("not inside a runtime")
}

/// Two tasks that take three turns each.
fn two_walkers(steps: &Steps, world: &World, users: &Users) {
    for name in ["bob", "alice"] {
        let (steps, world) = (steps.clone(), world.clone());
        users.spawn(name, async move {
            for turn in 1..=3 {
                steps.did(format!("{name}{turn}"));
                world.turn().await;
            }
        });
    }
}

fn walk(strategy: &mut dyn Strategy) -> (Vec<String>, Simulated) {
    let steps = Steps::default();
    let simulated = run(strategy, |world, users| two_walkers(&steps, world, users));
    (steps.all(), simulated)
}

#[test]
fn by_default_the_current_task_goes_on() {
    let (steps, simulated) = walk(&mut DefaultPolicy);
    assert_eq!(steps, ["alice1", "alice2", "alice3", "bob1", "bob2", "bob3"]);
    assert_eq!(simulated.ending, Ending::Finished);
    assert_eq!(simulated.schedule.delays(), 0);
    // Three turns and the step that ends, twice.
    assert_eq!(simulated.steps, 8);
}

#[test]
fn what_was_woken_last_goes_on_where_the_current_task_cannot() {
    let (steps, simulated) = exchange(&mut DefaultPolicy);
    assert_eq!(simulated.ending, Ending::Finished);
    assert_eq!(steps, ["busy", "busy again", "asks", "question", "answer"]);

    // One deviation carries the whole exchange along, although the busy task has the lowest name.
    let schedule = "pw-schedule-1;a-busy@1>z-client".parse().expect("valid");
    let (steps, deviated) = exchange(&mut Replay::new(&schedule, Mode::Strict));
    assert_eq!(deviated.schedule, schedule);
    assert_eq!(steps, ["busy", "asks", "question", "answer", "busy again"]);
}

/// A task that is always ready, and a client that asks a server.
fn exchange(strategy: &mut dyn Strategy) -> (Vec<String>, Simulated) {
    let steps = Steps::default();
    let simulated = run(strategy, |world, users| {
        let (log, here) = (steps.clone(), world.clone());
        users.spawn("a-busy", async move {
            log.did("busy");
            here.turn().await;
            log.did("busy again");
        });
        let (to_server, mut questions) = world.channel::<&str>(1);
        let (to_client, mut answers) = world.channel::<&str>(1);
        let log = steps.clone();
        users.spawn("z-client", async move {
            log.did("asks");
            to_server.send("question").expect("there is room");
            log.did(answers.receive().await.expect("an answer"));
        });
        let log = steps.clone();
        world.spawn("A-server", async move {
            if let Some(question) = questions.receive().await {
                log.did(question);
                let _ = to_client.send("answer");
            }
        });
    });
    (steps.all(), simulated)
}

#[test]
fn a_schedule_holds_only_deviations_and_replays_to_the_same_steps() {
    let mut seen = Vec::new();
    for seed in 0..50 {
        let (steps, simulated) = walk(&mut Random::new(seed));
        let mut replay = Replay::new(&simulated.schedule, Mode::Strict);
        let (again, replayed) = walk(&mut replay);
        assert_eq!(steps, again, "seed {seed}");
        assert_eq!(simulated.schedule, replayed.schedule);
        assert_eq!(replay.left_over(), None);
        if !seen.contains(&steps) {
            seen.push(steps);
        }
    }
    // 20 interleavings of two times three steps; 50 walks see a good part of them.
    assert!(seen.len() > 10, "{}", seen.len());
}

#[test]
fn strict_replay_diverges_where_a_task_cannot_run_and_lenient_skips() {
    let schedule: Schedule = "pw-schedule-1;alice@1>carol".parse().expect("valid");
    let (_, strict) = walk(&mut Replay::new(&schedule, Mode::Strict));
    assert_eq!(strict.ending, Ending::Diverged { deviation: 0 });
    let (steps, lenient) = walk(&mut Replay::new(&schedule, Mode::Lenient));
    assert_eq!(lenient.ending, Ending::Finished);
    assert_eq!(steps[0], "alice1");

    let never: Schedule = "pw-schedule-1;alice@99>bob".parse().expect("valid");
    let mut replay = Replay::new(&never, Mode::Strict);
    walk(&mut replay);
    assert_eq!(replay.left_over(), Some(0));
}

#[test]
fn patience_ends_only_when_nothing_else_can_go_on() {
    let steps = Steps::default();
    let simulated = run(&mut DefaultPolicy, |world, users| {
        let (log, here) = (steps.clone(), world.clone());
        users.spawn("a-waits", async move {
            let at_rest = here.patience(Duration::from_secs(3600)).await;
            log.did(format!("patience out, at rest {}", at_rest.0));
        });
        let (log, here) = (steps.clone(), world.clone());
        users.spawn("b-works", async move {
            here.sleep(5).await;
            log.did("worked");
        });
    });
    assert_eq!(steps.all(), ["worked", "patience out, at rest true"]);
    assert_eq!(simulated.ending, Ending::Finished);
}

#[test]
fn a_channel_delivers_in_order_and_tells_full_and_gone() {
    use partywall::world::channel::SendError;
    let steps = Steps::default();
    run(&mut DefaultPolicy, |world, users| {
        let (sender, mut receiver) = world.channel::<u32>(2);
        assert_eq!((sender.send(1), sender.send(2)), (Ok(()), Ok(())));
        assert_eq!(sender.send(3), Err(SendError::Full));
        let log = steps.clone();
        users.spawn("reader", async move {
            log.did(format!("{:?} {:?}", receiver.receive().await, receiver.receive().await));
            drop(receiver);
            log.did(format!("{:?}", sender.send(4)));
        });
    });
    assert_eq!(steps.all(), ["Some(1) Some(2)", "Err(Gone)"]);
}

#[test]
fn an_aborted_task_is_dropped_at_its_next_switch_point() {
    struct Dropped(Steps);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.did("dropped");
        }
    }
    let steps = Steps::default();
    run(&mut DefaultPolicy, |world, users| {
        let (log, here) = (steps.clone(), world.clone());
        users.spawn("a-client", async move {
            let guard = Dropped(log.clone());
            let inner = here.clone();
            let handler = here.spawn("handler", async move {
                let _guard = guard;
                loop {
                    inner.turn().await;
                }
            });
            here.turn().await;
            drop(handler.abort_on_drop());
            here.turn().await;
            log.did("went on");
        });
    });
    assert_eq!(steps.all(), ["dropped", "went on"]);
}

#[test]
fn a_task_whose_name_is_taken_gets_a_number() {
    let recorder = Recorder::in_memory();
    let schedule: Schedule = "pw-schedule-1;@0>twin#2".parse().expect("valid");
    let mut replay = Replay::new(&schedule, Mode::Strict);
    let start = |world: &World, users: &Users| {
        for number in ["first", "second"] {
            let world = world.clone();
            users.spawn("twin", async move { world.report(Note::Warning { text: number.into() }) });
        }
    };
    simulate(&mut replay, Limits::default(), &|| false, recorder.clone(), start).expect("runs");
    let (observations, _) = recorder.finish();
    let order: Vec<String> = observations.iter().map(|seen| format!("{:?}", seen.what)).collect();
    assert!(order[0].contains("second") && order[1].contains("first"), "{order:?}");
}

#[test]
fn a_trial_that_does_not_end_is_told_apart() {
    let forever = |world: &World, users: &Users| {
        let world = world.clone();
        users.spawn("spins", async move {
            loop {
                world.turn().await;
            }
        });
    };
    let limits = Limits { steps: 500, ..Limits::default() };
    let spins = simulate(&mut DefaultPolicy, limits, &|| false, Recorder::in_memory(), forever);
    assert_eq!(spins.expect("runs").ending, Ending::StepLimit { steps: 500 });

    let stopped =
        simulate(&mut DefaultPolicy, Limits::default(), &|| true, Recorder::in_memory(), forever);
    assert_eq!(stopped.expect("runs").ending, Ending::Stopped);

    let stuck = run(&mut DefaultPolicy, |_, users| users.spawn("waits", std::future::pending()));
    assert_eq!(stuck.ending, Ending::Stuck { tasks: vec!["waits".into()] });

    let panics = run(&mut DefaultPolicy, |_, users| {
        users.spawn("panics", async { panic!("on purpose: {}", 7) });
    });
    let message = "on purpose: 7".to_owned();
    assert_eq!(panics.ending, Ending::Panicked { task: "panics".into(), message });
}

#[test]
fn code_that_calls_tokio_itself_is_told_as_such() {
    let calls_tokio = run(&mut DefaultPolicy, |_, users| {
        users.spawn("calls-tokio", async {
            tokio::time::sleep(Duration::from_millis(1)).await;
        });
    });
    assert_eq!(calls_tokio.ending, Ending::NeedsTokio { task: "calls-tokio".into() });
    let spawns = run(&mut DefaultPolicy, |_, users| {
        users.spawn("spawns", async {
            tokio::spawn(async {}).await.expect("it ends");
        });
    });
    assert_eq!(spawns.ending, Ending::NeedsTokio { task: "spawns".into() });
}

#[test]
fn it_refuses_to_start_inside_a_tokio_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let inside = runtime.block_on(async {
        simulate(&mut DefaultPolicy, Limits::default(), &|| false, Recorder::in_memory(), |_, _| {})
            .map(|_| ())
    });
    assert!(inside.expect_err("refused").to_string().contains("tokio runtime"));
}

#[test]
fn detached_work_settles_after_the_users_are_done() {
    let steps = Steps::default();
    let simulated = run(&mut DefaultPolicy, |world, users| {
        let (log, here) = (steps.clone(), world.clone());
        users.spawn("user", async move {
            let inner = here.clone();
            here.spawn("detached", async move {
                inner.sleep(10).await;
                log.did("settled");
            });
        });
    });
    assert_eq!(steps.all(), ["settled"]);
    assert_eq!(simulated.ending, Ending::Finished);
}
