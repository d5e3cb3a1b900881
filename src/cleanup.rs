//! Takes back what a run left at the server: has its tokens revoked (RFC 7009), deletes the clients that were registered
//! (RFC 7592), and says what stays, in words that somebody can act on.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::Method;
use serde_json::Value;

use crate::oauth::assertion::Signer;
use crate::oauth::client::{Client, ClientAuth, Origin};
use crate::oauth::revocation::Revoked;
use crate::oauth::secret::Secret;
use crate::wire::holdings::{HeldClient, HeldGrant, Holding, Sender, SenderAuth, Unheard};
use crate::wire::pace::CLEAN_UP;
use crate::wire::{Reply, Request, Trouble, Wire};

/// The longest that all of it may take: a person who stopped the audit waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// So many requests without an answer, and a server is not asked any more.
const ENOUGH: usize = 3;

/// What became of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// What the server keeps no longer.
    pub done: Vec<String>,
    /// What it keeps, and why.
    pub left: Vec<String>,
}

/// How a thing ended.
enum Ended {
    /// The server keeps it no longer.
    Gone,
    /// It does not know it; that says nothing of who deleted it.
    Unknown,
    /// It does, and it is of no use to try again.
    Stays(String),
    /// It does, and another attempt may succeed.
    Later(String),
}

/// Whether this is the run itself, or another attempt after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// What is held was there a moment ago.
    First,
    /// It may be gone meanwhile.
    Further,
}

/// Has the server forget everything that is held.
pub async fn clean(wire: &Wire, signer: Option<&Signer>, attempt: Attempt) -> Cleaned {
    let wire = wire.stamped(CLEAN_UP);
    let began = Instant::now();
    let mut round = Round { wire: &wire, signer, attempt, began, lost: HashMap::new() };
    let (mut clients, mut grants) = (Vec::new(), Vec::new());
    for (number, held) in wire.holdings().all() {
        match held {
            Holding::Client(client) => clients.push((number, client)),
            Holding::Grant(grant) => grants.push((number, grant)),
        }
    }
    let mut cleaned = Cleaned::default();
    // First the tokens: a client that is deleted cannot ask for anything any more.
    let mut kept: BTreeMap<(String, String), Kept> = BTreeMap::new();
    let mut revoked: BTreeMap<String, usize> = BTreeMap::new();
    for few in grants.chunks(4) {
        let attempts = few.iter().map(|(_, grant)| round.revoke(grant));
        let ended: Vec<_> = join_all(attempts).await;
        for ((number, grant), (ended, lost)) in few.iter().zip(ended) {
            round.lost(lost);
            let id = grant.sender.id.clone();
            let (why, later) = match ended {
                Ended::Gone | Ended::Unknown => {
                    wire.holdings().gone(*number);
                    *revoked.entry(id).or_default() += 1;
                    continue;
                }
                Ended::Stays(why) => (why, false),
                Ended::Later(why) => (why, true),
            };
            let kept = kept.entry((id, why)).or_default();
            kept.numbers.push(*number);
            kept.later |= later;
            kept.seconds = kept.seconds.max(grant.expires_in);
        }
    }
    let of = |id: &String, n: usize| format!("{} of client {id}: revoked", count(n, "grant"));
    cleaned.done.extend(revoked.iter().map(|(id, n)| of(id, *n)));
    for (number, client) in &clients {
        let (ended, lost) = round.delete(client).await;
        round.lost(lost);
        let id = &client.id;
        match ended {
            Ended::Gone | Ended::Unknown => {
                wire.holdings().gone(*number);
                let how = if matches!(ended, Ended::Gone) { "deleted" } else { "not known there any more" };
                cleaned.done.push(format!("client {id}: {how}"));
                // A client that is no more should have no grants (RFC 7592 section 2.3): where the server does not
                // revoke, this is how they end, and where it should have, nobody knows.
                kept.retain(|(of, why), kept| {
                    if of != id {
                        return true;
                    }
                    kept.numbers.iter().for_each(|number| wire.holdings().gone(*number));
                    if kept.later {
                        cleaned.left.push(format!(
                            "{}: {why}; the client is deleted, which should end them (RFC 7592 section 2.3){}",
                            kept.not_revoked(id),
                            kept.ends()
                        ));
                    }
                    false
                });
            }
            Ended::Stays(why) => {
                wire.holdings().gone(*number);
                cleaned.left.push(format!("client {id} could not be deleted: {why}"));
            }
            Ended::Later(why) => cleaned.left.push(format!("client {id} could not be deleted: {why}")),
        }
    }
    for ((id, why), kept) in kept {
        kept.numbers.iter().filter(|_| !kept.later).for_each(|number| wire.holdings().gone(*number));
        cleaned.left.push(format!("{}: {why}{}", kept.not_revoked(&id), kept.ends()));
    }
    let Unheard { registrations, tokens } = wire.holdings().perhaps();
    if registrations > 0 {
        cleaned.left.push(format!(
            "{} got no answer that was heard: if the server made a client all the same, it is still there; delete it by \
             hand, its name is oaudit",
            count(registrations, "registration"),
        ));
    }
    if tokens > 0 {
        cleaned.left.push(format!(
            "{} got no answer that was heard: if the server issued tokens all the same, they are good until they expire; \
             withdraw the consent of the user who signed in there, if they last",
            count(tokens, "token request"),
        ));
    }
    cleaned
}

/// Grants of one client that stay for one reason.
#[derive(Default)]
struct Kept {
    numbers: Vec<u32>,
    later: bool,
    seconds: Option<u64>,
}

