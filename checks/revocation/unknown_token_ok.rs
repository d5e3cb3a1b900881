//! Revoking what is not there is no error.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Baseline, Context, Revocation};
use crate::oauth::pkce::random_text;
use crate::oauth::revocation::Revoked;

const OK: Demand =
    demand("The revocation of a token that is not known is answered 200.", &[must(Document::Rfc7009, "2.2")]);

/// Revokes a made-up refresh token.
pub struct UnknownTokenOk;

impl Check for UnknownTokenOk {
    type Needs = (Baseline, Revocation);
    const CARD: Card = Card {
        id: "revocation/unknown-token-ok",
        demands: &[OK],
        impact: Impact::Low,
        reach: Reach::Nothing,
        page: include_str!("unknown_token_ok.md"),
    };

    async fn run((baseline, revocation): (Baseline, Revocation), cx: &Context) -> Outcome {
        let made_up = random_text(32);
        cx.wire.vault().declare_public(&made_up);
        let client = &baseline.ordinary.client;
        // Refresh tokens can be revoked wherever anything can (RFC 7009 section 2).
        let reply = revocation.revoke(&cx.wire, client, &made_up, "refresh_token").await?;
        Ok(Ruling::from(judge(reply.status, &Revoked::read(&reply))).shown_by([reply.id]))
    }
}

fn judge(status: u16, revoked: &Revoked) -> Verdict {
    match (status, revoked) {
        (200, Revoked::Done) => Verdict::pass("the revocation of a made-up token was answered 200"),
        (_, Revoked::Done) => {
            Verdict::pass(format!("the revocation of a made-up token was answered {status} (200 is due)"))
        }
        (_, Revoked::Denied(said)) => Verdict::inconclusive(format!(
            "the client itself was refused ({said}), which is judged by revocation/refresh-token"
        )),
        (_, Revoked::Unsupported) => {
            Verdict::inconclusive("the server says that tokens of this kind cannot be revoked (unsupported_token_type)")
        }
        (403 | 429 | 500.., Revoked::Unclear(why)) => Verdict::inconclusive(why),
        (400.., Revoked::Unclear(_)) => {
            Verdict::fail(OK, format!("the revocation of a made-up token was answered {status}"))
        }
        (_, Revoked::Unclear(why)) => Verdict::inconclusive(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::tests::reply;

    fn verdict(status: u16, body: &str) -> Verdict {
        judge(status, &Revoked::read(&reply(status, &[], body)))
    }

    #[test]
    fn an_unknown_token_is_no_error() {
        assert!(matches!(verdict(200, ""), Verdict::Pass(_)));
        assert!(matches!(verdict(204, ""), Verdict::Pass(why) if why.contains("200 is due")));
        assert!(matches!(verdict(400, r#"{"error":"invalid_token"}"#), Verdict::Fail(OK, _)));
        assert!(matches!(verdict(404, ""), Verdict::Fail(OK, _)));
    }

    #[test]
    fn what_has_other_reasons_decides_nothing() {
        assert!(matches!(verdict(401, r#"{"error":"invalid_client"}"#), Verdict::Inconclusive(_)));
        assert!(matches!(verdict(400, r#"{"error":"unsupported_token_type"}"#), Verdict::Inconclusive(_)));
        for status in [302, 403, 429, 500, 503] {
            assert!(matches!(verdict(status, ""), Verdict::Inconclusive(_)), "{status}");
        }
    }
}
