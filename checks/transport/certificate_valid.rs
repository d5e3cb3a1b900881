//! The certificate says who is spoken to: trusted, for this name, in its time.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Ruling, Verdict, demand, must, should};
use crate::document::Document;
use crate::needs::{Addresses, Context};
use crate::wire::Wire;
use crate::wire::tls::{Certificate, Handshake, Problem};

const VALID: Demand = demand(
    "The certificate is trusted, is for the name that was asked for, and is in its time.",
    &[must(Document::OAuth21, "1.5"), must(Document::Rfc6749, "10.9")],
);
const RENEWED: Demand = demand(
    "The certificate is renewed two weeks before it expires, or with a third of its time left.",
    &[should(Document::OAuth21, "1.5")],
);

/// Days below which a renewal is late; for a certificate of a few days it is a third of its time.
const SOON: i64 = 14;

/// Shakes hands with every host and looks at the certificate.
pub struct CertificateValid;

impl Check for CertificateValid {
    type Needs = Addresses;
    const CARD: Card = Card {
        id: "transport/certificate-valid",
        demands: &[VALID, RENEWED],
        impact: Impact::Critical,
        reach: Reach::Nothing,
        page: include_str!("certificate_valid.md"),
    };

    async fn run(addresses: Addresses, cx: &Context) -> Outcome {
        let https = addresses.https();
        if https.is_empty() {
            return Ok(Verdict::not_applicable("no address is https, see transport/https-only").into());
        }
        let mut lines = Vec::new();
        for url in https {
            lines.push(look(&cx.wire, url).await);
        }
        let least = lines.iter().filter_map(|l| l.measured.as_ref()).map(|m| m.value).fold(f64::INFINITY, f64::min);
        Ok(cx.fold(lines, format!("trusted, for the right name, {least} days left")))
    }
}

/// The certificate of a target that nothing more could be asked of, if that is what is wrong with it.
pub async fn at_fault(wire: &Wire, url: &str) -> Option<Ruling> {
    let line = look(wire, url).await;
    matches!(line.verdict, Verdict::Fail(..)).then(|| Ruling {
        verdict: line.verdict.clone(),
        evidence: line.evidence.clone(),
        findings: vec![line],
    })
}

async fn look(wire: &Wire, url: &str) -> Finding {
    let place = url::Url::parse(url).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    match wire.shake_hands(url).await {
        Ok(shaken) => {
            let line = Finding::new(place, judge(&shaken)).shown_by([shaken.id]);
            match shaken.chain.first() {
                #[expect(clippy::cast_precision_loss, reason = "days")]
                Some(own) => line.measured(own.days_left(shaken.at) as f64, "days"),
                None => line,
            }
        }
        Err(trouble) => Finding::new(place, Verdict::inconclusive(trouble.to_string())),
    }
}

fn judge(shaken: &Handshake) -> Verdict {
    let Some(own) = shaken.chain.first() else {
        return Verdict::inconclusive("the certificate could not be read");
    };
    let days = own.days_left(shaken.at);
    if !shaken.problems.is_empty() {
        let all: Vec<String> = shaken.problems.iter().map(|problem| say(problem, own, days)).collect();
        return Verdict::fail(VALID, all.join("; "));
    }
    let lives = (own.not_after - own.not_before) / (24 * 3600);
    match days < SOON.min(lives / 3) {
        true => Verdict::fail(RENEWED, format!("the certificate expires in {}", plural(days))),
        false => Verdict::pass(format!("trusted, signed by {}, {} left", own.issuer, plural(days))),
    }
}

fn say(problem: &Problem, own: &Certificate, days: i64) -> String {
    match problem {
        Problem::Expired => format!("the certificate expired {} ago", plural(-days)),
        Problem::NotYetValid => "the certificate is not valid yet".into(),
        Problem::ChainOutOfTime => "a certificate that it hangs on is expired or not valid yet".into(),
        Problem::WrongName => match own.names.is_empty() {
            true => "the certificate names no host at all".into(),
            false => format!("the certificate is for {}", own.names.join(", ")),
        },
        Problem::SelfSigned => "the certificate signed itself".into(),
        Problem::UnknownIssuer => {
            format!("no authority that is trusted signed it: {}, or one between is not sent", own.issuer)
        }
        Problem::Revoked => "the certificate was revoked".into(),
        Problem::Other(what) => format!("the certificate is not accepted: {what}"),
    }
}

fn plural(days: i64) -> String {
    if days == 1 { "1 day".into() } else { format!("{days} days") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ExchangeId;

    const DAY: i64 = 24 * 3600;

    fn shaken(days: i64, problems: &[Problem]) -> Handshake {
        let own = Certificate {
            subject: "CN=a".into(),
            issuer: "CN=b".into(),
            names: vec!["other.example".into()],
            not_before: 0,
            not_after: (100 + days) * DAY,
            key: String::new(),
        };
        Handshake {
            id: ExchangeId(1),
            version: "TLS 1.3",
            chain: vec![own],
            problems: problems.to_vec(),
            at: 100 * DAY,
        }
    }

    #[test]
    fn everything_wrong_is_said_and_a_late_renewal_is_less() {
        assert!(matches!(judge(&shaken(14, &[])), Verdict::Pass(_)));
        assert!(matches!(judge(&shaken(13, &[])), Verdict::Fail(RENEWED, _)));
        let Verdict::Fail(VALID, why) = judge(&shaken(-3, &[Problem::Expired, Problem::WrongName])) else {
            panic!("not a failure")
        };
        assert_eq!(why, "the certificate expired 3 days ago; the certificate is for other.example");
        // Six days in all: two of them are a third.
        let brief = |days| {
            let mut shaken = shaken(days, &[]);
            shaken.chain[0].not_before = shaken.chain[0].not_after - 6 * DAY;
            judge(&shaken)
        };
        assert!(matches!(brief(2), Verdict::Pass(_)));
        assert!(matches!(brief(1), Verdict::Fail(RENEWED, _)));
        let unread = Handshake { chain: Vec::new(), ..shaken(90, &[]) };
        assert!(matches!(judge(&unread), Verdict::Inconclusive(_)));
    }
}
