//! How long the checks that wait still will, told to whoever watches: an hour of silence looks like a hang.

use std::convert::Infallible;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// Between two words about the time that is left.
const STEP: Duration = Duration::from_secs(60);

/// Until when somebody waits.
#[derive(Debug)]
pub(crate) struct Waits(watch::Sender<Option<Instant>>);

impl Default for Waits {
    fn default() -> Self {
        Self(watch::channel(None).0)
    }
}

impl Waits {
    /// Somebody waits for so long from now.
    pub(crate) fn begin(&self, wait: Duration) {
        let until = Instant::now() + wait;
        self.0.send_modify(|known| *known = Some(known.map_or(until, |known| known.max(until))));
    }

    /// Says at the beginning and once a minute how long the longest wait still takes.
    pub(crate) async fn count_down(&self, say: impl Fn(&str)) -> Infallible {
        let mut changes = self.0.subscribe();
        loop {
            let until = *changes.borrow_and_update();
            let left = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
            let next = match left.as_secs() {
                // Short waits are over before anybody wonders.
                0..10 => None,
                seconds => {
                    let minutes = seconds.div_ceil(60);
                    let unit = if minutes == 1 { "minute" } else { "minutes" };
                    say(&format!("waiting until something expires: {minutes} {unit} left"));
                    Some(Instant::now() + STEP)
                }
            };
            match next {
                // Either way there is something new to say.
                Some(next) => drop(timeout_at(next, changes.changed()).await),
                None if changes.changed().await.is_err() => std::future::pending().await,
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_minute_of_a_wait_is_told_and_short_ones_are_not() {
        let (waits, said) = (Waits::default(), Mutex::new(Vec::new()));
        let watching = waits.count_down(|text| said.lock().unwrap().push(text.to_owned()));
        let waiting = async {
            waits.begin(Duration::from_secs(5));
            tokio::time::sleep(Duration::from_secs(6)).await;
            assert!(said.lock().unwrap().is_empty());
            waits.begin(Duration::from_secs(600));
            tokio::time::sleep(Duration::from_secs(590)).await;
        };
        tokio::select! { () = waiting => {}, never = watching => match never {} }
        let said = said.into_inner().unwrap();
        assert_eq!(said.len(), 10, "{said:?}");
        assert_eq!(said[0], "waiting until something expires: 10 minutes left");
        assert_eq!(said[9], "waiting until something expires: 1 minute left");
    }
}
