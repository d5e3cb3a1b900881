//! What is asked for in the clear is answered in the clear by nobody.

use url::Url;

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, must};
use crate::document::Document;
use crate::needs::{Addresses, Context};
use crate::wire::guard::is_loopback_url;
use crate::wire::plain::Plain;
use crate::wire::{Reply, Request};

const ENCRYPTED: Demand = demand(
    "Every address is reached by https, and by plain http it is not answered, or answered with the way to https.",
    &[must(Document::OAuth21, "1.5"), must(Document::OpenAi, "https")],
);

/// Asks for every address over plain http.
pub struct HttpsOnly;

impl Check for HttpsOnly {
    type Needs = Addresses;
    const CARD: Card = Card {
        id: "transport/https-only",
        demands: &[ENCRYPTED],
        impact: Impact::Critical,
        reach: Reach::Nothing,
        page: include_str!("https_only.md"),
    };

    async fn run(Addresses(addresses): Addresses, cx: &Context) -> Outcome {
        let mut lines: Vec<Finding> = Vec::new();
        // A port that says nothing in plain http need not be asked for every path.
        let mut closed: Vec<(String, Finding)> = Vec::new();
        for address in &addresses {
            let Some((plain, port)) = in_the_clear(address) else {
                lines.push(Finding::new(address, already_plain(address)));
                continue;
            };
            if closed.iter().any(|(other, _)| *other == port) {
                continue;
            }
            match cx.wire.ask_plainly(&plain, address).await {
                Ok(Plain::Answered(reply)) => {
                    let line = match judge_alone(&reply) {
                        Some(verdict) => Finding::new(&plain, verdict).shown_by([reply.id]),
                        None => compared(cx, &plain, &reply, address).await,
                    };
                    lines.push(line);
                }
                Ok(mute) => {
                    closed.push((port.clone(), Finding::new(port, judge_mute(&mute)).shown_by(exchange(&mute))))
                }
                Err(trouble) => {
                    closed.push((port.clone(), Finding::new(port, Verdict::inconclusive(trouble.to_string()))))
                }
            }
        }
        lines.extend(closed.into_iter().map(|(_, line)| line));
        Ok(cx.fold(lines, "nothing is answered over plain http"))
    }
}

/// The http counterpart: port 80 for 443, the same port otherwise. `None` if the address is plain http itself.
fn in_the_clear(address: &str) -> Option<(String, String)> {
    let mut url = Url::parse(address).ok().filter(|url| url.scheme() == "https")?;
    let port = url.port();
    url.set_scheme("http").ok()?;
    url.set_port(port).ok()?;
    let origin = format!("http://{}:{}", url.host_str()?, port.unwrap_or(80));
    Some((url.into(), origin))
}

fn already_plain(address: &str) -> Verdict {
    match is_loopback_url(address) {
        true => Verdict::not_applicable("plain http on this machine, as in development"),
        false => Verdict::fail(ENCRYPTED, "it is plain http, and everybody on the way can read and change it"),
    }
}

fn exchange(plain: &Plain) -> Option<crate::wire::ExchangeId> {
    match plain {
        Plain::Answered(reply) => Some(reply.id),
        Plain::NobodyListens(id) | Plain::Filtered(id) | Plain::Cut(id) | Plain::SpeaksTls(id) => Some(*id),
    }
}

fn judge_mute(plain: &Plain) -> Verdict {
    Verdict::pass(match plain {
        Plain::NobodyListens(_) => "nobody listens there",
        Plain::Filtered(_) => "no connection is let through, while the https port takes one",
        Plain::Cut(_) => "the connection is closed without an answer",
        Plain::SpeaksTls(_) => "it speaks TLS alone",
        Plain::Answered(_) => return Verdict::inconclusive("it answers"),
    })
}

