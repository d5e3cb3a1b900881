//! How fast and how much: a pace that requests keep, and a budget that they have.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Limits, Trouble, TroubleKind, Wire};

/// What is sent after the audit, to take back what it left: no budget keeps us from it.
pub(crate) const CLEAN_UP: &str = "clean-up";

/// Counts requests and spaces them.
#[derive(Debug, Default)]
pub(super) struct Pace {
    sent: AtomicU64,
    /// When the next request may begin.
    next: Mutex<Option<Instant>>,
}

impl Pace {
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Takes so many requests out of the budget, all or none.
    fn take(&self, many: u64, budget: u64) -> Result<(), Trouble> {
        let fits = |sent: u64| sent.checked_add(many).filter(|sum| *sum <= budget);
        let taken = self.sent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        taken.map(|_| ()).map_err(|_| {
            Trouble::new(
                TroubleKind::OverBudget,
                format!("the budget of {budget} requests is used up (--max-requests)"),
            )
        })
    }

    /// Waits until so many requests may begin.
    async fn keep(&self, many: u64, rate: u32) {
        let step = Duration::from_secs(1) / rate.max(1);
        let begin = {
            let mut next = self.next.lock().await;
            let begin = next.unwrap_or_else(Instant::now).max(Instant::now());
            *next = Some(begin + step.saturating_mul(u32::try_from(many).unwrap_or(u32::MAX)));
            begin
        };
        tokio::time::sleep_until(begin).await;
    }
}

impl Wire {
    /// So many requests are about to begin together.
    pub(super) async fn begin(&self, many: usize) -> Result<(), Trouble> {
        let many = many as u64;
        let Limits { rate, requests, .. } = self.limits();
        let budget = if self.stamp() == CLEAN_UP { None } else { *requests };
        self.inner.pace.take(many, budget.unwrap_or(u64::MAX))?;
        if let Some(rate) = rate {
            self.inner.pace.keep(many, *rate).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_are_spaced() {
        let (pace, began) = (Pace::default(), Instant::now());
        for _ in 0..3 {
            pace.keep(1, 10).await;
        }
        assert_eq!(began.elapsed(), Duration::from_millis(200));
        pace.keep(5, 10).await;
        pace.keep(1, 10).await;
        assert_eq!(began.elapsed(), Duration::from_millis(800), "five at once count as five");
        tokio::time::sleep(Duration::from_secs(10)).await;
        let began = Instant::now();
        pace.keep(1, 10).await;
        assert_eq!(began.elapsed(), Duration::ZERO, "a pause is not made up for");
    }

    #[test]
    fn a_group_fits_or_does_not() {
        let pace = Pace::default();
        assert!(pace.take(2, 3).is_ok());
        assert_eq!(pace.take(2, 3).map_err(|t| t.kind), Err(TroubleKind::OverBudget));
        assert!(pace.take(1, 3).is_ok());
        assert_eq!(pace.sent(), 3);
    }
}
