//! What the server keeps because of this run: clients that it registered for us, and grants with their tokens.
//!
//! The wire itself looks at every answer, so no check can forget to tell, and enters what it finds before anybody acts on
//! it: first in the journal on the disk, if there is one, then here.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Method;
use secrecy::zeroize::Zeroize;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Request;
use super::journal::{Header, Journal, secret, some_secret};
use crate::oauth::secret::Secret;

mod requests;

use requests::Creates;

/// One thing that the server keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holding {
    /// A registered client.
    Client(HeldClient),
    /// A grant, by its youngest tokens.
    Grant(HeldGrant),
}

/// A client that was registered in this run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldClient {
    /// `client_id`.
    pub id: String,
    /// `registration_client_uri` (RFC 7592), if the server offers management.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// `registration_access_token`.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "some_secret")]
    pub token: Option<Secret>,
}

/// A grant that was made in this run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldGrant {
    /// Who asked for the tokens, and may have them revoked.
    pub sender: Sender,
    /// The youngest access token.
    #[serde(with = "secret")]
    pub access_token: Secret,
    /// The youngest refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "some_secret")]
    pub refresh_token: Option<Secret>,
    /// `expires_in` of the access token, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
}

/// A client as it said in a request who it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sender {
    /// `client_id`.
    pub id: String,
    /// How it authenticated.
    pub auth: SenderAuth,
    /// `client_secret`.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "some_secret")]
    pub secret: Option<Secret>,
}

/// How a client authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderAuth {
    /// By its identifier alone.
    None,
    /// HTTP Basic.
    Basic,
    /// A secret in the body.
    Post,
    /// A signed assertion. The key is the user's, and not kept.
    Signed,
}

/// Everything that the server keeps because of a run.
#[derive(Debug, Default)]
pub struct Holdings {
    kept: Mutex<Kept>,
    under_way: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: BTreeMap<u32, Holding>,
    last: u32,
    /// Every refresh token ever seen, to the grant that it belongs to.
    families: HashMap<String, u32>,
    unheard: Unheard,
    /// `revocation_endpoint`, if the server has one.
    revocation: Option<String>,
    writing: Writing,
}

/// Requests of which is not known what the server made of them: nobody can take it back.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unheard {
    /// There may be a client.
    pub(crate) registrations: usize,
    /// There may be tokens.
    pub(crate) tokens: usize,
}

/// Whether there is a journal.
#[derive(Debug, Default)]
enum Writing {
    #[default]
    Off,
    /// From the first thing on that is to be written.
    Wanted(Header, std::path::PathBuf),
    On(Journal),
    /// What is held is known in memory alone.
    Failed(String),
}

/// Counts a request that may create something, until it has been answered and entered.
pub(super) struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.families.drain().for_each(|(mut token, _)| token.zeroize());
    }
}

impl Holdings {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a journal in this folder, from the first entry on.
    pub(crate) fn keep_in(&self, folder: &Path, named: Vec<String>) {
        self.kept().writing = Writing::Wanted(Header::now(named), folder.to_owned());
    }

    /// Goes on with the journal of an earlier run.
    pub(crate) fn resume(&self, journal: Journal, entries: BTreeMap<u32, Holding>) {
        let mut kept = self.kept();
        kept.last = entries.keys().next_back().copied().unwrap_or(0);
        kept.revocation = journal.header().revocation_endpoint.clone();
        kept.entries = entries;
        kept.writing = Writing::On(journal);
    }

    /// Where tokens can be revoked.
    pub(crate) fn revoke_at(&self, endpoint: Option<&str>) {
        self.kept().revocation = endpoint.map(str::to_owned);
    }

    /// Where tokens can be revoked, if anywhere.
    pub(crate) fn revocation(&self) -> Option<String> {
        self.kept().revocation.clone()
    }

    /// Everything that is held by now, by its number.
    pub fn all(&self) -> Vec<(u32, Holding)> {
        self.kept().entries.iter().map(|(number, held)| (*number, held.clone())).collect()
    }

    /// The server keeps it no longer, or nothing can be done about it.
    pub(crate) fn gone(&self, number: u32) {
        let mut kept = self.kept();
        if kept.entries.remove(&number).is_some() {
            kept.write(number, None);
        }
    }

    /// Ends the journal: it stays if something is held still. Its name, if it stays.
    pub(crate) fn close(&self) -> Option<String> {
        let mut kept = self.kept();
        let Writing::On(journal) = std::mem::take(&mut kept.writing) else { return None };
        if !kept.entries.is_empty() {
            return Some(journal.header().run.clone());
        }
        let path = journal.path().display().to_string();
        if let Err(error) = journal.remove() {
            kept.writing = Writing::Failed(format!("{path} could not be deleted: {error}"));
        }
        None
    }

    /// Why nothing could be written to the disk, if so.
    pub(crate) fn failed(&self) -> Option<String> {
        match &self.kept().writing {
            Writing::Failed(why) => Some(why.clone()),
            _ => None,
        }
    }

    /// A request that may create something begins.
    pub(super) fn begin(&self, request: &Request) -> Option<UnderWay> {
        Creates::of(request)?;
        self.under_way.fetch_add(1, Ordering::SeqCst);
        Some(UnderWay(Arc::clone(&self.under_way)))
    }

