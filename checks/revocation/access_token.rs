//! A revoked access token opens nothing more.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Ruling, Verdict, demand, must, should};
use crate::document::Document;
use crate::needs::{Context, Resource, Revocation};
use crate::oauth::jwt::Jwt;
use crate::oauth::revocation::Revoked;
use crate::oauth::token::TokenSet;
use crate::resource::Life;

const ENDS: Demand = demand(
    "A revoked access token is refused by the resource.",
    &[should(Document::Rfc7009, "2"), must(Document::OpenAi, "approval checklist")],
);
const JWT_ENDS: Demand = demand(
    "A revoked access token is refused by the resource although it could be verified without asking anybody.",
    &[should(Document::Rfc7009, "2")],
);
const SOON: Demand = demand(
    "A revoked access token is refused by the resource within five seconds.",
    &[should(Document::Rfc7009, "2.1")],
);
const SERVED: Demand = demand(
    "A client may revoke its own access tokens, a public one by its client_id.",
    &[must(Document::Rfc7009, "2.1"), must(Document::OpenAi, "approval checklist")],
);

/// Shows an access token good, revokes it, and presents it again for ten seconds.
pub struct AccessToken;

impl Check for AccessToken {
    type Needs = (TokenSet, Revocation, Resource);
    const CARD: Card = Card {
        id: "revocation/access-token",
        demands: &[ENDS, JWT_ENDS, SOON, SERVED],
        impact: Impact::High,
        reach: Reach::Grant,
        page: include_str!("access_token.md"),
    };

    async fn run((tokens, revocation, resource): (TokenSet, Revocation, Resource), cx: &Context) -> Outcome {
        let token = tokens.access_token.expose();
        resource.control(&cx.wire, token, "its revocation").await?;
        let revoked = revocation.revoked(&cx.wire, &tokens.grant.client, token, "access_token").await?;
        if let Some(ruling) = unserved(&revoked) {
            return Ok(ruling);
        }
        let life = resource.outlived(&cx.wire, token, &[0, 1, 2, 5, 10]).await?;
        let left = tokens.members.get("expires_in").and_then(|s| s.as_u64());
        let mut ruling = Ruling::from(judge(&life, is_self_contained(token), left));
        if let Life::Ended(seconds) = life {
            let seen = Verdict::pass("the resource refused the token with 401");
            ruling
                .findings
                .push(Finding::new("the time after which the token was last taken", seen).measured(seconds, "s"));
        }
        Ok(ruling)
    }
}

/// A JWT, signed or encrypted (five parts, RFC 7516): a resource can verify it without asking anybody.
fn is_self_contained(token: &str) -> bool {
    Jwt::read(token).is_some() || token.split('.').count() == 5
}

/// The ruling where nothing was revoked.
fn unserved(revoked: &Revoked) -> Option<Ruling> {
    match revoked {
        Revoked::Done => None,
        Revoked::Unsupported => {
            Some(Ruling::from(Verdict::pass("the server says that access tokens cannot be revoked, as it may")).noting(
                "unsupported_token_type",
                Verdict::not_applicable("nothing was revoked: a stolen access token is good until it expires, so its lifetime is what counts"),
            ))
        }
        Revoked::Denied(said) => Some(
            Verdict::fail(SERVED, format!("the client asked to revoke its own access token and was answered {said}"))
                .into(),
        ),
        Revoked::Unclear(why) => Some(Verdict::inconclusive(why).into()),
    }
}

fn judge(life: &Life, is_jwt: bool, expires_in: Option<u64>) -> Verdict {
    match life {
        // A token that was about to end says nothing about its revocation.
        Life::Ended(_) if expires_in.is_some_and(|s| s <= 15) => {
            Verdict::inconclusive("the access token lives so short that it may have expired by itself")
        }
        Life::Ended(seconds) if *seconds >= 5.0 => Verdict::fail(
            SOON,
            format!("the revoked access token was still taken after {seconds:.0} s, and refused later"),
        ),
        Life::Ended(0.0) => Verdict::pass("the revoked access token was refused at once"),
        Life::Ended(seconds) => Verdict::pass(format!(
            "the revoked access token was still taken after {seconds:.1} s, and refused at the next look"
        )),
        Life::GoesOn(seconds) => {
            let left = expires_in.map(|s| format!("; it expires {s} s after it was issued")).unwrap_or_default();
            let broken = if is_jwt { JWT_ENDS } else { ENDS };
            Verdict::fail(broken, format!("the revoked access token still works after {seconds:.0} s{left}"))
        }
        Life::Unclear(why) => Verdict::inconclusive(format!("after the revocation {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effect_decides_not_the_200() {
        assert!(matches!(judge(&Life::Ended(0.2), true, Some(900)), Verdict::Pass(_)));
        assert!(matches!(judge(&Life::Ended(2.1), true, None), Verdict::Pass(_)));
        assert!(matches!(judge(&Life::Ended(5.0), true, None), Verdict::Fail(SOON, _)));
        assert!(matches!(judge(&Life::GoesOn(10.0), false, None), Verdict::Fail(ENDS, _)));
        let verdict = judge(&Life::GoesOn(10.0), true, Some(900));
        assert!(matches!(verdict, Verdict::Fail(JWT_ENDS, why) if why.contains("900 s")));
        assert!(matches!(judge(&Life::Unclear("502".into()), true, None), Verdict::Inconclusive(_)));
        assert!(matches!(judge(&Life::Ended(10.0), false, Some(10)), Verdict::Inconclusive(_)));
    }

    #[test]
    fn encrypted_tokens_cannot_be_called_back_either() {
        assert!(is_self_contained("e30.e30.x") && is_self_contained("e30.a.b.c.d"));
        assert!(!is_self_contained("opaque") && !is_self_contained("a.b"));
    }

    #[test]
    fn a_server_may_say_that_it_cannot() {
        let verdict = |revoked| unserved(&revoked).map(|ruling| ruling.verdict);
        assert_eq!(verdict(Revoked::Done), None);
        assert!(matches!(verdict(Revoked::Unsupported), Some(Verdict::Pass(_))));
        assert!(matches!(verdict(Revoked::Denied("401".into())), Some(Verdict::Fail(SERVED, _))));
        assert!(matches!(verdict(Revoked::Unclear("503".into())), Some(Verdict::Inconclusive(_))));
    }
}
