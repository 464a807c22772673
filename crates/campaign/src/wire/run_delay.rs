//! How long this program has waited for a processor, which tells how busy the machine is.

use std::time::Duration;

/// How long all its threads have been ready and waited, so far: the second figure of
/// [`/proc/self/task/*/schedstat`](https://docs.kernel.org/scheduler/sched-stats.html). Nothing where
/// the system does not count it.
pub(super) fn run_delay() -> Option<Duration> {
    let threads = std::fs::read_dir("/proc/self/task").ok()?;
    let delay_of = |thread: std::io::Result<std::fs::DirEntry>| {
        let counts = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        let nanoseconds = counts.split_whitespace().nth(1)?.parse().ok()?;
        Some(Duration::from_nanos(nanoseconds))
    };
    let delays: Vec<Duration> = threads.filter_map(delay_of).collect();
    (!delays.is_empty()).then(|| delays.into_iter().sum())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn it_grows_where_more_threads_work_than_there_are_processors() {
        let Some(begun) = run_delay() else { return };
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let ended = std::sync::atomic::AtomicBool::new(false);
        let is_over = || ended.load(std::sync::atomic::Ordering::Relaxed);
        std::thread::scope(|scope| {
            (0..2 * processors).for_each(|_| {
                scope.spawn(|| {
                    while !is_over() {
                        std::hint::spin_loop()
                    }
                });
            });
            while run_delay().is_some_and(|now| now < begun + Duration::from_millis(20)) {
                std::thread::yield_now();
            }
            ended.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }
}
