//! A headless Chromium, spoken to over its DevTools protocol.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// What no step takes unless something hangs.
const LIMIT: Duration = Duration::from_secs(60);

type Line = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    profile: PathBuf,
    runtime: Runtime,
    line: Line,
    next: u64,
    session: String,
    /// What it told of itself since the page was opened.
    events: Vec<Value>,
}

impl Browser {
    /// Starts it; none where there is none.
    pub(crate) fn start() -> Option<Self> {
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let profile = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!(
            "browser-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        let mut child = names.iter().find_map(|name| {
            Command::new(name)
                .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"])
                .args(["--disable-dev-shm-usage", "--remote-debugging-port=0"])
                .args(["--window-size=1280,900", "about:blank"])
                .arg(format!("--user-data-dir={}", profile.display()))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .ok()
        })?;
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let address = stderr
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("listening on ").map(|(_, url)| url.to_owned()))
            .expect("the browser says where it listens");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let config = tokio_tungstenite::tungstenite::protocol::WebSocketConfig::default()
            .max_message_size(Some(256 << 20))
            .max_frame_size(Some(256 << 20));
        let line = runtime
            .block_on(tokio_tungstenite::connect_async_with_config(&address, Some(config), false))
            .expect("the browser answers")
            .0;
        let mut browser = Self {
            child,
            profile,
            runtime,
            line,
            next: 0,
            session: String::new(),
            events: Vec::new(),
        };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", attach);
        browser.session = session["sessionId"].as_str().expect("a session").to_owned();
        for domain in ["Page.enable", "Network.enable", "Runtime.enable", "Log.enable"] {
            browser.call(domain, json!({}));
        }
        Some(browser)
    }

    /// Sends a command and waits for its answer; what comes in between is kept.
    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.next += 1;
        let id = self.next;
        let mut command = json!({ "id": id, "method": method, "params": parameters });
        if !self.session.is_empty() {
            command["sessionId"] = json!(self.session);
        }
        let Self { runtime, line, events, .. } = self;
        runtime.block_on(async {
            line.send(Message::text(command.to_string())).await.expect("it listens");
            loop {
                let message = next(line).await;
                if message["id"] == id {
                    assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                    return message["result"].clone();
                }
                events.push(message);
            }
        })
    }

    /// Opens the file and waits until it is loaded.
    pub(crate) fn open(&mut self, path: &Path) {
        self.events.clear();
        self.call("Page.navigate", json!({ "url": format!("file://{}", path.display()) }));
        let Self { runtime, line, events, .. } = self;
        runtime.block_on(async {
            while !events.iter().any(|event| event["method"] == "Page.loadEventFired") {
                events.push(next(line).await);
            }
        });
    }

    /// What the expression comes to in the page.
    pub(crate) fn ask(&mut self, expression: &str) -> Value {
        let asked =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let result = self.call("Runtime.evaluate", asked);
        assert!(result["exceptionDetails"].is_null(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// Presses a key.
    pub(crate) fn press(&mut self, key: &str) {
        let text = match key {
            "Enter" => "\r",
            key if key.len() == 1 => key,
            _ => "",
        };
        let code = match key {
            "Enter" => 13,
            "ArrowRight" => 39,
            _ => 0,
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event =
                json!({ "type": kind, "key": key, "text": text, "windowsVirtualKeyCode": code });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// The page as a picture.
    pub(crate) fn screenshot(&mut self) -> Vec<u8> {
        use base64::Engine;
        let picture = self.call("Page.captureScreenshot", json!({}));
        let text = picture["data"].as_str().expect("a picture");
        base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
    }

    /// What the page asked for beyond itself.
    pub(crate) fn requests_away(&self) -> Vec<String> {
        let sent =
            self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        let urls = sent.filter_map(|event| event["params"]["request"]["url"].as_str());
        urls.filter(|url| !url.starts_with("file://")).map(String::from).collect()
    }

    /// What the browser complained about: refused scripts, refused requests, errors.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let told = |event: &Value| match event["method"].as_str() {
            Some("Log.entryAdded") => event["params"]["entry"]["text"].as_str().map(String::from),
            Some("Runtime.exceptionThrown") => Some(event["params"].to_string()),
            _ => None,
        };
        self.events.iter().filter_map(told).collect()
    }
}

async fn next(line: &mut Line) -> Value {
    loop {
        let message = tokio::time::timeout(LIMIT, line.next()).await.expect("the browser answers");
        if let Message::Text(text) = message.expect("it is there").expect("it speaks") {
            return serde_json::from_str(text.as_str()).expect("JSON");
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}
