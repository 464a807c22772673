//! The test servers by themselves: a clean one answers each user with what is theirs, and a leaking
//! one mixes two users up in a directed sequence.

use crate::servers::{Leak, Server, http_api, json_rpc, socket_io, sse_chat, ws_chat};
use futures_util::{SinkExt, StreamExt};
use partywall::upstream::{Options, Order, Upstream};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// An upstream that holds two calls until both are there.
fn upstream(order: Order) -> Upstream {
    let mut options = Options::default();
    // Held until both are there, however slow the machine: the test's limit is not a matter here.
    (options.order, options.hold) = (order, std::time::Duration::from_secs(60));
    Upstream::start(options).expect("a free port")
}

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(test)
}

fn client() -> reqwest::Client {
    crate::servers::http_client()
}

async fn post(server: &Server, path: &str, who: &str, body: Value) -> String {
    let url = format!("{}{path}", server.url());
    let answer = client().post(url).bearer_auth(who).json(&body).send().await.expect("an answer");
    answer.text().await.expect("a body")
}

fn chat(text: &str) -> Value {
    json!({"messages": [{"role": "user", "content": text}], "metadata": {"conversation": "1"}})
}

#[test]
fn sse_chat() {
    let both = |leak, order| {
        let upstream = upstream(order);
        let server = sse_chat::start(leak, upstream.url());
        let ask = |who, text| post(&server, "/v1/chat/completions", who, chat(text));
        let answers = run(async {
            match order {
                Order::Arrival => (ask("alice", "A-said").await, ask("bob", "B-said").await),
                _ => tokio::join!(ask("alice", "A-said"), ask("bob", "B-said")),
            }
        });
        (answers, upstream.take_log())
    };
    for order in [Order::Arrival, Order::Held(2), Order::Reversed(2)] {
        let ((alice, bob), log) = both(Leak::None, order);
        assert!(alice.contains("A-said") && !alice.contains("B-said"), "{alice}");
        assert!(bob.contains("B-said") && !bob.contains("A-said"), "{bob}");
        assert!(alice.ends_with("data: [DONE]\n\n"), "{alice}");
        assert_eq!(log.calls.len(), 4);
    }
    let ((alice, bob), _) = both(Leak::Slot, Order::Held(2));
    assert_ne!(alice.contains("A-said"), bob.contains("B-said"), "one of the two got the other's");
    let ((alice, bob), _) = both(Leak::Cache, Order::Arrival);
    assert!(alice.contains("A-said") && bob.contains("A-said"));
    let ((alice, bob), log) = both(Leak::Credential, Order::Held(2));
    assert!(alice.contains("A-said") && bob.contains("B-said"), "the answers look right");
    let of = |text: &str| {
        let call = log.calls.iter().find(|call| call.text.contains(text));
        call.expect("it was asked").credentials.clone()
    };
    assert_eq!(of("A-said"), of("B-said"), "both were asked under one credential");
}

#[test]
fn json_rpc() {
    let styles = [(false, false), (false, true), (true, false), (true, true)];
    for (sessions, sse) in styles {
        for leak in [Leak::None, Leak::IdCollision] {
            let upstream = upstream(Order::Held(2));
            let style = json_rpc::Style { sessions, sse };
            let server = json_rpc::start(leak, style, upstream.url());
            let (one, other) = run(async {
                tokio::join!(rpc(&server, "alice", "A-said"), rpc(&server, "bob", "B-said"))
            });
            let crossed = one.contains("B-said") || other.contains("A-said");
            assert_eq!(crossed, leak != Leak::None, "{sessions} {sse} {leak:?}: {one} / {other}");
            if leak == Leak::None {
                assert!(one.contains("A-said") && other.contains("B-said"));
                assert!(!sse || one.starts_with("event: message\ndata: {"), "{one}");
            }
        }
    }
}

/// One client: it initialises, and calls a tool with the id 2.
async fn rpc(server: &Server, who: &str, text: &str) -> String {
    let url = format!("{}/mcp", server.url());
    let send = async |body: Value, session: Option<String>| {
        let mut request = client().post(&url).bearer_auth(who).json(&body);
        if let Some(session) = session {
            request = request.header("mcp-session-id", session);
        }
        request.send().await.expect("an answer")
    };
    let begun = send(json!({"jsonrpc": "2.0", "id": 1, "method": "initialize"}), None).await;
    let session = begun.headers().get("mcp-session-id");
    let session = session.map(|session| session.to_str().expect("text").to_owned());
    let call = json!({
        "jsonrpc": "2.0", "id": 2, "method": "tools/call",
        "params": {"name": "echo", "arguments": {"text": text}},
    });
    send(call, session).await.text().await.expect("a body")
}

