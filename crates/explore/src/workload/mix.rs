//! The mix: one kind of work that has every ingredient which some mechanism needs to show.
//!
//! It is the same whatever is looked for. Each trial has a theme, which most runs follow, so that
//! several users do the same unusual thing at once; one trial in four is sequential, so that what
//! needs no race is found without one.

use fastrand::Rng;

use super::act::Act;
use super::names::user_name;
use super::spec::Workload;
use partywall_core::ids::{RequestId, ThreadId};
use partywall_core::plan::{
    CursorKind, DEFAULT_THREAD, NO_SUCH_AGENT, RunPlan, Step, Twist, UserPlan, Via,
};

/// One trial in that many is sequential: each user begins when the one before is done.
const SEQUENTIAL_EVERY: u64 = 4;
/// So many users are one row of a sequential trial; rows go side by side.
const ROW: u32 = 5;

impl Workload {
    /// The users of one trial of the mix, without the bystander.
    pub(super) fn mixed_users(&self, rng: &mut Rng, trial: u64) -> Vec<UserPlan> {
        let active = self.users.draw(rng);
        let sequential = trial.is_multiple_of(SEQUENTIAL_EVERY);
        let acts = &self.acts[..];
        let theme = acts[rng.usize(..acts.len())];
        // Drawn in any case, so that the same seed draws the same of all else.
        let drawn = rng.u8(0..3) == 0;
        let browsers = self.share_browsers.unwrap_or(drawn);
        let user = |index: u32| {
            let mut person =
                Person { work: self, rng: &mut *rng, trial, runs: 0, steps: Vec::new() };
            // Two at one desk: the second begins when the first is done.
            let second = browsers && index % 2 == 1;
            person.steps.push(Step::Connect);
            match index.checked_sub(1) {
                Some(before) if second || (sequential && !index.is_multiple_of(ROW)) => {
                    person.steps.push(Step::AwaitUser { user: before });
                }
                _ if sequential => {}
                _ => person.steps.push(Step::Barrier),
            }
            for _ in 0..self.runs_per_user {
                let follows = person.rng.u8(0..10) < 6;
                let any = acts[person.rng.usize(..acts.len())];
                person.act(if follows { theme } else { any });
            }
            if browsers {
                person.plain(Via::Http);
            }
            person.look_back();
            let steps = person.steps;
            UserPlan {
                name: user_name(index),
                index,
                browser: browsers.then_some(index / 2),
                steps,
            }
        };
        (0..active).map(user).collect()
    }

    /// A user whose plain runs carry the phantom's canaries.
    pub(super) fn phantom_carrier(&self, rng: &mut Rng, trial: u64, index: u32) -> UserPlan {
        let mut person = Person { work: self, rng, trial, runs: 0, steps: vec![Step::Connect] };
        for via in [Via::Socket, Via::Http] {
            person.plain(via);
        }
        for step in &mut person.steps {
            if let Step::Start(run) = step {
                run.phantom = true;
            }
        }
        let steps = person.steps;
        UserPlan { name: user_name(index), index, browser: None, steps }
    }
}

/// A user whose plan is being made.
struct Person<'p> {
    work: &'p Workload,
    rng: &'p mut Rng,
    trial: u64,
    runs: u16,
    steps: Vec<Step>,
}

