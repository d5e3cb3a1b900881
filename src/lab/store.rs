//! What the lab remembers: clients, sign-ins, consents, grants and the tokens that hang on them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::assertion::Assertions;
use super::authorize::AuthorizationRequest;
use super::client::{self, Client};
use super::faults::Flaw;
use super::quirks::Twist;
use super::server::{Resource, Server};
use crate::front::steps::Totp;

/// The people who can sign in.
pub(super) const USERS: [(&str, &str); 2] = [("alice", "wonderland"), ("bob", "looking-glass")];

/// Seconds an access token lives unless told otherwise.
pub(super) const ACCESS_LIFETIME: u64 = 600;
/// Codes are for the next request of a program, not for a person.
pub(super) const CODE_LIFETIME: Duration = Duration::from_secs(60);
const REFRESH_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// What one authorization gave to one client; all tokens that came of it die with it.
pub(super) struct Grant {
    pub(super) client: String,
    pub(super) user: String,
    pub(super) revoked: bool,
    /// The newest access token and its scope, for the fault that gives it out again.
    pub(super) last_access: Option<(String, Vec<String>)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CodeState {
    Fresh,
    /// Redeemed; a replay is told from a mistake by the verifier.
    Spent,
    /// A wrong verifier or redirect URI was tried.
    Burnt,
}

pub(super) struct Code {
    pub(super) grant: usize,
    pub(super) request: AuthorizationRequest,
    pub(super) expires: Duration,
    pub(super) state: CodeState,
}

#[derive(Clone)]
pub(super) struct Refresh {
    pub(super) grant: usize,
    pub(super) scope: Vec<String>,
    pub(super) audience: String,
    pub(super) resource: Resource,
    pub(super) expires: Duration,
    pub(super) replaced: Option<Duration>,
    pub(super) graced: bool,
}

#[derive(Clone)]
pub(super) struct Access {
    pub(super) grant: usize,
    pub(super) scope: Vec<String>,
    pub(super) audience: String,
    pub(super) issued: u64,
    pub(super) expires: u64,
    pub(super) revoked: bool,
    /// Came of a refresh while the fault that spoils such tokens was on.
    pub(super) dead: bool,
}

/// A browser's sign-in.
pub(super) struct Session {
    pub(super) user: String,
    pub(super) since: Duration,
    /// Authorizations that it answered.
    pub(super) answered: u32,
}

/// The secret of everybody's one-time codes (RFC 6238 appendix B, in base32).
pub(super) const TOTP_SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
/// For so many seconds a code is good.
const TOTP_PERIOD: u64 = 30;

/// An authorization request on its way through the pages, bound to the browser that began it.
pub(super) struct Transaction {
    pub(super) request: AuthorizationRequest,
    pub(super) browser: String,
    pub(super) csrf: String,
    /// Who signed in during this transaction, or came with a session.
    pub(super) user: Option<String>,
    /// The name typed on the first page of a two-step login.
    pub(super) typed: Option<String>,
    /// Whose password was right, while the one-time code is awaited.
    pub(super) proven: Option<String>,
}

pub(super) struct Store {
    pub(super) clients: BTreeMap<String, Client>,
    pub(super) sessions: HashMap<String, Session>,
    pub(super) transactions: HashMap<String, Transaction>,
    pub(super) consents: HashMap<(String, String), BTreeSet<String>>,
    pub(super) grants: Vec<Grant>,
    pub(super) codes: HashMap<String, Code>,
    pub(super) refresh: HashMap<String, Refresh>,
    pub(super) access: HashMap<String, Access>,
    /// MCP session ids and whose they are.
    pub(super) mcp_sessions: HashMap<String, String>,
    /// The period whose one-time code was taken last: none is good twice (RFC 6238 section 5.2).
    pub(super) code_taken: u64,
    pub(super) notes: HashMap<String, Vec<String>>,
    /// How the client that signs shows who it is, if there is one.
    pub(super) assertions: Option<Assertions>,
    /// Everything that no report may ever show.
    pub(super) secrets: BTreeSet<String>,
}

/// 256 random bits as 43 characters.
pub(super) fn random() -> String {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What faults do to the claims of an access token.
fn spoil(server: &Server, claims: &mut Value) {
    let Some(members) = claims.as_object_mut() else { return };
    for (flaw, name) in [(Flaw::NoExp, "exp"), (Flaw::NoClientIdClaim, "client_id")] {
        if server.flawed(flaw) {
            members.shift_remove(name);
        }
    }
    for (flaw, name, value) in [
        (Flaw::WrongAudience, "aud", "https://another-api.invalid"),
        (Flaw::PersonalClaims, "email", "alice@lab.invalid"),
    ] {
        if server.flawed(flaw) {
            members.insert(name.to_owned(), json!(value));
        }
    }
}

impl Store {
    pub(super) fn new() -> Self {
        let clients = client::preregistered();
        let secrets = clients
            .iter()
            .filter_map(|c| c.secret.clone())
            .chain(USERS.map(|(_, password)| password.to_owned()))
            .chain([TOTP_SECRET.to_owned()])
            .collect();
        Self {
            clients: clients.into_iter().map(|c| (c.id.clone(), c)).collect(),
            sessions: HashMap::new(),
            transactions: HashMap::new(),
            consents: HashMap::new(),
            code_taken: 0,
            grants: Vec::new(),
            codes: HashMap::new(),
            refresh: HashMap::new(),
            access: HashMap::new(),
            mcp_sessions: HashMap::new(),
            assertions: None,
            notes: HashMap::new(),
            secrets,
        }
    }

    /// Whether this is the one-time code of the moment, or of the period before, and was not taken yet.
    pub(super) fn takes_code(&mut self, code: &str, now: Duration) -> bool {
        let Ok(totp) = Totp::read(TOTP_SECRET) else { return false };
        let period = now.as_secs() / TOTP_PERIOD;
        let good = (period - 1..=period).find(|n| *n > self.code_taken && totp.at(n * TOTP_PERIOD) == code.trim());
        self.code_taken = good.unwrap_or(self.code_taken);
        good.is_some()
    }

    /// A new random value that is remembered as a secret.
    pub(super) fn secret(&mut self) -> String {
        let value = random();
        self.secrets.insert(value.clone());
        value
    }

    /// The grant that a new authorization hangs on.
    pub(super) fn open_grant(&mut self, server: &Server, client: &str, user: &str) -> usize {
        let same = |g: &Grant| g.client == client && g.user == user && !g.revoked;
        if server.twisted(Twist::SharedGrant)
            && let Some(grant) = self.grants.iter().position(same)
        {
            return grant;
        }
        if server.twisted(Twist::SingleGrant) {
            for grant in self.grants.iter_mut().filter(|g| same(g)) {
                grant.revoked = true;
            }
        }
        self.grants.push(Grant { client: client.to_owned(), user: user.to_owned(), revoked: false, last_access: None });
        self.grants.len() - 1
    }

    /// Ends a grant with all its tokens; where grants are shared, the consent goes with it.
    pub(super) fn revoke_grant(&mut self, server: &Server, grant: usize) {
        let grant = &mut self.grants[grant];
        grant.revoked = true;
        if server.twisted(Twist::SharedGrant) {
            let key = (grant.user.clone(), grant.client.clone());
            self.consents.remove(&key);
        }
    }

    /// A code for an authorization request that `user` agreed to.
    pub(super) fn issue_code(&mut self, server: &Server, request: &AuthorizationRequest, user: &str) -> String {
        let grant = self.open_grant(server, &request.client, user);
        let code = self.secret();
        self.codes.insert(
            code.clone(),
            Code {
                grant,
                request: request.clone(),
                expires: server.now() + server.code_lifetime,
                state: CodeState::Fresh,
            },
        );
        code
    }

    pub(super) fn issue_access(
        &mut self,
        server: &Server,
        grant: usize,
        scope: &[String],
        audience: &str,
        refreshed: bool,
    ) -> String {
        let issued = server.now().as_secs();
        if refreshed
            && server.flawed(Flaw::RefreshRepeatsToken)
            && let Some((same, _)) = self.grants[grant].last_access.clone().filter(|(_, good_for)| good_for == scope)
        {
            return same;
        }
        let handle = match server.flawed(Flaw::PredictableToken) {
            true => format!("at-{:08}", 40_000_000 + self.access.len()),
            false => random(),
        };
        let access = Access {
            grant,
            scope: scope.to_vec(),
            audience: audience.to_owned(),
            issued,
            expires: issued + server.access_seconds,
            revoked: false,
            dead: refreshed && server.flawed(Flaw::RefreshYieldsDeadToken),
        };
        let token = if server.opaque {
            handle.clone()
        } else {
            let grant = &self.grants[grant];
            let mut claims = json!({
                "iss": server.issuer(),
                "sub": grant.user,
                "aud": audience,
                "exp": access.expires,
                "iat": issued,
                "jti": handle,
                "client_id": grant.client,
                "scope": scope.join(" "),
            });
            spoil(server, &mut claims);
            server.key.sign(&claims)
        };
        self.grants[grant].last_access = Some((token.clone(), scope.to_vec()));
        self.access.insert(handle, access);
        self.secrets.insert(token.clone());
        token
    }

    pub(super) fn issue_refresh(
        &mut self,
        server: &Server,
        grant: usize,
        scope: &[String],
        audience: &str,
        resource: Resource,
    ) -> String {
        let token = self.secret();
        self.refresh.insert(
            token.clone(),
            Refresh {
                grant,
                scope: scope.to_vec(),
                audience: audience.to_owned(),
                resource,
                expires: server.now() + REFRESH_LIFETIME,
                replaced: None,
                graced: false,
            },
        );
        token
    }

    /// An access token that is still good: not revoked, not expired.
    pub(super) fn live_access(&self, server: &Server, handle: &str) -> Option<&Access> {
        let expired =
            |access: &Access| server.now().as_secs() >= access.expires && !server.flawed(Flaw::ExpiredTokenAccepted);
        self.access
            .get(handle)
            .filter(|access| !access.revoked && !self.grants[access.grant].revoked && !expired(access))
    }
}
