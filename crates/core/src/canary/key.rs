//! The key of a campaign, and how it is written and read.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use siphasher::sip128::SipHasher24;

/// Letters of [`CampaignKey::round_word`].
pub(crate) const ROUND_WORD_LEN: usize = 12;

/// Campaign stamps and name digests have three bytes each.
const THREE_BYTES: u32 = 0xFF_FFFF;

/// The key of one campaign: all its canaries are tagged with it, and only those count.
///
/// It is no secret from whoever runs the campaign. It only has to be unknown to the
/// backend under test, and to differ between campaigns that share a backend. Trials that share a
/// backend are told apart by the key's round: what an account said in an earlier one is still its own.
///
/// A server may outlive a campaign, and most campaigns have the same seed. Against such a server the
/// key has a nonce too. Its canaries are read by every later campaign, whatever its seed, and hold a
/// digest of their owner's name: the index of a user means nothing outside of their own campaign.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CampaignKey {
    pub(super) tag: [u8; 16],
    pub(super) round: u32,
    /// 0 is none.
    nonce: u32,
    /// States of the same system that were driven before, each with the nonce before the next one's.
    earlier_states: u32,
}

/// The digest by which a canary names a person, of 24 bits; 0 stands for nobody.
pub fn name_digest(name: &str) -> u32 {
    let hash = SipHasher24::new_with_key(b"partywall person").hash(name.as_bytes()).h1;
    (hash as u32 & THREE_BYTES).max(1)
}

impl CampaignKey {
    /// Derives a key: equal seeds give equal keys.
    pub fn from_seed(seed: u64) -> Self {
        let derivation = SipHasher24::new_with_key(b"partywall canary");
        let tag = derivation.hash(&seed.to_le_bytes()).as_bytes();
        Self { tag, round: 0, nonce: 0, earlier_states: 0 }
    }

    /// The same campaign's key for the trial of that number on one backend.
    pub fn in_round(self, round: u32) -> Self {
        Self { round, ..self }
    }

    /// The same campaign's key with that nonce; 0 is none.
    pub fn with_nonce(self, nonce: u32) -> Self {
        Self { nonce, earlier_states: 0, ..self }
    }

    /// The key for a state of a system of which that many others are driven before: `after` of a
    /// sign-off comes after one, and has the next nonce. A store that outlives the servers may hold
    /// what an earlier state filed wrongly. The same key without a nonce.
    pub fn after_states(self, earlier_states: u32) -> Self {
        if self.nonce == 0 {
            return self;
        }
        Self { nonce: self.nonce.saturating_add(earlier_states), earlier_states, ..self }
    }

    /// Whether other states of the same system were driven before.
    pub fn is_of_later_state(&self) -> bool {
        self.earlier_states > 0
    }

    /// Whether a canary with that [stamp](Self::campaign_stamp) may have been left in a store before
    /// this state was driven.
    pub fn may_be_left(&self, stamp: u32) -> bool {
        self.is_of_later_state() && stamp != self.campaign_stamp()
    }

    /// Whether that stamp is of one of the states before.
    pub fn is_of_earlier_state(&self, stamp: u32) -> bool {
        let state = |back| Self { nonce: self.nonce.saturating_sub(back), ..*self };
        stamp != 0 && (1..=self.earlier_states).any(|back| state(back).campaign_stamp() == stamp)
    }

    /// What tells campaigns of one seed apart; 0 where each trial has a backend of its own.
    pub fn nonce(&self) -> u32 {
        self.nonce
    }

    /// What canaries of a campaign with a nonce carry of it, of 24 bits; 0 without a nonce.
    pub fn campaign_stamp(&self) -> u32 {
        if self.nonce == 0 {
            return 0;
        }
        // Longer than a claim.
        let text = format!("campaign with the nonce {}", self.nonce);
        let hash = SipHasher24::new_with_key(&self.tag).hash(text.as_bytes()).h1;
        (hash as u32 & THREE_BYTES).max(1)
    }

    /// A word that nobody used before this round, for requests that are equal within it: a server
    /// that lives on may have the answer to an older one in a cache. Always of the same length.
    /// None without a nonce.
    pub fn round_word(&self) -> Option<String> {
        if self.nonce == 0 {
            return None;
        }
        let text = format!("equal requests of round {} of {}", self.round, self.nonce);
        let mut bits = SipHasher24::new_with_key(&self.tag).hash(text.as_bytes()).h1;
        let letter = |_| {
            let letter = char::from(b'a' + (bits % 26) as u8);
            bits /= 26;
            letter
        };
        Some((0..ROUND_WORD_LEN).map(letter).collect())
    }

    /// The [words](Self::round_word) of this round and of those before it.
    pub fn round_words(&self) -> impl Iterator<Item = String> {
        (0..=self.round).filter_map(|round| self.in_round(round).round_word())
    }

    /// A tag of something else than a canary, which nobody makes without the key.
    pub fn seal(self, what: &str, number: usize) -> u64 {
        // Longer than a claim and than the text above, so that it never is one of them.
        let text = format!("seal of {what} {number}");
        SipHasher24::new_with_key(&self.tag).hash(text.as_bytes()).h1
    }

