//! What the stub answers: it echoes all that it was told, in pieces.

/// From that length on a word is taken for a token such as a canary or a nonce.
const TOKEN_LENGTH: usize = 16;

/// What a model was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The last message of the user.
    pub(super) last: String,
    /// What was said before, whoever said it.
    pub(super) earlier: Vec<String>,
    /// The system's messages.
    pub(super) settings: Vec<String>,
}

/// The answer in at least that many pieces.
///
/// Each piece holds the token of the last message, if it has one: where competing readers split a
/// stream, every piece still tells whose it is. Of what was said before only words that are new
/// are echoed: answers come back as history, and would double with each turn.
pub(super) fn pieces(told: &Told, least: u16) -> Vec<String> {
    let mut pieces = vec![format!("about «{}»", told.last)];
    let settings = told.settings.join(" ");
    let new = new_words(&told.earlier, &[&told.last, &settings]);
    if !new.is_empty() {
        pieces.push(format!(" after «{}»", new.join(" ")));
    }
    if !settings.is_empty() {
        pieces.push(format!(" under settings «{settings}»"));
    }
    for step in pieces.len()..usize::from(least) {
        pieces.push(format!(" step {step}"));
    }
    if let Some(token) = words(&told.last).find(|word| is_token(word)) {
        for piece in pieces.iter_mut().filter(|piece| !piece.contains(token)) {
            piece.push_str(&format!(" ({token})"));
        }
    }
    pieces
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let between = |c: char| c.is_whitespace() || "«»()".contains(c);
    text.split(between).filter(|word| !word.is_empty())
}

fn is_token(word: &str) -> bool {
    word.len() >= TOKEN_LENGTH && word.bytes().any(|byte| byte.is_ascii_digit())
}

fn new_words<'t>(texts: &'t [String], said: &[&'t str]) -> Vec<&'t str> {
    let mut known: std::collections::BTreeSet<&str> =
        ["about", "after", "under", "settings", "step"].into();
    known.extend(said.iter().flat_map(|text| words(text)));
    let mut new = Vec::new();
    let mut kept = std::collections::BTreeSet::new();
    for word in texts.iter().flat_map(|text| words(text)) {
        if !known.contains(word) && kept.insert(word) {
            new.push(word);
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "pw10abcdefgh0123456789";

    fn told(last: &str) -> Told {
        Told { last: last.into(), earlier: Vec::new(), settings: Vec::new() }
    }

    #[test]
    fn every_piece_holds_the_token_and_nothing_is_left_out() {
        let settings = vec!["be kind".to_owned()];
        let earlier = vec!["an older pw10ffffgggg0123456789".to_owned()];
        let told = Told { last: format!("find {CANARY} now"), earlier, settings };
        let pieces = pieces(&told, 5);
        assert_eq!(pieces.len(), 5);
        assert!(pieces.iter().all(|piece| piece.contains(CANARY)), "{pieces:?}");
        let whole = pieces.concat();
        for part in ["find", "be kind", "pw10ffffgggg0123456789", "older"] {
            assert!(whole.contains(part), "{part}: {whole}");
        }
    }

    #[test]
    fn answers_that_come_back_as_history_do_not_double() {
        let mut earlier = Vec::new();
        let mut longest = 0;
        for turn in 0..30 {
            let now = Told { earlier: earlier.clone(), ..told(&format!("turn {turn} {CANARY}")) };
            let answer = pieces(&now, 5).concat();
            longest = longest.max(answer.len());
            earlier.extend([now.last, answer]);
        }
        assert!(longest < 1_000, "{longest}");
    }
}
