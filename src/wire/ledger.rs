//! Everything that was sent and came back in this run, redacted, in order.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Trace, capture, curl};

/// The number of an exchange in the ledger, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExchangeId(pub u32);

/// One request and its answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exchange {
    /// Its number.
    pub id: ExchangeId,
    /// Who sent it.
    pub check: String,
    /// What was sent.
    pub request: RecordedRequest,
    /// What came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<RecordedResponse>,
    /// Why nothing came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Milliseconds from the start of the run to the sending.
    #[serde(default)]
    pub at_ms: u64,
    /// Milliseconds from sending to the end of the body.
    pub elapsed_ms: u64,
    /// The same request as a `curl` line.
    pub curl: String,
}

/// A request as it may be shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordedRequest {
    /// The method; `TLS` for a handshake and nothing more.
    pub method: String,
    /// The address.
    pub url: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, cut at the record's limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// An answer as it may be shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordedResponse {
    /// The status; 0 for a handshake, whose answer is told in the body.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, cut at the record's limit.
    pub body: String,
}

impl Exchange {
    /// The request line and the status, for one line of a report.
    pub fn summary(&self) -> String {
        let answer = match &self.response {
            // A handshake has no status; what came back is its whole answer.
            Some(response) if self.request.method == "TLS" => response.body.clone(),
            Some(response) => response.status.to_string(),
            None => "no answer".into(),
        };
        format!("{} {} -> {answer}", self.request.method, self.request.url)
    }

    /// Whether the server itself has said what it makes of the request, so that it can be read: not a gateway, nor
    /// somebody who wants patience, nor more than a record can hide or hold.
    pub fn is_answered(&self) -> bool {
        self.is_heard() && !self.response.as_ref().is_some_and(capture::is_incomplete)
    }

    /// Whether the server itself has said something, though it may not all be in the record.
    pub fn is_heard(&self) -> bool {
        self.response.as_ref().is_some_and(|r| !matches!(r.status, 429 | 502..=504))
    }

    /// Bytes of what was sent and came back, as they are recorded.
    fn bytes(&self) -> usize {
        let of_headers = |headers: &[(String, String)]| headers.iter().map(|(n, v)| n.len() + v.len()).sum::<usize>();
        let of_response = |r: &RecordedResponse| of_headers(&r.headers) + r.body.len();
        let request = &self.request;
        let of_request =
            request.url.len() + of_headers(&request.headers) + request.body.as_ref().map_or(0, String::len);
        of_request + self.response.as_ref().map_or(0, of_response)
    }

    /// The body of the answer, if all of it is in the record.
    pub fn whole_body(&self) -> Option<&str> {
        self.response.as_ref().map(|r| r.body.as_str()).filter(|body| capture::is_whole(body))
    }

    /// Whether it was asked for as a browser navigates.
    pub fn is_of_a_page(&self) -> bool {
        self.request.headers.iter().any(|(name, value)| name == "sec-fetch-mode" && value == "navigate")
    }

    /// Rewrites every text of the record.
    pub(crate) fn map_text(&mut self, rewrite: &impl Fn(&str) -> String) {
        let pairs = |headers: &mut Vec<(String, String)>| {
            for (_, value) in headers {
                *value = rewrite(value);
            }
        };
        self.request.url = rewrite(&self.request.url);
        pairs(&mut self.request.headers);
        self.request.body = self.request.body.take().map(|b| rewrite(&b));
        if let Some(response) = &mut self.response {
            pairs(&mut response.headers);
            response.body = rewrite(&response.body);
        }
        self.trouble = self.trouble.take().map(|t| rewrite(&t));
        self.curl = curl::line(&self.request);
    }
}

/// The exchanges of a run.
#[derive(Debug)]
pub struct Ledger {
    opened: Instant,
    exchanges: Mutex<Vec<Exchange>>,
    /// Bytes of all of them.
    bytes: AtomicUsize,
}

/// Bytes that are kept of all exchanges, since each is written down in every format: ten times what a whole audit of the lab
/// takes.
const MOST: usize = 3 << 20;

impl Default for Ledger {
    fn default() -> Self {
        Self { opened: Instant::now(), exchanges: Mutex::default(), bytes: AtomicUsize::new(0) }
    }
}

impl Ledger {
    /// Whether there is no room for the words of another answer.
    pub(super) fn is_full(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) > MOST
    }

    pub(super) fn enter(
        &self,
        check: &str,
        request: RecordedRequest,
        response: Result<RecordedResponse, String>,
        elapsed: Duration,
        trace: &Trace,
    ) -> ExchangeId {
        let mut exchanges = self.exchanges.lock().expect("no panic while the ledger is held");
        let id = ExchangeId(u32::try_from(exchanges.len()).unwrap_or(u32::MAX - 1) + 1);
        let (response, trouble) = match response {
            Ok(response) => (Some(response), None),
            Err(trouble) => (None, Some(trouble)),
        };
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let (at_ms, elapsed_ms) = (milliseconds(self.opened.elapsed().saturating_sub(elapsed)), milliseconds(elapsed));
        let exchange = Exchange {
            id,
            check: check.into(),
            curl: curl::line(&request),
            request,
            response,
            trouble,
            at_ms,
            elapsed_ms,
        };
        self.bytes.fetch_add(exchange.bytes(), Ordering::Relaxed);
        // In the order of their numbers.
        trace.tell(&exchange);
        exchanges.push(exchange);
        id
    }

    /// A copy of all exchanges.
    pub fn all(&self) -> Vec<Exchange> {
        self.exchanges.lock().expect("no panic while the ledger is held").clone()
    }

    /// The exchanges that one sender made.
    pub fn of(&self, stamp: &str) -> Vec<ExchangeId> {
        let exchanges = self.exchanges.lock().expect("no panic while the ledger is held");
        exchanges.iter().filter(|e| e.check == stamp).map(|e| e.id).collect()
    }
}