#[test]
fn json_rpc_that_tells_the_session_of_another() {
    for leak in [Leak::None, Leak::Session] {
        let upstream = upstream(Order::Arrival);
        let style = json_rpc::Style { sessions: true, sse: false };
        let server = json_rpc::start(leak, style, upstream.url());
        let url = format!("{}/mcp", server.url());
        let session = |answer: &reqwest::Response| {
            let session = answer.headers().get("mcp-session-id");
            session.map(|session| session.to_str().expect("text").to_owned())
        };
        run(async {
            let open = async |who| {
                let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize"});
                let answer = client().post(&url).bearer_auth(who).json(&body).send().await;
                session(&answer.expect("an answer")).expect("a session")
            };
            let (alice, bob) = (open("alice").await, open("bob").await);
            let body = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"});
            let request = client().post(&url).bearer_auth("alice").header("mcp-session-id", alice);
            let answer = request.json(&body).send().await.expect("an answer");
            assert_eq!(session(&answer), (leak != Leak::None).then_some(bob));
        });
    }
}

#[test]
fn http_api() {
    let note = |text: &str| json!({"id": "1", "text": text});
    for leak in [Leak::None, Leak::Cache] {
        let upstream = upstream(Order::Arrival);
        let server = http_api::start(leak, upstream.url());
        let read = async |who| {
            let url = format!("{}/notes/1", server.url());
            let answer = client().get(url).bearer_auth(who).send().await.expect("an answer");
            answer.text().await.expect("a body")
        };
        run(async {
            post(&server, "/notes", "alice", note("A-said")).await;
            assert!(read("alice").await.contains("A-said"));
            post(&server, "/notes", "bob", note("B-said")).await;
            let crossed = read("bob").await.contains("A-said");
            assert_eq!(crossed, leak == Leak::Cache);
        });
    }
}

/// What is left of the request before shows in one answer of twenty, in a header, or where a request
/// is refused; a clean server answers each with what is theirs.
#[test]
fn http_api_with_what_is_left_of_the_request_before() {
    for leak in [Leak::None, Leak::Buffer, Leak::Header, Leak::ErrorText] {
        let upstream = upstream(Order::Arrival);
        let server = http_api::start(leak, upstream.url());
        let answer = async |who: &str, text: &str| {
            let url = format!("{}/notes", server.url());
            let note = json!({"id": "1", "text": text});
            let asked = client().post(url).bearer_auth(who).json(&note).send().await;
            let answer = asked.expect("an answer");
            let headers = format!("{:?}", answer.headers());
            headers + &answer.text().await.expect("a body")
        };
        let crossed = run(async {
            let mut crossed = 0;
            for _ in 0..10 {
                crossed += u32::from(answer("alice", "A-said").await.contains("B-said"));
                crossed += u32::from(answer("bob", "B-said").await.contains("A-said"));
            }
            crossed
        });
        let expected = match leak {
            Leak::Buffer => 1,
            Leak::ErrorText => 2,
            Leak::Header => 19,
            _ => 0,
        };
        assert_eq!(crossed, expected, "{leak:?}");
    }
}