    /// The number of the trial on one backend; 0 where each trial has a backend of its own.
    pub fn round(&self) -> u32 {
        self.round
    }

    /// What canaries carry of their campaign. It tells nothing about the key's tags.
    pub fn campaign_id(&self) -> u32 {
        // Claims are 10 bytes long, so this text never is one.
        let digest = SipHasher24::new_with_key(&self.tag).hash(b"campaign id").as_bytes();
        u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
    }
}

impl fmt::Display for CampaignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tag.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        if self.round > 0 || self.nonce > 0 {
            write!(f, "@{}", self.round)?;
        }
        if self.nonce > 0 {
            write!(f, ":{}", self.nonce)?;
        }
        if self.earlier_states > 0 { write!(f, "-{}", self.earlier_states) } else { Ok(()) }
    }
}

impl From<CampaignKey> for String {
    fn from(key: CampaignKey) -> Self {
        key.to_string()
    }
}

/// A text that is not a [`CampaignKey`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParseKeyError;

impl fmt::Display for ParseKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a campaign key is 32 hexadecimal digits, `@` and a number for a later round, `:` \
             and a number for its nonce, and `-` and a smaller one for earlier states",
        )
    }
}

impl std::error::Error for ParseKeyError {}

impl FromStr for CampaignKey {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let (tag, round) = text.split_once('@').map_or((text, None), |(tag, n)| (tag, Some(n)));
        let (round, nonce) = match round.and_then(|round| round.split_once(':')) {
            Some((round, nonce)) => (Some(round), Some(nonce)),
            None => (round, None),
        };
        let (nonce, earlier) = match nonce.and_then(|nonce| nonce.split_once('-')) {
            Some((nonce, earlier)) => (Some(nonce), Some(earlier)),
            None => (nonce, None),
        };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        // `from_str_radix` and `parse` alone would take a sign too.
        let mut numbers = round.into_iter().chain(nonce).chain(earlier);
        if tag.len() != 32 || !digits(tag) || !numbers.all(digits) {
            return Err(ParseKeyError);
        }
        let number = u128::from_str_radix(tag, 16).map_err(|_| ParseKeyError)?;
        let parsed = |text: Option<&str>| text.map_or(Ok(0), str::parse).map_err(|_| ParseKeyError);
        let (round, nonce, earlier_states) = (parsed(round)?, parsed(nonce)?, parsed(earlier)?);
        if earlier_states > 0 && earlier_states >= nonce {
            return Err(ParseKeyError);
        }
        Ok(Self { tag: number.to_be_bytes(), round, nonce, earlier_states })
    }
}

impl TryFrom<String> for CampaignKey {
    type Error = ParseKeyError;

    fn try_from(text: String) -> Result<Self, ParseKeyError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_a_nonce_is_written_and_read() {
        let key = CampaignKey::from_seed(7);
        for key in [key, key.in_round(5), key.with_nonce(9), key.in_round(5).with_nonce(9)] {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        assert!("00112233445566778899aabbccddeeff@1:+2".parse::<CampaignKey>().is_err());
        assert!("00112233445566778899aabbccddeeff:2".parse::<CampaignKey>().is_err());
        let later = key.with_nonce(9).after_states(2).in_round(5);
        assert!(later.to_string().ends_with("@5:11-2"), "{later}");
        assert_eq!(later.to_string().parse(), Ok(later));
        assert!("00112233445566778899aabbccddeeff@1:2-2".parse::<CampaignKey>().is_err());
    }

    #[test]
    fn a_key_knows_the_states_before_its_own_and_no_others() {
        let first = CampaignKey::from_seed(7).with_nonce(9);
        let [second, third] = [1, 2].map(|earlier| first.after_states(earlier).in_round(3));
        let knows =
            |key: CampaignKey, other: CampaignKey| key.is_of_earlier_state(other.campaign_stamp());
        assert!(knows(second, first) && knows(third, first) && knows(third, second));
        assert!(!knows(second, second) && !knows(second, third) && !knows(first, second));
        let others = [first.with_nonce(8), CampaignKey::from_seed(8).with_nonce(9)];
        assert!(others.iter().all(|other| !knows(third, *other)));
        // Of a campaign with another nonce nothing is known.
        assert!(!third.with_nonce(30).is_of_later_state());
        assert_eq!(CampaignKey::from_seed(7).after_states(1), CampaignKey::from_seed(7));
    }

    #[test]
    fn no_two_rounds_or_campaigns_have_one_word() {
        let key = CampaignKey::from_seed(7).in_round(4);
        assert_eq!(key.round_word(), None);
        let key = key.with_nonce(9);
        let others = [key.in_round(5), key.with_nonce(8), CampaignKey::from_seed(8).with_nonce(9)];
        let word = key.round_word().expect("a word");
        for other in others {
            let other = other.round_word().expect("a word");
            assert!(other != word && other.len() == word.len());
        }
    }
}
