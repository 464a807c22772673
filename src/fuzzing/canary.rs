//! The canary scan: any text, cut anywhere, with one canary planted in it.

use super::bytes::Bytes;
use crate::trial::canary::{
    CampaignKey, Encoding, Field, Mint, Owner, PHANTOM_USER, Scanner, Sighting, Stream,
};

/// How many chunk sizes an input gives; they are used over and over.
const SIZES: usize = 4;

/// Sizes beyond this stand for chunks longer than any encoded canary, which are scanned where they
/// lie instead of being joined to the last ones.
const SMALL: usize = 200;

/// Any bytes: four chunk sizes, then where and how a canary is planted, then the text.
///
/// # Panics
///
/// If the whole text and its chunks give different sightings, with or without the canary, or if the
/// planted one is not found or is not the only one.
pub fn canary(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let sizes: [usize; SIZES] = std::array::from_fn(|_| chunk_size(bytes.next()));
    let encoding = bytes.pick(&Encoding::all());
    let letters = bytes.pick(&[Encoding::Plain, Encoding::UpperCase, Encoding::MixedCase]);
    let in_json = bytes.below(2) == 1;
    let owner = Owner {
        user: bytes.pick(&[0, 1, 255, 256, PHANTOM_USER - 1, PHANTOM_USER]),
        run: u16::from(bytes.next()),
        field: bytes.pick(&Field::ALL),
    };
    let place = usize::from(bytes.next());
    let text = bytes.rest();

    let key = CampaignKey::from_seed(1);
    let scanner = Scanner::new(key);
    let found = agreed(&scanner, text, &sizes);
    // Nobody outside the campaign can write a tag of 80 bits.
    assert!(found.is_empty(), "found without having been planted: {found:?}");

    let minted = letters.encode(&Mint::new(key).mint(owner));
    let planted = if in_json { encoding.encode_in_json(&minted) } else { encoding.encode(&minted) };
    let (before, after) = text.split_at(place.min(text.len()));
    let whole = [before, planted.as_bytes(), after].concat();
    let found = agreed(&scanner, &whole, &sizes);
    let owners: Vec<Owner> = found.iter().map(|sighting| sighting.owner).collect();
    assert_eq!(owners, [owner], "planted as {planted:?} at {}", before.len());
    let within = before.len() as u64..=(before.len() + planted.len()) as u64;
    assert!(within.contains(&found[0].start) && within.contains(&found[0].end), "{found:?}");
}

fn chunk_size(byte: u8) -> usize {
    match usize::from(byte) {
        small if small < SMALL => small,
        large => large * 5,
    }
}

/// What a scan of the whole text finds, after a stream of such chunks has found the same.
fn agreed(scanner: &Scanner, text: &[u8], sizes: &[usize]) -> Vec<Sighting> {
    let whole = scanner.scan(text);
    let mut stream = Stream::new(scanner.clone());
    let mut in_chunks = Vec::new();
    let mut rest = text;
    // A round of empty chunks would never end.
    let last_resort = usize::from(sizes.iter().all(|size| *size == 0));
    for size in sizes.iter().cycle() {
        let (chunk, left) = rest.split_at(rest.len().min(size + last_resort));
        in_chunks.extend(stream.feed(chunk));
        rest = left;
        if rest.is_empty() {
            break;
        }
    }
    assert_eq!(in_chunks, whole, "in chunks of {sizes:?}, against the whole text");
    whole
}