/// Alice goes away while the upstream works for her, and Bob asks over the same connection. On a busy
/// machine her reply can come before the server has noticed that she went, so the cut is tried until
/// Bob got her reply; on a clean server a few times.
#[test]
fn http_api_with_a_stale_reply() {
    for (leak, cuts) in [(Leak::None, 3), (Leak::StaleReply, 200)] {
        let upstream = upstream(Order::Arrival);
        let (arrived, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
        upstream.listen(move |call| drop(arrived.send(call.text.clone())));
        let server = http_api::start(leak, upstream.url());
        let note = |text: &str| json!({"id": "1", "text": text});
        let crossed = run(async {
            for cut in 0..cuts {
                let words = format!("A-said {cut}.");
                let request = client()
                    .post(format!("{}/notes", server.url()))
                    .bearer_auth("alice")
                    .json(&note(&format!("{words} [[upstream delay=300]]")));
                let alice = tokio::spawn(request.send());
                while !arrivals.recv().await.expect("it arrives").contains(&words) {}
                alice.abort();
                // Until the server has noticed that Alice went, a new connection serves Bob.
                for _ in 0..20 {
                    if post(&server, "/notes", "bob", note("B-said")).await.contains("A-said") {
                        return true;
                    }
                }
            }
            false
        });
        assert_eq!(crossed, leak == Leak::StaleReply);
    }
}

async fn connect(url: String, who: &str) -> Socket {
    let mut request = url.into_client_request().expect("a URL");
    let value = format!("Bearer {who}").parse().expect("a header");
    request.headers_mut().insert("authorization", value);
    connect_async(request).await.expect("it opens").0
}

async fn say(socket: &mut Socket, text: String) {
    socket.send(Message::text(text)).await.expect("it is taken");
}

/// All that comes until that word does.
async fn hear(socket: &mut Socket, until: &str) -> String {
    let mut heard = String::new();
    while !heard.contains(until) {
        match socket.next().await {
            Some(Ok(message)) => heard += &format!("{}\n", message.to_text().expect("text")),
            Some(Err(Error::ConnectionClosed)) | None => break,
            Some(Err(error)) => panic!("{error}"),
        }
    }
    heard
}

/// Both start with equal ids; what came to each until two last events have come, to whomever.
async fn both(
    sockets: &mut [Socket; 2],
    start: impl Fn(&str) -> String,
    accepted: &str,
    last: &str,
) -> [String; 2] {
    let mut heard = [String::new(), String::new()];
    for ((socket, text), heard) in sockets.iter_mut().zip(["A-said", "B-said"]).zip(&mut heard) {
        say(socket, start(text)).await;
        *heard += &hear(socket, accepted).await;
    }
    let done = async |heard: &[String; 2]| {
        heard.iter().map(|heard| heard.matches(last).count()).sum::<usize>() >= 2
    };
    while !done(&heard).await {
        let [one, other] = sockets;
        tokio::select! {
            more = one.next() => heard[0] += &format!("{:?}\n", more.expect("open").expect("a message")),
            more = other.next() => heard[1] += &format!("{:?}\n", more.expect("open").expect("a message")),
        }
    }
    heard
}

#[test]
fn ws_chat() {
    for leak in [Leak::None, Leak::Slot, Leak::Broadcast] {
        let upstream = upstream(Order::Held(2));
        let server = ws_chat::start(leak, upstream.url());
        let heard = run(async {
            let url = format!("ws://127.0.0.1:{}/chat", server.port);
            let mut sockets = [connect(url.clone(), "alice").await, connect(url, "bob").await];
            for socket in &mut sockets {
                say(socket, json!({"op": "hello"}).to_string()).await;
                assert!(hear(socket, "hello").await.contains("welcome"));
            }
            let start = |text: &str| {
                json!({"op": "say", "ref": "1", "conversation": "1", "body": text}).to_string()
            };
            both(&mut sockets, start, "accepted", "final").await
        });
        judge(leak, &heard);
    }
}

#[test]
fn ws_chat_that_closes_in_the_words_of_another() {
    for leak in [Leak::None, Leak::CloseReason] {
        let upstream = upstream(Order::Arrival);
        let server = ws_chat::start(leak, upstream.url());
        let heard = run(async {
            let url = format!("ws://127.0.0.1:{}/chat", server.port);
            let mut alice = connect(url.clone(), "alice").await;
            let mut bob = connect(url, "bob").await;
            let start = json!({"op": "say", "ref": "1", "conversation": "1", "body": "A-said"});
            say(&mut alice, start.to_string()).await;
            hear(&mut alice, "accepted").await;
            say(&mut bob, "not JSON".into()).await;
            let last = if leak == Leak::None { "no such op" } else { "A-said" };
            hear(&mut bob, last).await
        });
        assert_eq!(heard.contains("A-said"), leak != Leak::None, "{leak:?}: {heard}");
    }
}

#[test]
fn socket_io() {
    for leak in [Leak::None, Leak::IdCollision, Leak::Broadcast] {
        let upstream = upstream(Order::Held(2));
        let server = socket_io::start(leak, upstream.url());
        let heard = run(async {
            let url = |server: &Server| {
                format!("ws://127.0.0.1:{}/socket.io/?EIO=4&transport=websocket", server.port)
            };
            let mut sockets =
                [connect(url(&server), "alice").await, connect(url(&server), "bob").await];
            for socket in &mut sockets {
                assert!(hear(socket, "pingInterval").await.starts_with("0{"));
                say(socket, "40".into()).await;
                assert!(hear(socket, "\n2\n").await.starts_with("40{"));
                say(socket, "3".into()).await;
            }
            let start = |text: &str| {
                format!("42{}", json!(["chat", {"id": "1", "room": "1", "text": text}]))
            };
            both(&mut sockets, start, "started", "done").await
        });
        judge(leak, &heard);
    }
}

fn judge(leak: Leak, heard: &[String; 2]) {
    let crossed = heard[0].contains("B-said") || heard[1].contains("A-said");
    assert_eq!(crossed, leak != Leak::None, "{leak:?}: {heard:#?}");
    if leak == Leak::None {
        for (heard, own) in heard.iter().zip(["A-said", "B-said"]) {
            assert_eq!(heard.matches(own).count(), 4, "{heard}");
        }
    }
}
