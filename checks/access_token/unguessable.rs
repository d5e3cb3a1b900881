//! Nobody guesses an access token.

use std::collections::HashSet;

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Ruling, Verdict, demand, must, should};
use crate::document::Document;
use crate::needs::{Context, IssuedTokens, not_signed};
use crate::oauth::jwt::TokenKind;
use crate::oauth::sample::{Study, study};

const ROOM: Demand = demand(
    "There is room for at least 128 bits in an access token that is not the same in all of them.",
    &[must(Document::Rfc6749, "10.10")],
);
const ROOM_FOR_LUCK: Demand =
    demand("An access token has 128 bits or more, not 122 as a UUID has.", &[should(Document::Rfc6749, "10.10")]);

/// Studies the opaque access tokens of the run.
pub struct Unguessable;

impl Check for Unguessable {
    type Needs = IssuedTokens;
    const CARD: Card = Card {
        id: "access_token/unguessable",
        demands: &[ROOM, ROOM_FOR_LUCK],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("unguessable.md"),
    };

    async fn run(IssuedTokens(tokens): IssuedTokens, _: &Context) -> Outcome {
        if let Some((_, readable)) = tokens.iter().find(|(_, t)| TokenKind::of(t) != TokenKind::Opaque) {
            return Ok(Verdict::from(not_guessed(TokenKind::of(readable))).into());
        }
        // Equal ones are `access_token/distinct`'s matter; here they would pass for a shared part.
        let mut seen = HashSet::new();
        let sample: Vec<&str> = tokens.iter().map(|(_, t)| t.as_str()).filter(|t| seen.insert(*t)).collect();
        Ok(match study(&sample) {
            Some(study) => {
                let room = Finding::new("room", Verdict::pass(describe(&study))).measured(study.bits.floor(), "bit");
                Ruling { findings: vec![room], ..Ruling::from(judge(&study)) }
            }
            None => Verdict::inconclusive(format!("{} access tokens show nothing", sample.len())).into(),
        })
    }
}

fn not_guessed(kind: TokenKind) -> crate::needs::Shortfall {
    match kind {
        TokenKind::Opaque => not_signed(kind),
        _ => crate::needs::Shortfall::NotApplicable(format!(
            "access tokens are {}: what cannot be guessed is the key",
            kind.describe_all()
        )),
    }
}

fn describe(study: &Study) -> String {
    let order = if study.ordered { ", each greater than the one before" } else { "" };
    format!(
        "{} tokens, {} places the same in all of them, room for {:.0} bit in the others{order}",
        study.size, study.fixed, study.bits
    )
}

/// Half a bit less is the alphabet's estimate; a place that is the same by chance costs six.
fn judge(study: &Study) -> Verdict {
    let seen = describe(study);
    match study.bits {
        128.0.. => Verdict::pass(format!("nothing found that helps to guess: {seen}")),
        120.0..128.0 => Verdict::fail(ROOM_FOR_LUCK, seen),
        _ => Verdict::fail(ROOM, seen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(bits: f64) -> Verdict {
        judge(&Study { size: 20, bits, fixed: 3, ordered: false })
    }

    #[test]
    fn the_room_decides() {
        assert!(matches!(verdict(256.0), Verdict::Pass(why) if why.contains("20 tokens")));
        assert!(matches!(verdict(128.0), Verdict::Pass(_)));
        assert!(matches!(verdict(124.0), Verdict::Fail(ROOM_FOR_LUCK, _)));
        assert!(matches!(verdict(24.0), Verdict::Fail(ROOM, _)));
    }

    #[test]
    fn a_pass_claims_no_randomness() {
        let Verdict::Pass(why) = verdict(256.0) else { panic!("no pass") };
        assert!(why.starts_with("nothing found"));
    }
}
