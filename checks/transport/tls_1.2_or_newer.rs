//! TLS 1.0 and 1.1 are over: who offers nothing newer is turned away.

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Addresses, Context};
use crate::wire::tls::{Offered, OldVersion};

const MODERN: Demand = demand(
    "TLS 1.2 or 1.3 is spoken, and nothing older.",
    &[must(Document::Rfc9325, "3.1.1"), must(Document::Rfc8996, "4"), must(Document::Rfc8996, "5")],
);

/// Offers old versions alone.
pub struct Tls12OrNewer;

impl Check for Tls12OrNewer {
    type Needs = Addresses;
    const CARD: Card = Card {
        id: "transport/tls-1.2-or-newer",
        demands: &[MODERN],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("tls_1.2_or_newer.md"),
    };

    async fn run(addresses: Addresses, cx: &Context) -> Outcome {
        let https = addresses.https();
        if https.is_empty() {
            return Ok(Verdict::not_applicable("no address is https, see transport/https-only").into());
        }
        let mut lines = Vec::new();
        for url in https {
            let place = url::Url::parse(url).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
            // The control: a host that shakes hands with nobody refuses nothing.
            let control = match cx.wire.shake_hands(url).await {
                Ok(shaken) => {
                    let line = Finding::new(format!("{place}, the newest"), Verdict::pass(shaken.version));
                    lines.push(line.shown_by([shaken.id]));
                    Ok(())
                }
                Err(trouble) => Err(trouble.to_string()),
            };
            for version in OldVersion::ALL {
                let what = format!("{place}, {} at most", version.as_str());
                lines.push(match cx.wire.offer(url, version).await {
                    Ok((id, offered)) => Finding::new(what, judge(&offered, &control)).shown_by([id]),
                    Err(trouble) => Finding::new(what, Verdict::inconclusive(trouble.to_string())),
                });
            }
        }
        Ok(cx.fold(lines, "TLS 1.2 or 1.3 is spoken; TLS 1.0 and 1.1 are refused"))
    }
}

fn judge(offered: &Offered, control: &Result<(), String>) -> Verdict {
    let answer = offered.describe();
    match (offered, control) {
        (Offered::Taken(version), _) if ["TLS 1.2", "TLS 1.3"].contains(&version.as_str()) => {
            Verdict::inconclusive(format!("it was answered with {answer}, which was not offered"))
        }
        (Offered::Taken(_), _) => Verdict::fail(MODERN, format!("it was answered with {answer}")),
        (Offered::Alert(_) | Offered::Closed, Ok(())) => Verdict::pass(format!("it was refused with {answer}")),
        (Offered::Alert(_) | Offered::Closed, Err(why)) => Verdict::inconclusive(format!(
            "it was answered with {answer}, but newer versions do not work either: {why}"
        )),
        (Offered::Unclear(_), _) => Verdict::inconclusive(format!("it was answered with {answer}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_counts_beside_a_handshake_that_works() {
        let works = Ok(());
        let broken = Err("reset".to_owned());
        let alert = Offered::Alert("protocol_version (70)".into());
        assert!(matches!(judge(&alert, &works), Verdict::Pass(_)));
        assert!(matches!(judge(&Offered::Closed, &works), Verdict::Pass(_)));
        assert!(matches!(judge(&alert, &broken), Verdict::Inconclusive(_)));
        assert!(matches!(judge(&Offered::Unclear("noise".into()), &works), Verdict::Inconclusive(_)));
        let taken = Offered::Taken("TLS 1.0".into());
        assert!(matches!(judge(&taken, &works), Verdict::Fail(..)));
        assert!(matches!(judge(&taken, &broken), Verdict::Fail(..)));
    }
}