/// What can be told from the answer itself.
fn judge_alone(reply: &Reply) -> Option<Verdict> {
    let fail = |why: String| Some(Verdict::fail(ENCRYPTED, why));
    let text = reply.text().to_ascii_lowercase();
    let names_https = ["https port", "https server", "ssl-enabled", "tls-enabled"].iter().any(|w| text.contains(w));
    match (reply.status, reply.location()) {
        (300..=399, Some(to)) if Url::parse(&to).is_ok_and(|to| to.scheme() == "https") => {
            Some(Verdict::pass(format!("it is answered {} with the way to https", reply.status)))
        }
        (status @ 300..=399, Some(to)) => {
            let place = to.split(['?', '#']).next().unwrap_or_default();
            fail(format!("it is answered {status} with the way to {place}, in the clear"))
        }
        (status @ 200..=299, _) => fail(format!("it is answered {status} over plain http")),
        (426, _) => Some(Verdict::pass("it is answered 426: TLS is required")),
        (400, _) if names_https => Some(Verdict::pass("it is answered 400: plain http was sent to an https port")),
        (408 | 425 | 429 | 500..=599, _) => {
            Some(Verdict::inconclusive(format!("it is answered {}, which is no refusal", reply.status)))
        }
        _ => None,
    }
}

/// A 4xx may come from whoever refuses plain http, or from the application itself, which then answers everything.
async fn compared(cx: &Context, plain: &str, reply: &Reply, address: &str) -> Finding {
    let verdict = match cx.wire.send(Request::get(address)).await {
        Ok(https) => judge_beside(reply, &https),
        Err(trouble) => Verdict::inconclusive(format!("over https, to compare: {trouble}")),
    };
    Finding::new(plain, verdict).shown_by([reply.id])
}

fn judge_beside(plain: &Reply, https: &Reply) -> Verdict {
    let status = plain.status;
    if status != https.status {
        return Verdict::pass(format!("it is refused with {status}; over https the answer is {}", https.status));
    }
    // Words of an application, which knows what may be asked there; 403 and 404 are everybody's.
    let telling = [401, 405, 406, 415].contains(&status) || (!plain.body.is_empty() && plain.body == https.body);
    match telling && plain.media_type() == https.media_type() {
        true => Verdict::fail(ENCRYPTED, format!("it is answered {status} over plain http as over https")),
        false => Verdict::inconclusive(format!("it is answered {status} over plain http as well, for whatever reason")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::tests::reply;

    #[test]
    fn the_counterpart_of_an_address() {
        let of = |address| in_the_clear(address).unwrap();
        assert_eq!(of("https://a.example/x"), ("http://a.example/x".into(), "http://a.example:80".into()));
        assert_eq!(of("https://a.example:8443/"), ("http://a.example:8443/".into(), "http://a.example:8443".into()));
        assert_eq!(in_the_clear("http://a.example/"), None);
        assert!(matches!(already_plain("http://127.0.0.1:1/"), Verdict::NotApplicable(_)));
        assert!(matches!(already_plain("http://a.example/"), Verdict::Fail(..)));
    }

    #[test]
    fn the_way_to_https_and_refusals_hold() {
        let to = |status, location: &str| {
            let answer = reply(status, &[("location", location)], "");
            judge_alone(&Reply { url: "http://a.example/x".into(), ..answer })
        };
        assert!(matches!(to(301, "https://a.example/x"), Some(Verdict::Pass(_))));
        assert!(matches!(to(308, "HTTPS://A.example/x"), Some(Verdict::Pass(_))), "a scheme is spelled in any case");
        assert!(matches!(to(302, "http://a.example/login"), Some(Verdict::Fail(..))));
        assert!(matches!(to(408, ""), Some(Verdict::Inconclusive(_))));
        assert!(matches!(to(302, "/login"), Some(Verdict::Fail(..))));
        let nginx = "<center>The plain HTTP request was sent to HTTPS port</center>";
        assert!(matches!(judge_alone(&reply(400, &[], nginx)), Some(Verdict::Pass(_))));
        assert!(matches!(judge_alone(&reply(200, &[], "")), Some(Verdict::Fail(..))));
        assert!(matches!(judge_alone(&reply(502, &[], "")), Some(Verdict::Inconclusive(_))));
        assert_eq!(judge_alone(&reply(405, &[], "")), None);
    }

    #[test]
    fn the_application_is_known_again() {
        let beside = |plain: (u16, &str), https: (u16, &str)| {
            judge_beside(&reply(plain.0, &[], plain.1), &reply(https.0, &[], https.1))
        };
        assert!(matches!(beside((405, ""), (405, "")), Verdict::Fail(..)));
        assert!(matches!(beside((400, "client_id?"), (400, "client_id?")), Verdict::Fail(..)));
        assert!(matches!(beside((404, ""), (404, "")), Verdict::Inconclusive(_)));
        assert!(matches!(beside((403, ""), (405, "")), Verdict::Pass(_)));
    }
}
