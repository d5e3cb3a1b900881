//! Who wants the audit to stop, and what the exit code says of it.

use tokio::sync::watch;

use crate::report::Stopped;

/// Why an audit is to stop. What there is is cleaned up and reported all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interruption {
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM: a service manager or a CI job that was cancelled.
    Terminated,
    /// SIGHUP: the terminal is gone.
    HungUp,
}

impl Interruption {
    const ALL: [Self; 3] = [Self::Interrupted, Self::Terminated, Self::HungUp];

    /// Waits until somebody wants it.
    pub(super) async fn of(mut told: watch::Receiver<Option<Self>>) -> Self {
        match told.wait_for(Option::is_some).await.map(|told| *told) {
            Ok(Some(interruption)) => interruption,
            // Nobody can want it any more.
            Ok(None) | Err(_) => std::future::pending().await,
        }
    }

    const fn error(self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::Terminated => "terminated (SIGTERM)",
            Self::HungUp => "hung up (SIGHUP)",
        }
    }

    /// 128 and the number of the signal, as shells have it.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Interrupted => 130,
            Self::Terminated => 143,
            Self::HungUp => 129,
        }
    }

    pub(super) fn stopped(self) -> Stopped {
        Stopped { error: self.error().into(), hint: String::new() }
    }

    /// The interruption by which a report was cut short.
    pub fn by(stopped: &Stopped) -> Option<Self> {
        Self::ALL.into_iter().find(|i| i.error() == stopped.error)
    }
}
