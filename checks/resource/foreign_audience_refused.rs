//! A token of the same authorization server for another resource opens nothing here.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Unsettled, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Asked, Context, OneByOne, Ordinary, Resource, Shortfall, ask};
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::audience::judge_foreign;
use crate::oauth::refusal::{Refusal, front_refusal};
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::token::TokenAnswer;

const REFUSED: Demand = demand(
    "A token whose audience is another resource is refused.",
    &[
        must(Document::Mcp, "token-handling"),
        must(Document::Rfc9700, "2.3"),
        must(Document::OpenAi, "token verification"),
    ],
);

/// Asks for a token for another resource and presents it.
pub struct ForeignAudienceRefused;

impl Check for ForeignAudienceRefused {
    type Needs = (OneByOne, Resource);
    const CARD: Card = Card {
        id: "resource/foreign-audience-refused",
        demands: &[REFUSED],
        impact: Impact::Critical,
        reach: Reach::OwnMaterial,
        page: include_str!("foreign_audience_refused.md"),
    };

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        Ok(vec![ordinary.altered("a token for another resource", |r| {
            r.set("resource", "https://elsewhere.oaudit.test/mcp");
        })])
    }

    async fn run((OneByOne(requests), resource): (OneByOne, Resource), cx: &Context) -> Outcome {
        let mut lines = Vec::new();
        for request in requests {
            lines.push(line(ask(cx, request).await, &resource, cx).await?);
        }
        let why = lines.first().map(|line: &Finding| line.verdict.why().to_owned()).unwrap_or_default();
        Ok(cx.fold(lines, why))
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
    let verdict = judge_foreign(&described, &own, &reached, cx.asks_everybody(), REFUSED);
    Ok(Finding::new(asked.what, verdict).shown_by([tokens.exchange, reached.exchange]))
}

fn judge_front(answer: &AuthorizationAnswer) -> Verdict {
    match front_refusal(answer, &["invalid_target", "invalid_request"]) {
        Refusal::Recognised(how) => {
            Verdict::pass(format!("the authorization server issues no token for another resource: {how}"))
        }
        Refusal::Granted => Verdict::inconclusive(format!("it brought {}", answer.describe())),
        Refusal::Unclear(what) => Verdict::inconclusive(what),
    }
}

fn judge_tokens(answer: &TokenAnswer) -> Verdict {
    match answer {
        TokenAnswer::Refused(e) if ["invalid_target", "invalid_request"].contains(&e.error.as_str()) => {
            Verdict::pass(format!("the token endpoint issues no token for another resource: {}", e.describe()))
        }
        other => Verdict::inconclusive(format!("the code for another resource brought {}", other.describe())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::answer::PageKind;
    use crate::oauth::answer::tests::{arrived, page};
    use crate::oauth::token::tests::{read, refused};

    #[test]
    fn a_server_that_issues_none_holds() {
        let home = "http://127.0.0.1:8765/callback";
        let error = |e: &str| judge_front(&arrived(home, &format!("{home}?error={e}")));
        assert!(matches!(error("invalid_target"), Verdict::Pass(_)));
        assert!(matches!(error("server_error"), Verdict::Inconclusive(_)));
        assert!(matches!(judge_front(&page(500, PageKind::Error)), Verdict::Inconclusive(_)));
        assert!(matches!(judge_tokens(&refused(400, "invalid_target")), Verdict::Pass(_)));
        assert!(matches!(judge_tokens(&read(500, "text/html", "")), Verdict::Inconclusive(_)));
    }
}
