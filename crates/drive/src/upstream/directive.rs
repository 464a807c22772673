//! What happens to one call: drawn from the seed and its text, or asked for in the text itself.

use std::time::Duration;

use siphasher::sip::SipHasher24;

use partywall_core::target::Options;

/// How a call asks for something: `[[upstream delay=300 gap=20 error=503]]`, `[[upstream cut=2]]`.
const OPENS: &str = "[[upstream ";
const CLOSES: &str = "]]";

/// No call asks for a longer wait, in milliseconds.
const LONGEST_WAIT: u64 = 60_000;

/// What happens to one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive {
    /// Until the reply begins.
    pub(super) delay: Duration,
    /// Between two pieces of it.
    pub(super) gap: Duration,
    pub(super) fault: Option<Fault>,
}

/// What goes wrong with a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// An error of that status instead.
    Status(u16),
    /// The connection is cut after that many pieces; 0 is before the first byte.
    CutAfter(u16),
}

impl Directive {
    /// What the text asks for, and otherwise what is drawn for it.
    ///
    /// # Errors
    ///
    /// The text asks for something that there is not.
    pub(super) fn of(options: &Options, text: &str) -> Result<Self, String> {
        let mut drawn = Self::drawn(options, text);
        let Some((_, rest)) = text.split_once(OPENS) else { return Ok(drawn) };
        let wrong = |word: &str| {
            format!(
                "`{}` is nothing to ask of the upstream: `{OPENS}WORDS{CLOSES}` takes delay=MS and \
                 gap=MS (0 to {LONGEST_WAIT}), error=STATUS (400 to 599) and cut=PIECES",
                word.chars().take(40).collect::<String>().escape_debug()
            )
        };
        let (words, _) = rest.split_once(CLOSES).ok_or_else(|| wrong(rest))?;
        for word in words.split_whitespace() {
            let (name, number) = word.split_once('=').ok_or_else(|| wrong(word))?;
            let number: u64 = number.parse().map_err(|_| wrong(word))?;
            let wait = || (number <= LONGEST_WAIT).then(|| Duration::from_millis(number));
            let small = u16::try_from(number).map_err(|_| wrong(word))?;
            match name {
                "delay" => drawn.delay = wait().ok_or_else(|| wrong(word))?,
                "gap" => drawn.gap = wait().ok_or_else(|| wrong(word))?,
                "error" if (400..600).contains(&small) => drawn.fault = Some(Fault::Status(small)),
                "cut" => drawn.fault = Some(Fault::CutAfter(small)),
                _ => return Err(wrong(word)),
            }
        }
        Ok(drawn)
    }

    fn drawn(options: &Options, text: &str) -> Self {
        let draw = |what: u64, below: u64| {
            let hasher = SipHasher24::new_with_keys(options.seed, what);
            hasher.hash(text.as_bytes()) % below.max(1)
        };
        let (least, most) = options.delay;
        let span = most.saturating_sub(least).as_millis() as u64;
        let fails = draw(2, 100) < u64::from(options.fail_percent);
        let fault = fails.then(|| match draw(3, 4) {
            0 => Fault::Status(500),
            1 => Fault::Status(429),
            2 => Fault::CutAfter(0),
            _ => Fault::CutAfter(1 + draw(4, u64::from(options.chunks)) as u16),
        });
        let delay = least + Duration::from_millis(draw(1, span + 1));
        Self { delay, gap: options.gap, fault }
    }
}

/// The order in which members of a group reply, drawn with the seed.
pub(super) fn shuffled(seed: u64, group: u64, members: usize) -> Vec<usize> {
    let hasher = SipHasher24::new_with_keys(seed, group);
    let mut order: Vec<usize> = (0..members).collect();
    order.sort_by_key(|member| hasher.hash(&member.to_le_bytes()));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        let delay = (Duration::from_millis(10), Duration::from_millis(30));
        Options { delay, fail_percent: 50, ..Options::default() }
    }

    #[test]
    fn the_same_text_meets_the_same_and_another_seed_something_else() {
        let of = |seed, text: &str| Directive::of(&Options { seed, ..options() }, text);
        let texts: Vec<String> = (0..200).map(|number| format!("call {number}")).collect();
        let drawn = |seed| texts.iter().map(|text| of(seed, text)).collect::<Vec<_>>();
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        let failed = drawn(1).iter().flatten().filter(|drawn| drawn.fault.is_some()).count();
        // Half of 200: 100 ± 7; five deviations on either side.
        assert!((65..=135).contains(&failed), "{failed}");
        for directive in drawn(1).into_iter().flatten() {
            assert!((10..=30).contains(&directive.delay.as_millis()), "{directive:?}");
        }
    }

    #[test]
    fn what_a_text_asks_for_comes_before_what_is_drawn() {
        let asked = "tell me [[upstream delay=300 cut=2]] please";
        let of = Directive::of(&options(), asked).expect("it is well formed");
        assert_eq!(of.delay, Duration::from_millis(300));
        assert_eq!(of.fault, Some(Fault::CutAfter(2)));
        let bad = ["delay", "delay=-1", "delay=60001", "error=200", "cut=70000", "sleep=1"];
        for bad in bad {
            let said = Directive::of(&options(), &format!("[[upstream {bad}]]"));
            assert!(said.expect_err(bad).contains(bad));
        }
        assert!(Directive::of(&options(), "[[upstream delay=1").is_err());
    }
}
