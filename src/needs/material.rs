//! What a check may spoil: fresh codes, grants of its own, the answers to odd authorization requests; and time.

use std::ops::Deref;
use std::time::{Duration, Instant};

use super::{Baseline, Context, Needs, Shortfall, Stage};
use crate::check::{Finding, Verdict};
use crate::front::{Purpose, Stranger};
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::token::{Code, TokenAnswer, TokenSet};

impl Needs for Code {
    const STAGE: Stage = Stage::OwnMaterial;
    const VISITS: bool = true;
    async fn supply(cx: &Context, requests: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        Baseline::supply(cx, Vec::new()).await?;
        let request = requests
            .into_iter()
            .next()
            .ok_or_else(|| Shortfall::Inconclusive("no authorization request was planned".into()))?;
        code(cx, request).await
    }
}

async fn code(cx: &Context, request: AuthorizationRequest) -> Result<Code, Shortfall> {
    let what = request.what.clone();
    match cx.audit.visit(&cx.wire, request, Purpose::Ordinary).await? {
        AuthorizationAnswer::Code(code) => Ok(*code),
        other => {
            Err(Shortfall::Inconclusive(format!("{what} should have brought a code, but brought {}", other.describe())))
        }
    }
}

/// Several fresh codes, one for each request.
impl<const N: usize> Needs for [Code; N] {
    const STAGE: Stage = Stage::OwnMaterial;
    const VISITS: bool = true;
    async fn supply(cx: &Context, requests: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        Baseline::supply(cx, Vec::new()).await?;
        let mut codes = Vec::with_capacity(N);
        for request in requests {
            codes.push(code(cx, request).await?);
        }
        codes.try_into().map_err(|codes: Vec<Code>| {
            Shortfall::Inconclusive(format!("{N} codes were needed and {} planned", codes.len()))
        })
    }
}

/// The answers to odd authorization requests: as a stranger first, with the session where a stranger is asked to log in,
/// or is turned away with the ordinary request as well.
#[derive(Debug)]
pub struct FrontChannel(pub Vec<Asked>);

/// One odd request and its answer.
#[derive(Debug)]
pub struct Asked {
    /// What was odd.
    pub what: String,
    /// The `redirect_uri` that was asked for.
    pub redirect_uri: String,
    /// The `state` that was sent.
    pub state: String,
    /// The answer; or why there is none.
    pub answer: Result<AuthorizationAnswer, Shortfall>,
    /// Whether a stranger got it: no session was involved.
    pub as_stranger: bool,
    /// The answer is a code that the server has ended meanwhile, by giving out another: it can be read, not redeemed.
    pub code_ended: bool,
}

impl Asked {
    /// A line of a table: the verdict on the answer, or why there is none.
    pub fn line(&self, judge: impl FnOnce(&AuthorizationAnswer) -> Verdict) -> Finding {
        match &self.answer {
            Ok(answer) => Finding::new(&self.what, judge(answer)).shown_by(answer.exchange()),
            Err(shortfall) => Finding::new(&self.what, shortfall.clone().into()),
        }
    }
}

impl Needs for FrontChannel {
    const STAGE: Stage = Stage::OddRequests;
    const VISITS: bool = true;
    async fn supply(cx: &Context, requests: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        Baseline::supply(cx, Vec::new()).await?;
        cx.audit.front.meet_strangers(&cx.wire, cx.audit.ordinary().request()).await;
        if cx.audit.front.has_one_code() {
            let mut asked = Vec::with_capacity(requests.len());
            for request in requests {
                asked.push(ask(cx, request).await);
            }
            mark_ended(&mut asked);
            return Ok(Self(asked));
        }
        let asking = requests.into_iter().map(|request| ask(cx, request));
        Ok(Self(futures_util::future::join_all(asking).await))
    }
}

/// Where the youngest code alone is good, what the token endpoint says of the others proves nothing.
fn mark_ended(asked: &mut [Asked]) {
    let codes = asked.iter_mut().filter(|a| matches!(a.answer, Ok(AuthorizationAnswer::Code(_))));
    for ended in codes.rev().skip(1) {
        ended.code_ended = true;
    }
}

/// The planned requests themselves, for a check that uses what one of them brought before it makes the next: where
/// grants end each other, nothing else is sent meanwhile.
#[derive(Debug)]
pub struct OneByOne(pub Vec<AuthorizationRequest>);

