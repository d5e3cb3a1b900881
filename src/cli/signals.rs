//! Ctrl-C, SIGTERM and SIGHUP: the first stops the audit, which cleans up and reports; the second stops everything at
//! once, and the journal has what is left.

use std::time::Duration;

use tokio::sync::watch;

use super::{Exit, output};
use crate::run::Interruption;

/// What is left to the program to end in good order once it was told a second time to stop.
const GRACE: Duration = Duration::from_millis(500);

/// Whoever listens for signals.
pub(super) struct Signals {
    first: watch::Receiver<Option<Interruption>>,
    second: watch::Receiver<Option<Exit>>,
    task: tokio::task::JoinHandle<()>,
}

impl Signals {
    pub(super) fn listen() -> Self {
        let (stop, first) = watch::channel(None);
        let (at_once, second) = watch::channel(None);
        // Before anything is said or sent: from here on, who stops it gets a report.
        let listening = Listening::new();
        let task = tokio::spawn(async move {
            let Some(mut signals) = listening else {
                // The senders must live as long as anybody looks at them.
                return std::future::pending().await;
            };
            let interruption = signals.next().await;
            output::prose("stopping: cleaning up and reporting what there is; once more stops at once");
            let _ = stop.send(Some(interruption));
            let code = signals.next().await.exit_code();
            output::prose(
                "stopped at once; `oaudit cleanup` deletes what is left at the server, if a journal was kept",
            );
            let _ = at_once.send(Some(Exit(code)));
            tokio::time::sleep(GRACE).await;
            leave(code);
        });
        Self { first, second, task }
    }

    /// What tells the audit to stop.
    pub(super) fn first(&self) -> watch::Receiver<Option<Interruption>> {
        self.first.clone()
    }

    /// Does what is to be done, unless it is stopped at once: then the exit code.
    pub(super) async fn unless_stopped<T>(self, work: impl Future<Output = T>) -> Result<T, Exit> {
        let mut second = self.second;
        let done = tokio::select! {
            done = work => Ok(done),
            Ok(Some(exit)) = async { second.wait_for(Option::is_some).await.map(|exit| *exit) } => return Err(exit),
        };
        self.task.abort();
        done
    }
}

#[expect(clippy::exit, reason = "a person who asked twice does not wait for what cannot be stopped")]
fn leave(code: u8) {
    std::process::exit(code.into());
}

#[cfg(unix)]
struct Listening {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// `None` under `nohup`: whoever wants it ignored gets it ignored.
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Listening {
    fn new() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let of = |kind| signal(kind).ok();
        Some(Self {
            interrupt: of(SignalKind::interrupt())?,
            terminate: of(SignalKind::terminate())?,
            hang_up: if hang_up_is_ignored() { None } else { of(SignalKind::hangup()) },
        })
    }

    async fn next(&mut self) -> Interruption {
        let hang_up = async {
            match &mut self.hang_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => Interruption::Interrupted,
            _ = self.terminate.recv() => Interruption::Terminated,
            _ = hang_up => Interruption::HungUp,
        }
    }
}

/// Whether we were started with SIGHUP ignored. Only Linux says.
#[cfg(unix)]
fn hang_up_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(not(unix))]
struct Listening;

#[cfg(not(unix))]
impl Listening {
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it may fail")]
    fn new() -> Option<Self> {
        Some(Self)
    }

    async fn next(&mut self) -> Interruption {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Interruption::Interrupted,
            Err(_) => std::future::pending().await,
        }
    }
}
