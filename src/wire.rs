//! The one door to the network: sends a request exactly as built, never follows, never retries, records and redacts.

pub mod guard;
pub mod holdings;
pub mod issued;
pub mod journal;
pub mod labels;
mod learning;
pub mod ledger;
pub mod message;
pub mod options;
pub mod plain;
pub mod tls;
pub mod trace;
pub mod vault;

mod capture;
mod coding;
mod curl;
mod disguise;
pub(crate) mod pace;
mod together;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use http::HeaderMap;
use tokio::sync::Semaphore;

pub use guard::Guard;
pub use ledger::{Exchange, ExchangeId, Ledger};
pub use message::{Dress, Reply, Request, Wiped};
pub use options::{Limits, Resolved, WireOptions};
pub use trace::Trace;
pub use vault::{KnownSecret, Vault};

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What kind.
    pub kind: TroubleKind,
    /// What happened, in words, with the URL.
    pub why: String,
}

/// The kinds of trouble, as far as a reader acts differently on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TroubleKind {
    /// The string is no URL, or not http(s).
    NotAUrl,
    /// The name does not resolve.
    NoSuchHost,
    /// Nobody listens, or the connection was cut.
    Refused,
    /// TLS failed.
    Tls,
    /// No complete answer in time.
    TimedOut,
    /// The guard does not let us go there.
    Guarded,
    /// What came is not HTTP.
    Garbled,
    /// What came is compressed in a way that is not read here.
    Coded,
    /// What was to be sent cannot be.
    Unsendable,
    /// 429, and the wait asked for is too long.
    RateLimited,
    /// The user allows no more requests.
    OverBudget,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Trouble {}

impl Trouble {
    pub(crate) fn new(kind: TroubleKind, why: impl Into<String>) -> Self {
        Self { kind, why: why.into() }
    }

    /// Whether the server may have done what was asked, and its answer was lost.
    fn may_have_arrived(&self) -> bool {
        match self.kind {
            TroubleKind::TimedOut | TroubleKind::Garbled | TroubleKind::Coded => true,
            TroubleKind::Refused => !self.why.starts_with(message::NOBODY),
            _ => false,
        }
    }
}

/// The door. Cheap to clone; every clone writes into the same ledger.
#[derive(Clone)]
pub struct Wire {
    inner: Arc<Inner>,
    /// Who sends: the id of a check, or of a part of the audit (`discovery`, `sign-in`).
    stamp: &'static str,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("stamp", &self.stamp).finish_non_exhaustive()
    }
}

struct Inner {
    clients: options::Clients,
    options: WireOptions,
    ledger: Ledger,
    vault: Vault,
    issued: issued::Issued,
    holdings: holdings::Holdings,
    slots: Semaphore,
    pace: pace::Pace,
    opened: SystemTime,
}

impl Wire {
    /// Opens the door.
    pub fn open(options: WireOptions) -> Result<Self, Trouble> {
        let clients = options::Clients::new(&options)?;
        let slots = Semaphore::new(options.limits.at_once.max(1));
        let vault = Vault::default();
        for (kind, secret) in options.secrets() {
            vault.learn(kind, &secret);
        }
        Ok(Self {
            inner: Arc::new(Inner {
                clients,
                options,
                ledger: Ledger::default(),
                vault,
                issued: issued::Issued::default(),
                holdings: holdings::Holdings::default(),
                slots,
                pace: pace::Pace::default(),
                opened: SystemTime::now(),
            }),
            stamp: "audit",
        })
    }

    /// The same door, for another sender.
    #[must_use]
    pub fn stamped(&self, stamp: &'static str) -> Self {
        Self { inner: Arc::clone(&self.inner), stamp }
    }

