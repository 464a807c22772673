//! The target's model and tools, played by partywall: an OpenAI-compatible endpoint and an echo.
//!
//! A reply may look right although it was asked for under another user's account. So the target is
//! given this stub as its upstream: it answers from the request alone, and its log says whose
//! credential came with which text, in the order of arrival (oracle O8). When and in which order
//! replies come, and which of them fail, is chosen from a seed and the text that came.
//!
//! Nothing of a credential is kept but its digest.

mod answer;
mod directive;
mod gate;
mod log;
mod openai;
mod reply;
mod server;

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use partywall_world::World;

use gate::Gate;

pub use gate::Company;
pub use log::{Account, Call, Log, Service, credential_of};
pub use partywall_core::target::{Options, Order, OrderError};

/// How long replies that are under way at the end may take.
const GRACE: Duration = Duration::from_millis(200);

/// A running stub on the loopback address. Dropping it ends it: replies under way get a moment,
/// and then every connection is closed.
pub struct Upstream {
    port: u16,
    url: String,
    log: Arc<log::Journal>,
    gate: Gate,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Upstream {
    /// Starts it on a thread of its own; it listens when this returns.
    ///
    /// # Errors
    ///
    /// The port is in use or may not be opened, or the system refuses a thread.
    pub fn start(options: Options) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let url = format!("http://127.0.0.1:{port}");
        let log = Arc::new(log::Journal::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (end, ended) = oneshot::channel();
        let gate = Gate::new(&options);
        let (journal, held) = (Arc::clone(&log), gate.clone());
        let serve = move || runtime.block_on(run(listener, options, held, journal, ended));
        let thread = std::thread::Builder::new().name("upstream".into()).spawn(serve)?;
        Ok(Self { port, url, log, gate, end: Some(end), thread: Some(thread) })
    }

    /// Where it is: `http://127.0.0.1:PORT`, without a path.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The base URL that OpenAI clients want (`OPENAI_BASE_URL`).
    pub fn openai_url(&self) -> String {
        format!("{}/v1", self.url)
    }

    /// Says who the simulated users are, in place of whoever was known before.
    pub fn know(&self, accounts: &[Account]) {
        self.log.know(accounts);
    }

    /// From now on every call goes to the recorder of that world, as what the back end reports of
    /// itself; with none, calls are kept for [`take_log`](Self::take_log) again.
    pub fn report_to(&self, world: Option<World>) {
        let listener = world.map(|world| -> log::Listener {
            Box::new(move |call: &Call| call.notes().for_each(|note| world.report(note)))
        });
        self.log.listen(listener);
    }

    /// From now on calls are neither told nor kept.
    pub fn hush(&self) {
        self.log.listen(Some(Box::new(|_| {})));
    }

    /// From now on every call goes there as it comes, and is not kept.
    pub fn listen(&self, listener: impl FnMut(&Call) + Send + 'static) {
        self.log.listen(Some(Box::new(listener)));
    }

    /// Holds each call until another one is under way too, or that time has passed, while `drive`
    /// runs, and tells how many got company.
    pub fn hold_for_company(&self, hold: Duration, drive: impl FnOnce()) -> Company {
        let (order, before) = self.gate.set(Order::Held(2), hold);
        drive();
        let company = self.gate.company();
        self.gate.set(order, before);
        company
    }

    /// Takes the calls that were kept, in the order of arrival.
    pub fn take_log(&self) -> Log {
        self.log.take()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            let _ = end.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Upstream({})", self.url)
    }
}

async fn run(
    listener: std::net::TcpListener,
    options: Options,
    gate: Gate,
    log: Arc<log::Journal>,
    ended: oneshot::Receiver<()>,
) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let (over, grace) = oneshot::channel();
    let shutdown = async move {
        let _ = ended.await;
        let _ = over.send(());
    };
    let grace = async {
        let _ = grace.await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        // A listening socket that broke says so to whoever calls.
        _ = server::serve(listener, options, gate, log, shutdown) => {}
        () = grace => {}
    }
}