impl Person<'_> {
    fn act(&mut self, act: Act) {
        // The same words at the same time are what some work is shared by.
        let pause = if act == Act::Equal { 0 } else { self.work.start_delay.draw(self.rng) };
        self.steps.push(Step::Pause { turns: pause });
        match act {
            Act::Plain => {
                let via = self.any_via();
                self.plain(via);
            }
            Act::Equal => self.twisted(&[Twist::EqualMessage]),
            Act::NoThread => self.twisted(&[Twist::NoThread, Twist::NoSettings]),
            Act::Fails => {
                let via = self.any_via();
                let mut run = self.run(via);
                run.agents.push(NO_SUCH_AGENT.to_owned());
                self.start_and_await(run);
            }
            Act::Abandons => {
                let run = self.run(Via::Http);
                let number = run.run;
                let turns = self.rng.u32(1..=self.calls() * 4);
                self.steps.extend([
                    Step::Start(run),
                    Step::Pause { turns },
                    Step::Abandon { run: number },
                ]);
                let via = self.any_via();
                self.plain(via);
            }
            Act::Stops => self.controlled(&[], |run| Step::Stop { run }),
            Act::Approves => self.controlled(&[Twist::Approval], |run| Step::Approve { run }),
            Act::TwoTurns => {
                let (first, mut second) = (self.run(Via::Socket), self.run(Via::Socket));
                second.thread = first.thread.clone();
                let numbers = [first.run, second.run];
                self.steps.extend([first, second].map(Step::Start));
                self.steps.extend(numbers.map(|run| Step::Await { run }));
            }
            Act::Resumes => {
                let kinds = [CursorKind::Own, CursorKind::Foreign, CursorKind::Nonsense];
                let cursor = kinds[self.rng.usize(..kinds.len())];
                self.interrupted(|run| vec![Step::Resume { run, cursor }]);
            }
            Act::Reconnects => {
                self.steps.push(Step::Reconnect { keep: 0 });
                self.plain(Via::Socket);
            }
            Act::Vanishes => {
                let turns = self.rng.u32(1..=self.calls() * 4);
                self.interrupted(|_| vec![Step::Vanish, Step::Pause { turns }, Step::Connect]);
            }
            Act::Malformed => {
                self.steps.push(Step::Malformed);
                self.plain(Via::Socket);
            }
        }
    }

    /// The stub calls of one run.
    fn calls(&self) -> u32 {
        u32::try_from(self.work.agents.len()).unwrap_or(1) * 3 + 1
    }

    fn any_via(&mut self) -> Via {
        self.work.via[self.rng.usize(..self.work.via.len())]
    }

    fn run(&mut self, via: Via) -> RunPlan {
        self.runs += 1;
        let delays = (0..self.calls()).map(|_| self.work.stub_delay.draw(self.rng)).collect();
        // The same for all users; another in each trial, since one server may serve several.
        let thread = if self.rng.u8(0..4) == 0 { 2 } else { 1 };
        RunPlan {
            run: self.runs,
            via,
            thread: ThreadId::new(format!("thread-{thread}-of-{}", self.trial)),
            request_id: RequestId::new(self.runs.to_string()),
            agents: self.work.agents.clone(),
            delays,
            phantom: false,
            twists: Vec::new(),
        }
    }

    fn plain(&mut self, via: Via) {
        let run = self.run(via);
        self.start_and_await(run);
    }

    fn twisted(&mut self, twists: &[Twist]) {
        let via = self.any_via();
        let mut run = self.run(via);
        run.twists = twists.to_vec();
        if run.has(Twist::EqualMessage) {
            run.delays = vec![self.work.stub_delay.most * 2];
        }
        if run.has(Twist::NoThread) {
            run.thread = ThreadId::new(DEFAULT_THREAD);
        }
        self.start_and_await(run);
    }

    fn start_and_await(&mut self, run: RunPlan) {
        let number = run.run;
        self.steps.extend([Step::Start(run), Step::Await { run: number }]);
    }

    /// A run over the socket that something is done to once it goes on.
    fn controlled(&mut self, twists: &[Twist], step: impl Fn(u16) -> Step) {
        let mut run = self.run(Via::Socket);
        run.twists = twists.to_vec();
        let number = run.run;
        let events = self.rng.u32(1..=3);
        self.steps.extend([
            Step::Start(run),
            Step::AwaitEvents { run: number, count: events },
            step(number),
            Step::Await { run: number },
        ]);
    }

    /// A run over the socket during which the connection is lost.
    fn interrupted(&mut self, steps: impl Fn(u16) -> Vec<Step>) {
        let run = self.run(Via::Socket);
        let number = run.run;
        let events = u32::try_from(self.work.agents.len()).unwrap_or(0) * 5 + 2;
        let count = self.rng.u32(1..events);
        self.steps.extend([Step::Start(run), Step::AwaitEvents { run: number, count }]);
        self.steps.extend(steps(number));
        self.steps.push(Step::Await { run: number });
    }

    /// Reads every conversation back once detached work has had its time.
    fn look_back(&mut self) {
        let mut threads: Vec<ThreadId> = Vec::new();
        for step in &self.steps {
            if let Step::Start(run) = step
                && !threads.contains(&run.thread)
            {
                threads.push(run.thread.clone());
            }
        }
        self.steps.push(Step::Pause { turns: 16 });
        self.steps.extend(threads.into_iter().map(|thread| Step::ReadThread { thread }));
    }
}
