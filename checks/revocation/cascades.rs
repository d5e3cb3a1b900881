//! A revoked refresh token takes its access token with it.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Unsettled, Verdict, demand, should};
use crate::document::Document;
use crate::needs::{Context, Refreshable, Resource, Revocation};
use crate::oauth::revocation::Revoked;
use crate::resource::Life;

const CASCADES: Demand = demand(
    "The revocation of a refresh token ends the access tokens of the same grant.",
    &[should(Document::Rfc7009, "2.1")],
);

/// Shows an access token good, revokes the refresh token beside it, and presents it again.
pub struct Cascades;

impl Check for Cascades {
    type Needs = (Refreshable, Revocation, Resource);
    const CARD: Card = Card {
        id: "revocation/cascades",
        demands: &[CASCADES],
        impact: Impact::Medium,
        reach: Reach::Grant,
        page: include_str!("cascades.md"),
    };

    async fn run((tokens, revocation, resource): (Refreshable, Revocation, Resource), cx: &Context) -> Outcome {
        let token = tokens.access_token.expose();
        resource.control(&cx.wire, token, "the revocation of its refresh token").await?;
        let Some(refresh) = &tokens.refresh_token else {
            return Err(Unsettled::Control("the grant came without a refresh token".into()));
        };
        let revoked = revocation.revoked(&cx.wire, &tokens.grant.client, refresh.expose(), "refresh_token").await?;
        if let Some(verdict) = unserved(&revoked) {
            return Ok(verdict.into());
        }
        let life = resource.outlived(&cx.wire, token, &[0, 1, 2, 5]).await?;
        if matches!(life, Life::GoesOn(_)) {
            // The sentence binds a server that can revoke access tokens; one that cannot says so.
            let asked = revocation.revoked(&cx.wire, &tokens.grant.client, token, "access_token").await?;
            if let Some(verdict) = irrevocable(&asked) {
                return Ok(verdict.into());
            }
        }
        let expires_in = tokens.members.get("expires_in").and_then(|s| s.as_u64());
        Ok(judge(&life, expires_in).into())
    }
}

/// The verdict where nothing was revoked.
fn unserved(revoked: &Revoked) -> Option<Verdict> {
    match revoked {
        Revoked::Done => None,
        Revoked::Unsupported | Revoked::Denied(_) => Some(Verdict::not_applicable(
            "the refresh token could not be revoked, which is judged by revocation/refresh-token",
        )),
        Revoked::Unclear(why) => Some(Verdict::inconclusive(why)),
    }
}

/// The verdict where the access token itself cannot be revoked either.
fn irrevocable(revoked: &Revoked) -> Option<Verdict> {
    matches!(revoked, Revoked::Unsupported).then(|| {
        Verdict::not_applicable(
            "the server says that access tokens cannot be revoked (unsupported_token_type), as it may: this one is good \
             until it expires, see access_token/short-lived",
        )
    })
}

fn judge(life: &Life, expires_in: Option<u64>) -> Verdict {
    match life {
        Life::Ended(_) if expires_in.is_some_and(|s| s <= 10) => {
            Verdict::inconclusive("the access token lives so short that it may have expired by itself")
        }
        Life::Ended(0.0) => Verdict::pass("after the refresh token was revoked the access token was refused at once"),
        Life::Ended(seconds) => Verdict::pass(format!(
            "{seconds:.1} s after the refresh token was revoked the access token was still taken, and refused at the \
             next look"
        )),
        Life::GoesOn(seconds) => {
            let left = expires_in.map(|s| format!("; it expires {s} s after it was issued")).unwrap_or_default();
            let why = format!("{seconds:.0} s after the refresh token was revoked the access token still works{left}");
            Verdict::fail(CASCADES, why)
        }
        Life::Unclear(why) => Verdict::inconclusive(format!("after the revocation {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_access_token_decides() {
        assert!(matches!(judge(&Life::Ended(0.2), Some(900)), Verdict::Pass(_)));
        assert!(matches!(judge(&Life::GoesOn(5.0), Some(900)), Verdict::Fail(CASCADES, why) if why.contains("900 s")));
        assert!(matches!(judge(&Life::Ended(0.2), Some(10)), Verdict::Inconclusive(_)));
        assert!(matches!(judge(&Life::Unclear("502".into()), None), Verdict::Inconclusive(_)));
        assert_eq!(unserved(&Revoked::Done), None);
        assert!(matches!(irrevocable(&Revoked::Unsupported), Some(Verdict::NotApplicable(_))));
        assert_eq!(irrevocable(&Revoked::Done), None);
        assert!(matches!(unserved(&Revoked::Unsupported), Some(Verdict::NotApplicable(_))));
        assert!(matches!(unserved(&Revoked::Unclear("503".into())), Some(Verdict::Inconclusive(_))));
    }
}
