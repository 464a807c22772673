//! Starters for scenario files, which `partywall init` writes.

/// The ready scenarios of a server of your own, by name.
pub const TEMPLATES: [(&str, &str); 7] = [
    ("chat-websocket", include_str!("../../scenarios/chat-websocket.toml")),
    ("chat-migration", include_str!("../../scenarios/chat-migration.toml")),
    ("sse-chat", include_str!("../../scenarios/sse-chat.toml")),
    ("json-rpc", include_str!("../../scenarios/json-rpc.toml")),
    ("json-rpc-stateless", include_str!("../../scenarios/json-rpc-stateless.toml")),
    ("socket-io", include_str!("../../scenarios/socket-io.toml")),
    ("http-only", include_str!("../../scenarios/http-only.toml")),
];

/// All that `partywall init` writes: the ready scenarios, then those of the reference back end.
pub fn starters() -> impl Iterator<Item = (&'static str, &'static str)> {
    TEMPLATES.into_iter().chain(super::embedded::all_built_in())
}

#[cfg(test)]
mod tests {
    use super::super::Scenario;
    use super::*;

    #[test]
    fn every_template_is_a_valid_scenario_named_after_its_file() {
        for (name, text) in TEMPLATES {
            let scenario = Scenario::parse(text).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(scenario.name, name);
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_a_remedy() {
        let good = TEMPLATES[0].1;
        let spoilt = [
            ("{{ prompt }}", "hello", "canary"),
            ("\"/type\"", "\"type\"", "write `/type`"),
            ("by = \"message\"", "by = \"post\"", "use \"message\" or \"http\""),
            ("runs_per_user = 2", "runs_per_user = 0", "from 1 to"),
            ("runs_per_user = 2", "run_per_user = 2", "did you mean `runs_per_user`"),
            ("{{ user }}", "{{ usr }}", "there is no `usr`"),
            ("{{ user }}", "alice", "which user asks"),
            ("Bearer {{ capture.token }}", "Bearer { user }", "write `{{ user }}`"),
            ("{{ user }}", "${user}", "write `{{ user }}`"),
            (
                "{{ capture.token }}",
                "{{ capture.tokn }}",
                "there is no capture `tokn`; there are token",
            ),
            ("pointer = \"/token\"", "regex = \"token=.*\"", "a group"),
            ("pointer = \"/token\", ", "", "one of `header`, `pointer`, `regex`"),
            ("path = \"/ws\"", "path = \"@elsewhere/ws\"", "begins with `/`"),
            ("[identity]", "[upstream]\n[identity]", "does not learn where its upstream is"),
            (
                "ready_seconds = 20",
                "env = { A = \"{{ upstream.url }}\" }",
                "add a table `[upstream]`",
            ),
            ("ready_seconds = 20", "url = \"http://127.0.0.1:1\"", "give `url` or `command`"),
            ("ready_seconds = 20", "websocket = \"http://127.0.0.1:1\"", "ws://HOST"),
            ("[identity]", "[identity]\nusers = [\"a\"]", "at least two"),
            ("connection = \"websocket\"", "connection = \"none\"", "give `connection`"),
        ];
        for (old, new, remedy) in spoilt {
            let text = good.replace(old, new);
            assert_ne!(text, good, "{old}");
            let error = Scenario::parse(&text).expect_err(new);
            assert!(error.line.is_some(), "{error}");
            assert!(error.to_string().contains(remedy), "{error}");
        }
    }
}
