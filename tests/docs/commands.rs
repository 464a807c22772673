//! Commands in README and the guide are known to the program, with each of their options.

use partywall::cli;

use super::{Page, pages, root};

/// What is wrong with a command line that begins with `partywall`. Placeholders such as `FILE` and
/// `[--times N]` may stand in it.
fn wrong(line: &str) -> Option<String> {
    let bare = line.replace(['[', ']'], " ");
    let mut words = bare.split_whitespace().skip(1);
    let program = cli::command();
    let name = words.next().filter(|name| !name.starts_with('-') && *name != "COMMAND")?;
    let Some(command) = program.find_subcommand(name) else {
        return Some(format!("there is no subcommand `{name}`"));
    };
    for word in words {
        let Some(option) = word.strip_prefix("--") else { continue };
        let option = option.split(['=', ';', ',']).next().unwrap_or_default();
        let mut longs = command.get_arguments().filter_map(|own| own.get_long());
        if option != "help" && !longs.any(|long| long == option) {
            return Some(format!("`{name}` has no option `--{option}`"));
        }
    }
    None
}

/// The command lines of a page: in console blocks, in workflows, and in code within sentences.
fn lines(page: &Page) -> Vec<String> {
    let mut lines = Vec::new();
    for fence in page.fences() {
        match fence.language.as_str() {
            "console" => lines.extend(fence.commands()),
            "yaml" => {
                let runs =
                    fence.body.lines().filter_map(|line| line.trim().strip_prefix("- run: "));
                lines.extend(runs.map(String::from));
            }
            _ => {}
        }
    }
    let prose = page.prose().replace('\n', " ");
    lines.extend(prose.split('`').skip(1).step_by(2).map(|code| code.replace("\\|", "|")));
    lines.into_iter().filter(|line| line.starts_with("partywall ")).collect()
}

#[test]
fn every_command_is_known_to_the_program() {
    let mut seen = 0;
    let mut complaints = Vec::new();
    for page in pages() {
        for line in lines(&page) {
            seen += 1;
            complaints.extend(wrong(&line).map(|wrong| format!("{}: {line}: {wrong}", page.path)));
        }
    }
    assert!(seen > 60, "{seen} commands");
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn commands_with_wholly_known_arguments_are_parsed() {
    for page in pages() {
        let consoles = page.fences().into_iter().filter(|fence| fence.language == "console");
        for line in consoles.flat_map(|fence| fence.commands()) {
            let words: Vec<&str> =
                line.split_whitespace().take_while(|word| *word != "&").collect();
            match words.as_slice() {
                ["partywall", ..] if !line.contains('…') => {
                    let parsed = cli::command().try_get_matches_from(&words);
                    assert!(
                        parsed.is_ok(),
                        "{}: {line}: {}",
                        page.path,
                        parsed.expect_err("wrong")
                    );
                }
                ["cargo", "run", "--example", name] => {
                    assert!(root().join(format!("examples/{name}.rs")).is_file(), "{line}");
                }
                _ => {}
            }
        }
    }
}

#[test]
fn a_wrong_command_is_found() {
    assert_eq!(wrong("partywall run chat.toml --target http://127.0.0.1:1 [--state NAME]"), None);
    assert!(wrong("partywall drive chat.toml").is_some());
    assert!(wrong("partywall run chat.toml --targets x").is_some());
}
