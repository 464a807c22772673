//! Bearer tokens of the reference back end: the user's name and a keyed tag.
//!
//! The key is public, since this back end guards nothing: a token shows that identity comes from
//! what was authenticated, not from what a client states.

use std::hash::Hasher;

use siphasher::sip::SipHasher24;

use partywall_core::ids::UserName;
use partywall_core::raw::{from_hex, to_hex};

/// The token of that user.
pub fn token_of(user: &UserName) -> String {
    format!("pwt-{}-{:016x}", to_hex(user.as_str().as_bytes()), tag(user.as_str()))
}

/// Whose token it is; none if it is not genuine.
fn user_of(token: &str) -> Option<UserName> {
    let (name, given) = token.strip_prefix("pwt-")?.split_once('-')?;
    let name = String::from_utf8(from_hex(name)?).ok()?;
    let given = u64::from_str_radix(given, 16).ok()?;
    (!name.trim().is_empty() && given == tag(&name)).then(|| name.into())
}

/// Whose `Authorization` header it is.
pub(crate) fn user_of_header(header: Option<&str>) -> Option<UserName> {
    user_of(header?.strip_prefix("Bearer ")?)
}

fn tag(name: &str) -> u64 {
    let mut hasher = SipHasher24::new_with_key(b"reference tokens");
    hasher.write(name.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_user_and_nobody_else() {
        for name in ["user-1", "user-10", "acme:alice", "ünï_code"] {
            let user = UserName::new(name);
            let token = token_of(&user);
            assert_eq!(user_of(&token), Some(user.clone()));
            assert_eq!(user_of_header(Some(&format!("Bearer {token}"))), Some(user));
        }
        let mut forged = token_of(&"user-1".into());
        forged.replace_range(4..6, "76");
        for wrong in ["", "pwt-", "pwt-00-0", forged.as_str()] {
            assert_eq!(user_of(wrong), None, "{wrong}");
        }
        assert_eq!(user_of_header(Some(&token_of(&"user-1".into()))), None);
    }
}
