//! The bare client: tokio-tungstenite with the same buffers, each message parsed whole and its ids
//! compared; nothing is recorded.

use futures_util::{SinkExt, StreamExt};
use partywall::reference::auth::token_of;
use partywall::trial::canary::Mint;
use partywall::trial::plan::{Plan, UserPlan};
use serde_json::Value;
use tokio_tungstenite::connect_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

pub(crate) fn drive(port: u16, plan: &Plan) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(plan.users.len()));
        let mut users = tokio::task::JoinSet::new();
        for user in plan.users.clone() {
            let (mint, barrier) = (Mint::new(plan.campaign), barrier.clone());
            users.spawn(async move { live(port, user, mint, &barrier).await });
        }
        while let Some(ended) = users.join_next().await {
            ended.expect("nobody panics");
        }
    });
}

async fn live(port: u16, user: UserPlan, mint: Mint, barrier: &tokio::sync::Barrier) {
    let mut request = format!("ws://127.0.0.1:{port}/ws").into_client_request().expect("a URL");
    let token = format!("Bearer {}", token_of(&user.name)).parse().expect("a header");
    request.headers_mut().insert("authorization", token);
    let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
    let (mut socket, _) =
        connect_async_with_config(request, Some(config), true).await.expect("it opens");
    socket.next().await.expect("open").expect("a greeting");
    barrier.wait().await;
    for run in user.runs() {
        let prompt = run.prompt(&mint, user.index);
        let chat = serde_json::json!({
            "type": "chat", "message": prompt, "thread_id": run.thread,
            "request_id": run.request_id, "settings": run.settings(&mint, user.index),
            "agents": run.agents, "delays": run.delays,
        });
        socket.send(Message::text(chat.to_string())).await.expect("it is taken");
        loop {
            let message = socket.next().await.expect("open").expect("a message");
            let event: Value =
                serde_json::from_str(message.to_text().expect("text")).expect("JSON");
            assert_eq!(event["user_id"], user.name.as_str());
            assert_eq!(event["thread_id"], run.thread.as_str());
            if event["type"] == "agent_completed" && event["agent_name"] == "supervisor" {
                assert!(event["message"].as_str().is_some_and(|text| text.starts_with(&prompt)));
                break;
            }
        }
    }
    socket.close(None).await.expect("it closes");
}