    /// A request got no answer that tells what became of it.
    pub(super) fn unheard(&self, request: &Request) {
        if request.method != Method::POST || request.probe {
            return;
        }
        match Creates::of(request) {
            Some(Creates::Client) => self.kept().unheard.registrations += 1,
            Some(Creates::Tokens(_)) => self.kept().unheard.tokens += 1,
            None => {}
        }
    }

    /// What there may be that nobody can take back: the answers that tell of it were lost.
    pub(crate) fn perhaps(&self) -> Unheard {
        self.kept().unheard
    }

    /// Waits until what was asked for has been answered and entered, so long at most.
    pub(crate) async fn settle(&self, at_most: Duration) {
        let step = Duration::from_millis(20);
        for _ in 0..at_most.as_millis() / step.as_millis() {
            if self.under_way.load(Ordering::SeqCst) == 0 {
                return;
            }
            tokio::time::sleep(step).await;
        }
    }

    /// Looks whether an answer tells of something that the server keeps from now on, or no longer.
    pub(super) fn notice(&self, request: &Request, status: u16, body: &[u8]) {
        // What a gateway says of a server that did not answer it in time.
        if matches!(status, 502 | 504) {
            self.unheard(request);
        }
        if !(200..300).contains(&status) {
            return;
        }
        if request.method == Method::DELETE {
            let mut kept = self.kept();
            let is_it = |held: &Holding| matches!(held, Holding::Client(c) if c.uri.as_deref() == Some(&request.url));
            let number = kept.entries.iter().find(|(_, held)| is_it(held)).map(|(number, _)| *number);
            if let Some(number) = number {
                kept.entries.remove(&number);
                kept.write(number, None);
            }
            return;
        }
        let (Some(creates), Ok(answer)) = (Creates::of(request), serde_json::from_slice::<Value>(body)) else { return };
        let mut kept = self.kept();
        match creates {
            Creates::Client => kept.client(&answer),
            Creates::Tokens(form) => kept.tokens(request, &form, &answer),
        }
    }
}

impl Kept {
    fn client(&mut self, answer: &Value) {
        let text = |name: &str| answer.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
        let Some(id) = text("client_id") else { return };
        let known = self.entries.iter().find_map(|(number, held)| match held {
            Holding::Client(client) if client.id == id => Some((*number, client.clone())),
            _ => None,
        });
        let before = known.as_ref().map(|(_, client)| client);
        // An update may bring another token, and may leave out what stays.
        let held = HeldClient {
            id: id.to_owned(),
            uri: text("registration_client_uri").map(str::to_owned).or_else(|| before.and_then(|c| c.uri.clone())),
            token: text("registration_access_token").map(Secret::new).or_else(|| before.and_then(|c| c.token.clone())),
        };
        let number = known.map(|(number, _)| number);
        self.enter(number, Holding::Client(held));
    }

    fn tokens(&mut self, request: &Request, form: &[(String, String)], answer: &Value) {
        let text = |name: &str| answer.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
        let Some(access_token) = text("access_token") else { return };
        let sent = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        let used = sent("refresh_token").filter(|_| sent("grant_type") == Some("refresh_token"));
        let number = used.and_then(|token| self.families.get(token).copied());
        if used.is_some() && number.is_none() {
            // A refresh token that this run did not get is the user's, and so is its grant.
            return;
        }
        let before = number.and_then(|number| match self.entries.get(&number) {
            Some(Holding::Grant(grant)) => Some(grant.clone()),
            _ => None,
        });
        // Who got tokens without saying who he is got those of the client that the code was for.
        let last = || self.entries.values().rev().find_map(Holding::sender).cloned();
        let sender = before.as_ref().map(|b| b.sender.clone()).or_else(|| Sender::of(request, form)).or_else(last);
        let Some(sender) = sender else { return };
        let held = HeldGrant {
            sender,
            access_token: Secret::new(access_token),
            refresh_token: text("refresh_token").map(Secret::new).or_else(|| before.and_then(|b| b.refresh_token)),
            expires_in: answer.get("expires_in").and_then(Value::as_u64),
        };
        let refresh = held.refresh_token.clone();
        let number = self.enter(number, Holding::Grant(held));
        if let Some(token) = refresh {
            self.families.insert(token.expose().to_owned(), number);
        }
    }

    fn enter(&mut self, number: Option<u32>, held: Holding) -> u32 {
        let number = number.unwrap_or(self.last + 1);
        self.last = self.last.max(number);
        self.write(number, Some(&held));
        self.entries.insert(number, held);
        number
    }

    /// Writes to the journal, if there is one. A disk that is full must not end the audit.
    fn write(&mut self, number: u32, held: Option<&Holding>) {
        let mut journal = match std::mem::take(&mut self.writing) {
            Writing::Wanted(mut header, folder) if held.is_some() => {
                header.revocation_endpoint.clone_from(&self.revocation);
                match Journal::begin(&folder, header) {
                    Ok(journal) => journal,
                    Err(error) => {
                        self.writing = Writing::Failed(format!("{}: {error}", folder.display()));
                        return;
                    }
                }
            }
            Writing::On(journal) => journal,
            other => {
                self.writing = other;
                return;
            }
        };
        self.writing = match journal.append(number, held) {
            Ok(()) => Writing::On(journal),
            Err(error) => Writing::Failed(format!("{}: {error}", journal.path().display())),
        };
    }
}

impl Holding {
    fn sender(&self) -> Option<&Sender> {
        match self {
            Self::Grant(grant) => Some(&grant.sender),
            Self::Client(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
