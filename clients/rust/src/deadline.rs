use std::time::Duration;

use crate::sys::now_ns;

/// When a wait is over.
pub(crate) struct Deadline(Option<u64>);

impl Deadline {
    pub fn after(timeout: Option<Duration>) -> Deadline {
        Deadline(timeout.map(|timeout| now_ns().saturating_add(timeout.as_nanos().min(u64::MAX as u128) as u64)))
    }

    /// How long to sleep, at most `slice`; None when the time is over.
    pub fn left(&self, slice: Duration) -> Option<Duration> {
        let left = self.0.map_or(slice, |end| Duration::from_nanos(end.saturating_sub(now_ns())));
        (left > Duration::ZERO).then(|| left.min(slice))
    }
}
