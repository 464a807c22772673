//! How many files the process may have open: each connection of a simulated user is one.

use partywall_explore::store::error::CampaignError;

/// Files that the process has open besides connections: histories, logs, the runtime's own.
const OTHERS: u64 = 64;

/// Connections of a simulated user: the event connection, and an HTTP request beside it.
const EACH: u64 = 2;

/// Raises the limit as far as the system lets it; gives what it is then.
pub fn raise() -> u64 {
    rlimit::increase_nofile_limit(u64::MAX).unwrap_or(0)
}

/// Makes room for that many simulated users.
///
/// # Errors
///
/// The system allows fewer open files than they need; the text says how to allow more.
pub fn make_room(users: usize) -> Result<(), CampaignError> {
    check(users, raise())
}

fn check(users: usize, limit: u64) -> Result<(), CampaignError> {
    let needed = users as u64 * EACH + OTHERS;
    // A system without such a limit gives 0.
    if limit == 0 || needed <= limit {
        return Ok(());
    }
    let most = limit.saturating_sub(OTHERS) / EACH;
    Err(CampaignError::usage(format!(
        "{users} users need up to {needed} open files, and this process may have {limit}; allow more \
         with `ulimit -n {needed}` (as root, or in /etc/security/limits.conf), or drive at most \
         {most} users with --users"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_open_files_are_told_with_the_remedy() {
        assert!(check(5_000, 20_000).is_ok() && check(5_000, 0).is_ok());
        let told = check(5_000, 1_024).expect_err("too few").to_string();
        assert!(told.contains("ulimit -n 10064") && told.contains("at most 480 users"), "{told}");
    }
}
