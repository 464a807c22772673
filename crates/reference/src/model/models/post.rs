//! Connections and events as the models use them: every opening, closing and emission is on the
//! tape, and accounted for when all threads have ended.
//!
//! The kernel's operations are atomic, and each is put on the tape before the next switch point:
//! the order of the tape is the order in which they took effect. So the account is exact: an event
//! belongs to the connections that were open at its place on the tape, and to no other.

use std::sync::{Arc, Mutex as Unseen, PoisonError};

use super::super::kernel::connections::{ConnectionRegistry, Sink};
use super::super::kernel::lock;
use super::super::spec::Property;
use super::super::stage::{Actor, STAGEHAND, Stage};
use super::super::sync::Mutex;

/// A user; in most models also the name of that user's thread.
pub(super) type User = &'static str;

/// What the models need of a connection registry, so that a broken one can stand in its place.
pub(super) trait Registry: Send + Sync + 'static {
    fn new(stage: &Arc<Stage>) -> Self;
    fn connect(&self, user: User, inbox: Arc<Inbox>) -> Option<u64>;
    fn disconnect(&self, user: User, id: u64);
    fn emit(&self, user: User, event: &Event) -> usize;
    fn shut_down(&self);
}

/// The registry that the server uses.
pub(super) type KernelRegistry = ConnectionRegistry<User, Arc<Inbox>>;

impl Registry for KernelRegistry {
    fn new(_: &Arc<Stage>) -> Self {
        Self::new()
    }

    fn connect(&self, user: User, inbox: Arc<Inbox>) -> Option<u64> {
        self.connect(&user, inbox)
    }

    fn disconnect(&self, user: User, id: u64) {
        self.disconnect(&user, id);
    }

    fn emit(&self, user: User, event: &Event) -> usize {
        self.emit(&user, event)
    }

    fn shut_down(&self) {
        self.shut_down();
    }
}

/// One event: whose it is, which one, and who sends it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    of: User,
    number: u32,
    pub(super) by: &'static str,
}

/// Where a connection's events arrive. It has a lock of loom's, as the server's channel has one of
/// its own: between leaving the registry and entering the inbox another thread can run.
#[derive(Debug)]
pub(super) struct Inbox {
    stage: Arc<Stage>,
    name: &'static str,
    user: User,
    door: Mutex<()>,
    mail: Unseen<Mail>,
}

#[derive(Debug, Default)]
struct Mail {
    closed: bool,
    taken: Vec<(User, u32)>,
}

impl Inbox {
    fn mail(&self) -> std::sync::MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        let _door = lock(&self.door);
        self.mail().closed = true;
    }
}

impl Sink for Arc<Inbox> {
    type Message = Event;

    fn deliver(&self, &Event { of, number, by }: &Event) -> bool {
        let _door = lock(&self.door);
        let mut mail = self.mail();
        self.stage.record(by, "deliver", format!("{of}'s event {number} to {}", self.name));
        let event = || format!("{of}'s event {number} came to {}", self.name);
        self.stage.demand(of == self.user, Property::Own, event);
        self.stage.demand(!mail.closed, Property::NotAfterClose, || {
            format!("{} after its close had returned", event())
        });
        let twice = mail.taken.contains(&(of, number));
        self.stage.demand(!twice, Property::Once, || format!("{} twice", event()));
        mail.taken.push((of, number));
        true
    }
}

/// A registry and the account of what went through it.
#[derive(Debug)]
pub(super) struct Post<R> {
    stage: Arc<Stage>,
    registry: R,
    account: Unseen<Account>,
}

#[derive(Debug, Default)]
struct Account {
    lines: Vec<Line>,
    emissions: Vec<Emission>,
}

/// The life of one connection, in places on the tape.
#[derive(Debug)]
struct Line {
    id: u64,
    inbox: Arc<Inbox>,
    opened: usize,
    closed: usize,
}

/// One emission, and its place on the tape.
#[derive(Debug)]
struct Emission {
    to: User,
    of: User,
    number: u32,
    place: usize,
    took: usize,
}

