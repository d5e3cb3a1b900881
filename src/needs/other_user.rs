//! A second user of the same client, with a session of its own, for what must be bound to the first.

use std::sync::{Arc, OnceLock};

use super::{Baseline, Context, Needs, Shortfall, Stage};
use crate::front::choose::{Listening, Say};
use crate::front::{Agent, Front, Purpose, SignIn};
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::jwt::Jwt;
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::token::{TokenAnswer, TokenSet};
use crate::wire::Wire;

/// How the second user signs in, and what came of it.
pub(crate) struct SecondUser {
    sign_in: SignIn,
    say: Say,
    front: OnceLock<Arc<Front>>,
    flow: tokio::sync::OnceCell<Result<OtherUser, Shortfall>>,
}

impl std::fmt::Debug for SecondUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecondUser").field("front", &self.front.get()).finish_non_exhaustive()
    }
}

impl SecondUser {
    /// Nobody has signed in yet.
    pub(crate) fn new(sign_in: SignIn, say: Say) -> Self {
        Self { sign_in, say, front: OnceLock::new(), flow: tokio::sync::OnceCell::new() }
    }

    /// The way by which this user signed in, once somebody wanted it.
    pub(crate) fn front(&self) -> Option<&Arc<Front>> {
        self.front.get()
    }
}

/// A second user who signed in to the same client, and is known to be another one than the first as far as that can be
/// told.
#[derive(Debug, Clone)]
pub struct OtherUser {
    /// What the ordinary flow brought to this user. Read only: all checks share it.
    pub tokens: Arc<TokenSet>,
}

impl Needs for OtherUser {
    const STAGE: Stage = Stage::OwnMaterial;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        let Some(second) = &cx.audit.second_user else {
            return Err(Shortfall::NotRun(
                "no second user is configured".into(),
                "[login_b] in oaudit.toml: username = \"…\", the password in OAUDIT_PASSWORD_B".into(),
            ));
        };
        Baseline::supply(cx, Vec::new()).await?;
        second.flow.get_or_init(|| sign_in(cx, second)).await.clone()
    }
}

async fn sign_in(cx: &Context, second: &SecondUser) -> Result<OtherUser, Shortfall> {
    let wire = cx.wire.stamped("second user");
    let ordinary = cx.audit.ordinary();
    let undecided = |why: String| Shortfall::Inconclusive(why);
    let failed = |error: crate::front::SignInError| {
        undecided(format!("the second user, of [login_b], could not sign in: {error}"))
    };
    let listening = Listening::nowhere(&ordinary.client.redirect_uri);
    let agent = second.sign_in.agent(&wire, listening, ordinary, &second.say).await.map_err(failed)?;
    let front = Arc::clone(second.front.get_or_init(|| Arc::new(Front::new(agent))));
    let answer = front.visit(&wire, ordinary.request(), Purpose::SignIn, &cx.audit.token_endpoint).await;
    let code = match answer.map_err(failed)? {
        AuthorizationAnswer::Code(code) => code,
        other => return Err(undecided(format!("the second user's ordinary flow brought {}", other.describe()))),
    };
    let tokens = match code.redeem(&wire).await?.0 {
        TokenAnswer::Granted(tokens) => Arc::new(*tokens),
        other => return Err(undecided(format!("the second user's code brought {}", other.describe()))),
    };
    if asked_nobody(front.agent()) {
        return Err(undecided(
            "the server asked the second user for no password, so that nothing tells the two users apart".into(),
        ));
    }
    let first = Baseline::supply(cx, Vec::new()).await?;
    let (a, b) = (subject(cx, &wire, &first.tokens).await, subject(cx, &wire, &tokens).await);
    if b.is_none() && !matches!(front.agent().name(), "form" | "webdriver") {
        return Err(undecided(
            "nothing tells whose session the second user's is: the token says no sub, and nobody may introspect it"
                .into(),
        ));
    }
    match a.is_some() && a == b {
        true => Err(undecided("both sign-ins ended as the same user: the tokens have the same sub".into())),
        false => Ok(OtherUser { tokens }),
    }
}

/// Whether an agent that knows a password never had to enter it.
fn asked_nobody(agent: &dyn Agent) -> bool {
    matches!(agent.name(), "form" | "webdriver") && agent.logins() == 0
}

/// Who a token is about, if the token itself or the introspection endpoint says so.
async fn subject(cx: &Context, wire: &Wire, tokens: &TokenSet) -> Option<String> {
    let token = tokens.access_token.expose();
    let text = |members: &serde_json::Value| members.get("sub").and_then(|sub| sub.as_str()).map(str::to_owned);
    if let Some(jwt) = Jwt::read(token) {
        return text(&jwt.claims);
    }
    let said = cx.audit.introspection.as_ref()?.ask(wire, token).await.ok()?;
    said.members().and_then(text)
}
