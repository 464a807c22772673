//! Text from a server is hostile: it stops no judge and stands in no evidence.

use super::both;
use partywall::oracle::notation::{found, history};
use partywall::oracle::{Case, judge, judge_control};
use partywall::trial::dialect::Dialect;
use partywall::trial::history::{History, What};
use partywall::trial::raw::Raw;

#[test]
fn evidence_never_holds_server_text() {
    let text = "alice connects; bob connects; alice starts r1 called <EVIL>; bob starts r1 called <EVIL>; \
        r1 of alice emits 1-3 to bob called <EVIL>; r1 of alice ends 9 called <EVIL>; alice is closed; \
        r1 of alice emits 10 called <EVIL>; bob gets {\"type\":\"run_accepted\",\"request_id\":\"<EVIL>\"}";
    let history = history(text);
    let judged = judge(&Case::new(&history, &Dialect::reference()));
    assert!(judged.findings.len() > 4);
    assert!(!format!("{:?}", judged.findings).contains("EVIL"));
}

/// What comes from a server is anything. None of it may stop the judge.
#[test]
fn hostile_messages_are_counted_and_survived() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let wide = format!("{{\"type\":\"x\",{}\"z\":1}}", {
        (0..20_000).map(|n| format!("\"k{n}\":\"v\",")).collect::<String>()
    });
    let long =
        format!("{{\"type\":\"agent_thinking\",\"reasoning\":\"{}\"}}", "pw10".repeat(1 << 18));
    let texts: Vec<(Vec<u8>, bool)> = vec![
        (b"".to_vec(), true),
        (b"null".to_vec(), true),
        (b"[{\"type\":\"pong\"}]".to_vec(), true),
        (b"{\"type\":null}".to_vec(), true),
        (b"{\"type\":{\"type\":\"pong\"}}".to_vec(), true),
        (
            b"{\"type\":\"agent_started\",\"run_id\":[],\"sequence\":\"1\",\"user_id\":true}"
                .to_vec(),
            false,
        ),
        (b"{\"type\":\"agent_started\",\"run_id\":\"\",\"sequence\":-1}".to_vec(), false),
        (b"{\"type\":\"agent_started\",\"run_id\":1e400,\"sequence\":1.5}".to_vec(), false),
        (b"{\"type\":\"run_accepted\",\"run_id\":\"x\"}".to_vec(), false),
        (b"{\"type\":\"connection_established\",\"connection_id\":{}}".to_vec(), false),
        (b"{\"type\":\"a\"}{\"type\":\"b\"}".to_vec(), true),
        (b"{\"type\":\"\xff\xfe\"}".to_vec(), true),
        (vec![0; 1000], true),
        (deep.into_bytes(), true),
        (wide.into_bytes(), false),
        (long.into_bytes(), false),
    ];
    let malformed = texts.iter().filter(|(_, malformed)| *malformed).count() as u64;
    let mut history = history(&both("alice posts r2; r2 of alice answers"));
    for (bytes, _) in texts {
        for at in [5, history.observations.len() - 1] {
            let mut copy = history.observations[at].clone();
            copy.n = history.observations.len() as u64;
            match &mut copy.what {
                partywall::trial::history::What::Received { raw }
                | partywall::trial::history::What::Answer { raw, .. } => {
                    *raw = Raw::new(bytes.clone())
                }
                _ => {}
            }
            if at == 5 {
                let answer = history.observations.pop().expect("an answer");
                history.observations.push(copy);
                history.observations.push(answer);
            }
        }
    }
    let judged = judge(&Case::new(&history, &Dialect::reference()));
    assert_eq!(judged.malformed, malformed);
    assert_eq!(judged.findings, []);
    // The control judges again and again: once with the large ones is enough.
    history.observations.retain(|observation| {
        observation.what.inbound().is_none_or(|raw| raw.bytes().len() < 2000)
    });
    partywall::oracle::judge_control(&history, &Dialect::reference(), 1);
    let mut anonymous: History = history.clone();
    for observation in &mut anonymous.observations {
        observation.by = None;
        observation.on = None;
    }
    assert_eq!(judge(&Case::new(&anonymous, &Dialect::reference())).findings, []);
}

/// Every writer in the field may produce these; a user who waits for the event must not miss it.
#[test]
fn events_that_a_strict_parser_refuses_are_events_like_any_other() {
    let clean = history(&both("r1 of alice emits 1-3; r1 of alice ends 4; r1 of bob ends 1"));
    let leak = history(&both("r1 of alice emits 1 to bob; r1 of alice ends 2; r1 of bob ends 1"));
    let members = [
        r#""x":"cut \ud83d""#,
        r#""x":NaN"#,
        r#""x":Infinity"#,
        r#""x":[-Infinity]"#,
        r#""x":1e999"#,
        "\"x\":\"\t\"",
    ];
    for member in members {
        let with = |history: &History| {
            let mut history = history.clone();
            for observation in &mut history.observations {
                if let What::Received { raw } = &mut observation.what {
                    let text = raw.text().replacen('{', &format!("{{{member},"), 1);
                    *raw = Raw::from(text);
                }
            }
            let judged = judge(&Case::new(&history, &Dialect::reference()));
            (judged.malformed, history)
        };
        let ((malformed, odd), (_, odd_leak)) = (with(&clean), with(&leak));
        assert_eq!((malformed, found(&odd)), (0, found(&clean)), "{member}");
        assert_eq!(found(&odd_leak), found(&leak), "{member}");
        let control = |history: &History| judge_control(history, &Dialect::reference(), 1);
        assert_eq!(control(&odd), control(&clean), "{member}");
    }
    assert_eq!(found(&clean), [""; 0]);
    assert!(!found(&leak).is_empty());
}