impl<R: Registry> Post<R> {
    pub(super) fn new(stage: &Arc<Stage>) -> Arc<Self> {
        let registry = R::new(stage);
        Arc::new(Self { stage: Arc::clone(stage), registry, account: Unseen::default() })
    }

    /// Opens a connection of that user under a name of its own; none if the registry refuses.
    pub(super) fn connect(&self, actor: &Actor, user: User, name: &'static str) -> Option<u64> {
        let inbox = Arc::new(Inbox {
            stage: Arc::clone(&self.stage),
            name,
            user,
            door: Mutex::new(()),
            mail: Unseen::default(),
        });
        let Some(id) = self.registry.connect(user, Arc::clone(&inbox)) else {
            actor.did("connect", format!("{name} is refused"));
            return None;
        };
        actor.did("connect", format!("adds {name} to {user}'s connections"));
        let line = Line { id, inbox, opened: self.stage.tick(), closed: usize::MAX };
        self.account().lines.push(line);
        Some(id)
    }

    /// Closes that connection. When this returns, nothing more may come to it.
    pub(super) fn disconnect(&self, actor: &Actor, user: User, id: u64) {
        self.registry.disconnect(user, id);
        for inbox in self.closed(|line| line.id == id) {
            actor.did("disconnect", format!("takes {} away", inbox.name));
            inbox.close();
        }
    }

    /// Closes every connection for good.
    pub(super) fn shut_down(&self, actor: &Actor) {
        self.registry.shut_down();
        let inboxes = self.closed(|_| true);
        actor.did("shut down", "drops every connection");
        for inbox in inboxes {
            inbox.close();
        }
    }

    /// Notes that those connections are closed from this place on.
    fn closed(&self, which: impl Fn(&Line) -> bool) -> Vec<Arc<Inbox>> {
        let now = self.stage.tick();
        let mut account = self.account();
        let closed = account.lines.iter_mut().filter(|line| which(line));
        closed
            .map(|line| {
                line.closed = line.closed.min(now);
                Arc::clone(&line.inbox)
            })
            .collect()
    }

    /// Sends an event that is `of` one user `to` a user's connections: the same, if all is well.
    pub(super) fn emit(&self, actor: &Actor, of: User, number: u32, to: User) {
        let before = self.stage.tick();
        let took = self.registry.emit(to, &Event { of, number, by: actor.name });
        if took == 0 {
            actor.did("emit", format!("{of}'s event {number}: {to} has no connection"));
        }
        // It took effect where its first step stands; other threads' steps may come before that.
        let tape = self.stage.tape();
        let own = tape.steps.iter().skip(before).position(|step| step.thread == actor.name);
        let place = before + own.unwrap_or_default();
        drop(tape);
        self.account().emissions.push(Emission { to, of, number, place, took });
    }

    /// How many connections are open, by the registry's own account.
    pub(super) fn open_lines(&self, users: &[User]) -> usize {
        // A number that no event of a model has.
        let probe = |user| Event { of: user, number: 0, by: STAGEHAND };
        users.iter().map(|user| self.registry.emit(user, &probe(user))).sum()
    }

    /// Accounts for every event, when all threads have ended.
    pub(super) fn settle(&self) {
        let account = self.account();
        for &Emission { to, of, number, place, took } in &account.emissions {
            let mut came = 0;
            for Line { inbox, opened, closed, .. } in &account.lines {
                let taken = inbox.mail().taken.contains(&(of, number));
                came += usize::from(taken);
                let lost = inbox.user == to && (*opened..*closed).contains(&place) && !taken;
                self.stage.demand(!lost, Property::NotLost, || {
                    format!("{of}'s event {number} did not come to {}, which was open", inbox.name)
                });
            }
            self.stage.demand(came == took, Property::NotLost, || {
                format!("{took} connections took {of}'s event {number}, and it came to {came}")
            });
        }
    }

    fn account(&self) -> std::sync::MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