    /// Who sends.
    pub fn stamp(&self) -> &'static str {
        self.stamp
    }

    /// What was sent and came back, redacted.
    pub fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    /// What must never be shown.
    pub fn vault(&self) -> &Vault {
        &self.inner.vault
    }

    /// The access tokens that were issued in this run.
    pub(crate) fn issued(&self) -> &issued::Issued {
        &self.inner.issued
    }

    /// What the server keeps because of this run.
    pub fn holdings(&self) -> &holdings::Holdings {
        &self.inner.holdings
    }

    /// Who is told of every exchange.
    fn trace(&self) -> &Trace {
        &self.inner.options.trace
    }

    /// Requests sent so far.
    pub fn sent(&self) -> u64 {
        self.inner.pace.sent()
    }

    /// When the door was opened: a log that was not written to since knows nothing of this run.
    pub fn opened(&self) -> SystemTime {
        self.inner.opened
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.inner.options.limits
    }

    /// Which addresses the target may send us to.
    pub fn guard(&self) -> &Guard {
        &self.inner.options.guard
    }

    /// Sends a request and reads the answer. A 429 with a short `Retry-After` is waited out, twice at most (it was not
    /// processed, so sending it again changes nothing); a longer one is trouble. A connection that is cut and an answer
    /// of a gateway may pass: where a second request changes nothing it is sent once more. All of it is recorded.
    pub async fn send(&self, request: Request) -> Result<Reply, Trouble> {
        let mut once_more = request.changes_nothing();
        for attempt in 0.. {
            let answered = self.exchange(&request, None).await;
            if once_more && may_pass(&answered) {
                once_more = false;
                tokio::time::sleep(BREATH).await;
                continue;
            }
            let reply = answered?;
            if reply.status != 429 {
                return Ok(reply);
            }
            let wait = reply
                .header("retry-after")
                .and_then(|v| v.trim().parse::<u64>().ok())
                .map_or(Duration::from_secs(1), Duration::from_secs);
            if attempt == 2 || wait > self.limits().patience {
                return Err(Trouble::new(
                    TroubleKind::RateLimited,
                    format!(
                        "rate limited: {} answered 429{}",
                        message::without_query(&request.url),
                        match reply.header("retry-after") {
                            Some(after) => format!(
                                " with Retry-After {after}: run again after that time, or lift the limit for the audit"
                            ),
                            None => ", again and again: run again later, or lift the limit for the audit".to_owned(),
                        }
                    ),
                ));
            }
            tokio::time::sleep(wait).await;
        }
        unreachable!("the loop returns")
    }

    /// Sends several requests over connections of their own and releases the last byte of all bodies at one instant.
    /// Answers come in the order of the requests; a 429 is an answer here.
    pub async fn send_together(&self, requests: Vec<Request>) -> Vec<Result<Reply, Trouble>> {
        if let Err(trouble) = self.begin(requests.len()).await {
            return requests.iter().map(|_| Err(trouble.clone())).collect();
        }
        let gate = together::Gate::new(requests.len());
        let sending = requests.into_iter().map(|request| {
            let gate = Arc::clone(&gate);
            async move { self.exchange(&request, Some(gate)).await }
        });
        futures_util::future::join_all(sending).await
    }

    async fn exchange(&self, request: &Request, gate: Option<Arc<together::Gate>>) -> Result<Reply, Trouble> {
        let url = message::address(&request.url)?;
        self.inner.options.guard.admits(&url)?;
        if let Some(name) = request.unsendable() {
            let why = format!(
                "{name}: what was to be sent to {} is no value of a header",
                message::without_query(&request.url)
            );
            return Err(Trouble::new(TroubleKind::Unsendable, why));
        }
        // Requests that wait for each other must not wait for a slot as well, and have begun together.
        let _slot = match gate {
            Some(_) => None,
            None => {
                let slot = self.inner.slots.acquire().await.expect("the semaphore is never closed");
                self.begin(1).await?;
                Some(slot)
            }
        };
        let Some(under_way) = self.holdings().begin(request) else {
            return self.answered(request, url, gate).await;
        };
        // What makes the server keep something is heard to the end, although whoever asked may be stopped before.
        let (wire, request) = (self.clone(), request.clone());
        let task = tokio::spawn(async move {
            let _under_way = under_way;
            wire.answered(&request, url, gate).await
        });
        match task.await {
            Ok(answered) => answered,
            Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
            Err(_) => Err(Trouble::new(TroubleKind::Refused, "oaudit was stopped")),
        }
    }

    /// Performs an exchange, and enters what it tells before anybody else hears of it.
    async fn answered(
        &self,
        request: &Request,
        url: url::Url,
        gate: Option<Arc<together::Gate>>,
    ) -> Result<Reply, Trouble> {
        let began = Instant::now();
        let answered =
            tokio::time::timeout(self.limits().time, self.perform(request, url, gate)).await.unwrap_or_else(|_| {
                Err(Trouble::new(
                    TroubleKind::TimedOut,
                    format!(
                        "{} gave no answer within {} s",
                        message::without_query(&request.url),
                        self.limits().time.as_secs_f32()
                    ),
                ))
            });
        match &answered {
            Ok((status, _, body, _)) => self.holdings().notice(request, *status, body),
            Err(trouble) if trouble.may_have_arrived() => self.holdings().unheard(request),
            Err(_) => {}
        }
        let id = capture::record(self, request, answered.as_ref(), began.elapsed());
        answered.map(|(status, headers, body, truncated)| Reply {
            id,
            url: request.url.clone(),
            status,
            headers,
            body,
            truncated,
        })
    }

    async fn perform(
        &self,
        request: &Request,
        url: url::Url,
        gate: Option<Arc<together::Gate>>,
    ) -> Result<(u16, HeaderMap, Wiped, bool), Trouble> {
        let client = self.inner.clients.to(&url);
        let headers = request.header_map(&self.inner.options.headers);
        let mut outgoing = client.request(request.method.clone(), url).headers(headers);
        outgoing = match (&request.body, gate) {
            (Some(body), None) => outgoing.body(bytes::Bytes::from_owner(body.clone())),
            (body, Some(gate)) => outgoing.body(gate.hold(body.clone().unwrap_or_default())),
            (None, None) => outgoing,
        };
        let mut response = outgoing.send().await.map_err(|e| message::trouble(&request.url, &e))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let streaming = headers
            .get("content-type")
            .and_then(|v| v.to_str().ok())
            .is_some_and(|v| v.to_ascii_lowercase().starts_with("text/event-stream"));
        let most = self.limits().body.min(request.most).min(if streaming { LONGEST_EVENT } else { usize::MAX });
        let (mut body, mut truncated) = (Wiped::default(), false);
        while let Some(chunk) = response.chunk().await.map_err(|e| message::trouble(&request.url, &e))? {
            body.extend_from_slice(&chunk);
            if body.len() > most {
                body.truncate(most);
                truncated = true;
                break;
            }
            // An event stream may stay open for ever; its first data event is the answer, and ends with a line.
            if streaming && chunk.contains(&b'\n') && message::has_data_event(&body) {
                break;
            }
        }
        let (body, truncated) = coding::unpacked(&headers, body, truncated, most)
            .map_err(|(kind, why)| Trouble::new(kind, format!("{} {why}", message::without_query(&request.url))))?;
        Ok((status, headers, body, truncated))
    }
}

/// Bytes of an event stream until its first event has to be whole.
const LONGEST_EVENT: usize = 256 << 10;

/// Between a request and its repetition.
const BREATH: Duration = Duration::from_millis(150);

/// Whether this is trouble of the way to the server rather than of the server.
fn may_pass(answered: &Result<Reply, Trouble>) -> bool {
    match answered {
        Ok(reply) => matches!(reply.status, 502..=504),
        Err(trouble) => matches!(trouble.kind, TroubleKind::Refused | TroubleKind::Garbled),
    }
}

#[cfg(test)]
mod tests;