impl Needs for OneByOne {
    const STAGE: Stage = Stage::OwnMaterial;
    const VISITS: bool = true;
    async fn supply(cx: &Context, requests: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        Baseline::supply(cx, Vec::new()).await?;
        Ok(Self(requests))
    }
}

/// Asks as a stranger, then with the session where a stranger is asked to log in.
pub async fn ask(cx: &Context, request: AuthorizationRequest) -> Asked {
    let what = request.what.clone();
    let (redirect_uri, state) = (request.redirect_uri().to_owned(), request.state().to_owned());
    let audit = &cx.audit;
    let stranger = audit.front.visit_as_stranger(&cx.wire, request, &audit.token_endpoint).await;
    let (answer, as_stranger) = match stranger {
        Ok(Stranger::Answered(answer)) => (Ok(answer), true),
        Ok(Stranger::Asked(request, _)) => {
            (audit.visit(&cx.wire, request, Purpose::Odd).await.map_err(Shortfall::from), false)
        }
        Err(trouble) => (Err(trouble.into()), true),
    };
    Asked { what, redirect_uri, state, answer, as_stranger, code_ended: false }
}

/// A grant of the check's own, which it may destroy.
impl Needs for TokenSet {
    const STAGE: Stage = Stage::OwnMaterial;
    const VISITS: bool = true;
    async fn supply(cx: &Context, requests: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        let code = Code::supply(cx, requests).await?;
        match code.redeem(&cx.wire).await?.0 {
            TokenAnswer::Granted(tokens) => Ok(*tokens),
            other => {
                Err(Shortfall::Inconclusive(format!("a fresh code was redeemed and brought {}", other.describe())))
            }
        }
    }
}

/// A grant of the check's own that has a refresh token.
#[derive(Debug)]
pub struct Refreshable(pub TokenSet);

impl Deref for Refreshable {
    type Target = TokenSet;
    fn deref(&self) -> &TokenSet {
        &self.0
    }
}

impl Needs for Refreshable {
    const STAGE: Stage = Stage::OwnMaterial;
    const VISITS: bool = true;
    async fn supply(cx: &Context, requests: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        if let Some(supplied) = &cx.audit.supplied_refresh {
            return supplied.next(&cx.wire).await.map(Self);
        }
        if Baseline::supply(cx, Vec::new()).await?.tokens.refresh_token.is_none() {
            return Err(Shortfall::NotApplicable("the server issues no refresh token, see refresh/issued".into()));
        }
        let tokens = TokenSet::supply(cx, requests).await?;
        if tokens.refresh_token.is_none() {
            return Err(Shortfall::Inconclusive(
                "the ordinary flow brought a refresh token, but this grant came without one".into(),
            ));
        }
        Ok(Self(tokens))
    }
}

/// Leave to wait until something expires. Where the user gave none, the check is not run.
#[derive(Debug, Clone, Copy)]
pub struct Patience(());

impl Needs for Patience {
    const STAGE: Stage = Stage::Waiting;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        match cx.audit.settings.waits() {
            true => Ok(Self(())),
            false => Err(Shortfall::NotRun("it waits until something expires".into(), "--slow".into())),
        }
    }
}

impl Patience {
    /// Waits; or says that the wait is longer than the user allows.
    pub async fn wait(self, cx: &Context, wait: Duration) -> Result<(), Verdict> {
        if !cx.audit.settings.may_wait(wait) {
            let seconds = wait.as_secs();
            return Err(Verdict::NotRun {
                why: format!("it would have to wait {seconds} s"),
                how: format!("--max-wait {seconds}"),
            });
        }
        cx.audit.waits.begin(wait);
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Waits until so much time has passed since `began`; or says that all of it is longer than the user allows.
    pub async fn wait_since(self, cx: &Context, began: Instant, wait: Duration) -> Result<(), Verdict> {
        match cx.audit.settings.may_wait(wait) {
            true => self.wait(cx, wait.saturating_sub(began.elapsed())).await,
            false => self.wait(cx, wait).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::tests::asked;
    use crate::oauth::answer::tests::arrived;

    #[test]
    fn the_youngest_code_alone_is_good() {
        let home = "http://127.0.0.1:8765/callback";
        let at = |rest: &str| asked(home, "s", arrived(home, &format!("{home}{rest}")));
        let mut all = [at("?code=1"), at("?error=x"), at("?code=2"), at("?error=y")];
        mark_ended(&mut all);
        assert_eq!(all.map(|a| a.code_ended), [true, false, false, false]);
    }
}
