//! A line for every exchange as it happens, for whoever wants to see what an audit does (`--trace`).

use std::fmt;
use std::sync::Arc;

use super::ledger::Exchange;

/// Hears a line.
type Hears = dyn Fn(&str) + Send + Sync;

/// Who is told of every exchange, redacted, as soon as it is over. Nobody is by default.
#[derive(Clone, Default)]
pub struct Trace(Option<Arc<Hears>>);

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Trace").field(&self.0.is_some()).finish()
    }
}

impl Trace {
    /// Tells this one.
    pub fn to(told: Arc<dyn Fn(&str) + Send + Sync>) -> Self {
        Self(Some(told))
    }

    pub(super) fn tell(&self, exchange: &Exchange) {
        if let Some(told) = &self.0 {
            told(&line(exchange));
        }
    }
}

/// `POST https://as.example/token 200 12 ms refresh/rotated`. Of a query the names alone: values fill the line, and what
/// is found out to be a secret later on must not stand here already.
fn line(exchange: &Exchange) -> String {
    let request = &exchange.request;
    let answer = match (&exchange.response, &exchange.trouble) {
        (Some(response), _) if request.method == "TLS" => format!("({})", response.body),
        (Some(response), _) => response.status.to_string(),
        (None, Some(trouble)) => format!("no answer ({trouble})"),
        (None, None) => "no answer".into(),
    };
    let url = without_values(&request.url);
    format!("{} {url} {answer} {} ms {}", request.method, exchange.elapsed_ms, exchange.check)
}

fn without_values(url: &str) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let Some((address, query)) = url.split_once('?') else { return url.to_owned() };
    let names = query.split('&').map(|parameter| parameter.split('=').next().unwrap_or_default());
    format!("{address}?{}", names.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ExchangeId;
    use crate::wire::ledger::{RecordedRequest, RecordedResponse};

    #[test]
    fn one_line_says_what_was_asked_and_how_it_ended() {
        let mut exchange = Exchange {
            id: ExchangeId(7),
            check: "refresh/rotated".into(),
            request: RecordedRequest {
                method: "GET".into(),
                url: "https://as.example/authorize?client_id=x&state=y#z".into(),
                headers: Vec::new(),
                body: None,
            },
            response: Some(RecordedResponse { status: 302, headers: Vec::new(), body: String::new() }),
            trouble: None,
            at_ms: 0,
            elapsed_ms: 12,
            curl: String::new(),
        };
        assert_eq!(line(&exchange), "GET https://as.example/authorize?client_id&state 302 12 ms refresh/rotated");
        (exchange.response, exchange.trouble) = (None, Some("it was cut".into()));
        assert!(line(&exchange).ends_with("?client_id&state no answer (it was cut) 12 ms refresh/rotated"));
    }
}
