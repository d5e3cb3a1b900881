//! What the user set about judging: thresholds, routes with their scopes, how long may be waited. Data alone.

use std::path::PathBuf;
use std::time::Duration;

use crate::registration::Configured;

/// What checks judge by, where a specification leaves the number or the name to the operator.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The limits.
    pub thresholds: Thresholds,
    /// Routes of the resource, and the scope that each of them needs.
    pub routes: Vec<Route>,
    /// Who may ask the introspection endpoint.
    pub introspection: Option<Configured>,
    /// Log files of the server, to be searched for the secrets of the run at its end.
    pub logs: Vec<PathBuf>,
    /// Scopes that stand for everything, beside those that are known to.
    pub omnibus_scopes: Vec<String>,
    /// Waits of up to two hours are wanted (`--slow`).
    pub slow: bool,
    /// The longest wait that is wanted (`--max-wait`); nothing is waited for by default.
    pub max_wait: Duration,
    /// The part of ChatGPT's redirect URI that is the app's own (`--chatgpt-callback-id`).
    pub chatgpt_callback_id: Option<String>,
}

/// The longest wait that `--slow` alone stands for.
const SLOW: Duration = Duration::from_secs(2 * 3600);

impl Settings {
    /// Whether anything is waited for.
    pub fn waits(&self) -> bool {
        self.slow || !self.max_wait.is_zero()
    }

    /// The longest wait that is wanted.
    pub fn longest_wait(&self) -> Duration {
        if self.slow { self.max_wait.max(SLOW) } else { self.max_wait }
    }

    /// Whether a wait of this length is wanted.
    pub fn may_wait(&self, wait: Duration) -> bool {
        wait <= self.longest_wait()
    }
}

/// Limits that `[limits]` of the configuration changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thresholds {
    /// Seconds that an access token should live at most.
    pub access_token_seconds: u64,
    /// Days that a refresh token should live at most.
    pub refresh_token_days: u64,
    /// Seconds after which a code must be dead (10 minutes, draft-ietf-oauth-v2-1-16 section 4.1.2).
    pub code_seconds: u64,
    /// Seconds by which clocks may differ: an access token is judged dead only when they have passed as well.
    pub leeway_seconds: u64,
    /// How many scopes a person can still tell apart.
    pub scopes: usize,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { access_token_seconds: 900, refresh_token_days: 90, code_seconds: 600, leeway_seconds: 300, scopes: 25 }
    }
}

/// A route of the protected resource that needs a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: String,
    /// The path, or a whole URL.
    pub path: String,
    /// The scope without which it must answer 403.
    pub scope: String,
    /// The body.
    pub body: Option<String>,
    /// The media type of the body.
    pub content_type: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_waited_for_unless_asked() {
        let hour = Duration::from_secs(3600);
        assert!(!Settings::default().waits());
        assert!(Settings { slow: true, ..Settings::default() }.may_wait(hour));
        assert!(!Settings { slow: true, ..Settings::default() }.may_wait(24 * hour));
        assert!(Settings { max_wait: 24 * hour, ..Settings::default() }.may_wait(24 * hour));
    }
}
