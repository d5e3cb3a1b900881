//! Response types that would put an access token into the front channel are refused.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Verdict, demand, must, should};
use crate::document::Document;
use crate::needs::{Context, FrontChannel, Ordinary, Shortfall};
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::pkce::random_text;
use crate::oauth::refusal::{Refusal, front_refusal};
use crate::oauth::request::AuthorizationRequest;

const NO_TOKEN: Demand = demand(
    "The authorization endpoint hands out no access token, whatever response type is asked for.",
    &[
        must(Document::OpenAi, "approval checklist"),
        must(Document::OAuth21, "4.1.1"),
        should(Document::Rfc9700, "2.1.2"),
    ],
);

/// Asks for `token`, `id_token token` and `code token`.
pub struct ImplicitRefused;

impl Check for ImplicitRefused {
    type Needs = FrontChannel;
    const CARD: Card = Card {
        id: "authorization/implicit-refused",
        demands: &[NO_TOKEN],
        impact: Impact::Critical,
        reach: Reach::OwnMaterial,
        page: include_str!("implicit_refused.md"),
    };

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        let asking = |kind: &str| {
            ordinary.altered(format!("response_type={kind}"), |r| {
                r.set("response_type", kind);
            })
        };
        let mut with_id_token = asking("id_token token");
        with_id_token.set("nonce", random_text(16));
        // OpenID wants its scope beside an ID token; where that is unknown, it would be what is refused.
        if ordinary.known_scopes.contains("openid") {
            let scope = with_id_token.scope().with("openid").to_string();
            with_id_token.set("scope", scope);
        }
        Ok(vec![asking("token"), with_id_token, asking("code token")])
    }

    async fn run(FrontChannel(asked): FrontChannel, cx: &Context) -> Outcome {
        let lines = asked.iter().map(|asked| asked.line(judge)).collect();
        let ruling = cx.fold(lines, "no response type brings an access token into the front channel");
        let offered = cx.audit.discovery.server.metadata.list("response_types_supported").unwrap_or_default();
        Ok(match offered.into_iter().find(|kind| kind.split(' ').any(|word| word == "token")) {
            Some(kind) if matches!(ruling.verdict, Verdict::Pass(_)) => ruling.noting(
                format!("response_type={kind}"),
                // A refusal to our client, which registered for codes alone, is not one to every client.
                Verdict::not_applicable(
                    "the metadata offers it, so that a client that is registered for it may get a token all the same; \
                     --client-id audits as such a client",
                ),
            ),
            _ => ruling,
        })
    }
}

fn judge(answer: &AuthorizationAnswer) -> Verdict {
    let returned = answer.returned();
    if returned.is_some_and(|r| r.has_token()) {
        return Verdict::fail(NO_TOKEN, "an access token came in the redirect");
    }
    match front_refusal(answer, &["unsupported_response_type", "unauthorized_client", "invalid_request"]) {
        Refusal::Recognised(how) => Verdict::pass(how),
        Refusal::Granted => Verdict::pass("answered with a code only, as if the code alone had been asked for"),
        Refusal::Unclear(_) if returned.is_some_and(|r| r.get("id_token").is_some()) => {
            Verdict::pass("answered with an ID token and no access token")
        }
        Refusal::Unclear(what) => Verdict::inconclusive(what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::tests::ordinary;
    use crate::oauth::answer::PageKind;
    use crate::oauth::answer::tests::{arrived, page};

    fn at(answer: &str) -> Verdict {
        let home = "http://127.0.0.1:8765/callback";
        judge(&arrived(home, &format!("{home}{answer}")))
    }

    #[test]
    fn a_token_fails_and_a_named_refusal_passes() {
        assert!(matches!(at("#access_token=x&token_type=Bearer"), Verdict::Fail(..)));
        assert!(matches!(at("?code=y#access_token=x"), Verdict::Fail(..)));
        assert!(matches!(at("#error=unsupported_response_type&state=s"), Verdict::Pass(_)));
        assert!(matches!(at("?error=invalid_request"), Verdict::Pass(_)));
        assert!(matches!(judge(&page(400, PageKind::Error)), Verdict::Pass(_)));
    }

    #[test]
    fn codes_and_id_tokens_are_no_access_tokens() {
        assert!(matches!(at("?code=x"), Verdict::Pass(_)));
        assert!(matches!(at("#id_token=x"), Verdict::Pass(_)));
    }

    #[test]
    fn other_errors_and_pages_decide_nothing() {
        assert!(matches!(at("?error=invalid_scope"), Verdict::Inconclusive(_)));
        assert!(matches!(at("?error=login_required"), Verdict::Inconclusive(_)));
        assert!(matches!(judge(&page(500, PageKind::Error)), Verdict::Inconclusive(_)));
    }

    #[test]
    fn an_id_token_is_asked_for_as_openid_wants_it() {
        let scope =
            |known| ImplicitRefused::requests(&ordinary("a", known)).unwrap()[1].get("scope").map(str::to_owned);
        assert_eq!(scope("a openid").as_deref(), Some("a openid"));
        assert_eq!(scope("a").as_deref(), Some("a"));
        let requests = ImplicitRefused::requests(&ordinary("a", "a")).unwrap();
        assert!(requests[1].get("nonce").is_some() && requests[0].get("nonce").is_none());
    }
}
