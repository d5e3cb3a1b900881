//! A token that was asked for without a resource, and is not for this one, opens nothing here.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Ruling, Unsettled, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Asked, Context, OneByOne, Ordinary, Resource, Shortfall, ask};
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::audience::judge_foreign;
use crate::oauth::described::Described;
use crate::oauth::refusal::{Refusal, front_refusal};
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::token::TokenAnswer;
use crate::resource::Reached;

const REFUSED: Demand =
    demand("A token whose audience does not name the resource is refused.", &[must(Document::Mcp, "token-handling")]);

/// Asks for a token without `resource`, reads its audience, and presents it.
pub struct MissingAudienceRefused;

impl Check for MissingAudienceRefused {
    type Needs = (OneByOne, Resource);
    const CARD: Card = Card {
        id: "resource/missing-audience-refused",
        demands: &[REFUSED],
        impact: Impact::High,
        reach: Reach::OwnMaterial,
        page: include_str!("missing_audience_refused.md"),
    };

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        if ordinary.resource.is_none() {
            let why = "the ordinary request names no resource either: nobody tells the identifier of this one";
            return Err(Shortfall::NotApplicable(why.into()));
        }
        Ok(vec![ordinary.altered("a token asked for without resource", |r| {
            r.remove("resource");
        })])
    }

    async fn run((OneByOne(requests), resource): (OneByOne, Resource), cx: &Context) -> Outcome {
        let Some(request) = requests.into_iter().next() else {
            return Ok(Verdict::inconclusive("nothing was asked").into());
        };
        let finding = line(ask(cx, request).await, &resource, cx).await?;
        Ok(Ruling::from(finding.verdict).shown_by(finding.evidence))
    }
}

async fn line(asked: Asked, resource: &Resource, cx: &Context) -> Result<Finding, Unsettled> {
    let Ok(AuthorizationAnswer::Code(code)) = asked.answer else { return Ok(asked.line(judge_front)) };
    let answer = code.redeem(&cx.wire).await?.0;
    let TokenAnswer::Granted(tokens) = &answer else {
        return Ok(Finding::new(asked.what, judge_tokens(&answer)).shown_by([answer.exchange()]));
    };
    let token = tokens.access_token.expose();
    let (described, own) = cx.audiences(token).await?;
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    let reached = resource.call_with(&cx.wire, token).await?;
    let verdict = judge(&described, &own, &reached, cx.asks_everybody());
    Ok(Finding::new(asked.what, verdict).shown_by([tokens.exchange, reached.exchange]))
}

fn judge_front(answer: &AuthorizationAnswer) -> Verdict {
    match front_refusal(answer, &["invalid_target", "invalid_request"]) {
        Refusal::Recognised(how) => {
            Verdict::pass(format!("the authorization server issues no token without a resource: {how}"))
        }
        Refusal::Granted => Verdict::inconclusive(format!("it brought {}", answer.describe())),
        Refusal::Unclear(what) => Verdict::inconclusive(what),
    }
}

fn judge_tokens(answer: &TokenAnswer) -> Verdict {
    match answer {
        TokenAnswer::Refused(e) if ["invalid_target", "invalid_request"].contains(&e.error.as_str()) => {
            Verdict::pass(format!("the token endpoint issues no token without a resource: {}", e.describe()))
        }
        other => Verdict::inconclusive(format!("the code brought {}", other.describe())),
    }
}

fn judge(described: &Described, own: &[&str], reached: &Reached, asked_all: bool) -> Verdict {
    match (described.is_for_any(own.iter().copied()), reached.is_accepted()) {
        (Some(true), true) => Verdict::pass(format!(
            "a token asked for without resource is for {} all the same, so there is none without an audience",
            described.audience_text()
        )),
        _ => judge_foreign(described, own, reached, asked_all, REFUSED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needs::tests::ordinary;
    use crate::oauth::answer::tests::arrived;
    use crate::wire::message::tests::reply;

    fn verdict(aud: Option<&str>, status: u16, asked_all: bool) -> Verdict {
        let described = Described { audience: aud.map(|aud| vec![aud.to_owned()]), scope: None };
        judge(&described, &["https://own"], &Reached::read(&reply(status, &[], "")), asked_all)
    }

    #[test]
    fn the_audience_that_was_read_decides() {
        assert!(matches!(verdict(Some("https://own"), 200, true), Verdict::Pass(_)));
        assert!(matches!(verdict(Some("https://as"), 200, true), Verdict::Fail(REFUSED, _)));
        assert!(matches!(verdict(Some("https://as"), 401, true), Verdict::Pass(_)));
        assert!(matches!(verdict(None, 401, false), Verdict::Pass(_)));
        assert!(matches!(verdict(None, 200, false), Verdict::NotRun { .. }));
        assert!(matches!(verdict(None, 200, true), Verdict::Inconclusive(_)));
    }

    #[test]
    fn a_server_may_demand_a_resource() {
        let home = "http://127.0.0.1:8765/callback";
        let error = |e: &str| judge_front(&arrived(home, &format!("{home}?error={e}")));
        assert!(matches!(error("invalid_target"), Verdict::Pass(_)));
        assert!(matches!(error("login_required"), Verdict::Inconclusive(_)));
        assert!(matches!(MissingAudienceRefused::requests(&ordinary("a", "a")), Err(Shortfall::NotApplicable(_))));
    }
}