impl Kept {
    fn not_revoked(&self, id: &str) -> String {
        format!("{} of client {id} could not be revoked", count(self.numbers.len(), "grant"))
    }

    fn ends(&self) -> String {
        self.seconds.map(|s| format!("; the access tokens end after {s} s at the latest")).unwrap_or_default()
    }
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

struct Round<'a> {
    wire: &'a Wire,
    signer: Option<&'a Signer>,
    attempt: Attempt,
    began: Instant,
    /// Requests that were not answered, by origin.
    lost: HashMap<String, usize>,
}

/// The origin that gave no answer.
type Lost = Option<String>;

impl Round<'_> {
    fn lost(&mut self, origin: Lost) {
        if let Some(origin) = origin {
            *self.lost.entry(origin).or_default() += 1;
        }
    }

    async fn revoke(&self, grant: &HeldGrant) -> (Ended, Lost) {
        let Some(endpoint) = self.wire.holdings().revocation() else {
            let why = "the server offers no revocation (RFC 7009); withdraw the consent of the user who signed in there, \
                       if it lists them";
            return (Ended::Stays(why.into()), None);
        };
        let Some(client) = self.client(&grant.sender) else {
            let why = "its client signs its requests, and its key is kept nowhere; withdraw the consent of the user who \
                       signed in there";
            return (Ended::Stays(why.into()), None);
        };
        let access = (&grant.access_token, "access_token");
        let first = grant.refresh_token.as_ref().map_or(access, |token| (token, "refresh_token"));
        for (token, hint) in [first, access] {
            match self.send(client.form(&endpoint, revocation(token, hint))).await {
                Ok(reply) => match Revoked::read(&reply) {
                    Revoked::Done => return (Ended::Gone, None),
                    // What the server does not revoke, it may revoke of the other kind.
                    Revoked::Unsupported if hint == "refresh_token" => {}
                    Revoked::Unsupported => {
                        let why = "the server revokes no tokens of this kind (unsupported_token_type)";
                        return (Ended::Stays(why.into()), None);
                    }
                    _ => return (Ended::Later(said(&reply, "the revocation request")), None),
                },
                Err((why, lost)) => return (Ended::Later(why), lost),
            }
        }
        (Ended::Stays("the server revokes no tokens (unsupported_token_type)".into()), None)
    }

    async fn delete(&self, client: &HeldClient) -> (Ended, Lost) {
        let (Some(uri), Some(token)) = (&client.uri, &client.token) else {
            let why = "the server offers no management (RFC 7592); delete it there by hand, its name is oaudit";
            return (Ended::Stays(why.into()), None);
        };
        match self.send(Request::new(Method::DELETE, uri.clone()).bearer(token.expose())).await {
            Ok(reply) if reply.is_success() => (Ended::Gone, None),
            // A client that is not there is answered like a token that is not good (RFC 7592 section 2.3): a run that was
            // stopped in the middle of its clean-up deleted it.
            Ok(reply) if reply.status == 401 && self.attempt == Attempt::Further => (Ended::Unknown, None),
            // Some servers give out addresses at which nothing is.
            Ok(reply) if [404, 410].contains(&reply.status) && self.attempt == Attempt::Further => {
                let said = said(&reply, "DELETE of its registration_client_uri");
                (Ended::Stays(format!("{said}: it is gone already, or the server does not let us delete it")), None)
            }
            Ok(reply) => (Ended::Later(said(&reply, "DELETE of its registration_client_uri")), None),
            Err((why, lost)) => (Ended::Later(why), lost),
        }
    }

    /// Sends, unless the server does not answer or it has taken too long. Why nothing was heard, and of whom.
    async fn send(&self, request: Request) -> Result<Reply, (String, Lost)> {
        let origin = url::Url::parse(&request.url).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        if self.lost.get(&origin).is_some_and(|n| *n >= ENOUGH) {
            return Err((format!("{origin} does not answer any more"), None));
        }
        let Some(left) = PATIENCE.checked_sub(self.began.elapsed()) else {
            return Err((format!("the clean-up took longer than {} s", PATIENCE.as_secs()), None));
        };
        let answered = tokio::time::timeout(left, self.wire.send(request)).await;
        match answered {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(Trouble { why, .. })) => Err((why, Some(origin))),
            Err(_) => Err((format!("{origin} gave no answer in time"), Some(origin))),
        }
    }

    /// Whoever may ask for the revocation. `None` if it signs, and nobody has the key.
    fn client(&self, sender: &Sender) -> Option<Client> {
        let (auth, signer) = match sender.auth {
            SenderAuth::None => (ClientAuth::None, None),
            SenderAuth::Basic => (ClientAuth::Basic, None),
            SenderAuth::Post => (ClientAuth::Post, None),
            SenderAuth::Signed => (ClientAuth::PrivateKeyJwt, Some(self.signer?.clone())),
        };
        Some(Client {
            id: sender.id.clone(),
            secret: sender.secret.clone(),
            auth,
            signer,
            redirect_uri: String::new(),
            https_redirect_uri: None,
            origin: Origin::Configured,
        })
    }
}

fn revocation(token: &Secret, hint: &str) -> Vec<(String, String)> {
    vec![("token".into(), token.expose().into()), ("token_type_hint".into(), hint.into())]
}

/// The answer, in words.
fn said(reply: &Reply, what: &str) -> String {
    let error = reply.json().and_then(|json| json.get("error").and_then(Value::as_str).map(str::to_owned));
    format!("{what} was answered {}{}", reply.status, error.map(|e| format!(" {e}")).unwrap_or_default())
}
