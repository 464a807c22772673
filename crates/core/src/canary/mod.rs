//! Canaries: tokens which name their owner.
//!
//! A canary is planted in one user's data. Whoever sees it later can tell, from
//! the token and the [`CampaignKey`] alone, which user, run and field it belongs
//! to, and that it is genuine. So judging needs no shared state, and ten machines
//! can each judge what they saw.
//!
//! ```
//! use partywall_core::canary::{CampaignKey, Field, Mint, Owner, Scanner};
//!
//! let key = CampaignKey::from_seed(7);
//! let alice = Owner { user: 1, run: 2, field: Field::Prompt };
//! let canary = Mint::new(key).mint(alice);
//!
//! let seen = format!(r#"{{"content":"you said {}"}}"#, canary.to_uppercase());
//! let sightings = Scanner::new(key).scan(seen.as_bytes());
//! assert_eq!(sightings[0].owner, alice);
//! ```
//!
//! # Why this format?
//!
//! *36 letters and digits:* they survive JSON, URLs, headers, file names and most
//! tokenisers unchanged, and no byte of them becomes `+`, `/`, `-` or `_` in
//! base64, so that both base64 alphabets look the same from the inside.
//! *A fixed magic first:* the scan looks for a handful of short strings and decodes
//! only there. *An 80-bit keyed tag:* what verifies is genuine; a text would have to
//! hold 2⁸⁰ near misses before one is expected to pass. Where a campaign has a nonce, the
//! tag is of 40 bits and its key is the same for all campaigns, for later ones must read
//! it: the other 40 bits name the campaign, the round and the owner.
//!
//! # What is not seen
//!
//! A canary that was hashed, compressed, encrypted, translated, or spelled with only some of its
//! characters escaped; one with more than eight line breaks in it; and two layers of encoding,
//! except base64 in base64, and JSON (up to two strings deep) around any one of the others. UTF-16
//! in a JSON string is seen once that is read as JSON.

mod decode;
mod encoding;
mod fragment;
mod key;
mod magic;
mod mint;
mod piece;
mod scan;
mod stream;
mod wrap;

pub use encoding::base64;
pub use encoding::{Alignment, Encoding, HexCase};
pub use fragment::{LEAST_FRAGMENT, Planted, heads, tail};
pub(crate) use key::ROUND_WORD_LEN;
pub use key::{CampaignKey, ParseKeyError, name_digest};
pub use mint::{CANARY_LEN, Field, Mint, Owner, PHANTOM_USER};
pub use piece::{Last, Tail, hangs};
pub use scan::{Form, Scanner, Sighting};
pub use stream::Stream;
