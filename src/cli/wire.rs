//! The flags that say how requests are sent.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::output::prose;
use super::{Complaint, shown};
use crate::wire::options::proxy_url;
use crate::wire::{Guard, Limits, Resolved, Trace, Wire, WireOptions};

/// How the wire is set up.
#[derive(Debug, Clone, Args)]
pub(super) struct WireArgs {
    /// A header for every request, "Name: value". Repeatable. One that is a credential goes into the variable, a header a
    /// line: the arguments of a program can be seen by others.
    #[arg(long = "header", value_name = "N: V", env = "OAUDIT_HEADERS", hide_env_values = true, value_delimiter = '\n', value_parser = header)]
    headers: Vec<(String, String)>,
    /// A certificate authority to trust as well, PEM.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Do not verify certificates. Recorded in the report.
    #[arg(long)]
    pub(super) insecure: bool,
    /// Seconds that one exchange may take.
    #[arg(long, value_name = "SECS", default_value = "10", value_parser = clap::value_parser!(u64).range(1..=300))]
    timeout: u64,
    /// The proxy for every request, loopback included: http, https or socks5. By default that of the environment.
    #[arg(long, value_name = "URL", value_parser = proxy)]
    proxy: Option<String>,
    /// A certificate with its key, for servers that ask for one, PEM.
    #[arg(long, value_name = "FILE")]
    client_cert: Option<PathBuf>,
    /// Where a host is, in place of what its name resolves to. Repeatable.
    #[arg(long, value_name = "HOST:PORT:ADDR", value_parser = resolved)]
    resolve: Vec<Resolved>,
    /// Requests a second at most.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: Option<u32>,
    /// Requests in all; what does not fit is inconclusive.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_requests: Option<u64>,
    /// Let the target lead to this host, although its address is not public. Repeatable.
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,
    #[command(flatten)]
    trace: TraceArgs,
}

/// Whether every exchange is told.
#[derive(Debug, Clone, Args)]
pub(super) struct TraceArgs {
    /// Tell every exchange on stderr, a line each, without secrets: method, URL, status, time, and which check sent it.
    #[arg(long)]
    trace: bool,
}

impl TraceArgs {
    pub(super) fn trace(&self) -> Trace {
        if self.trace { Trace::to(Arc::new(prose)) } else { Trace::default() }
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    // The end of the last line of the variable.
    if text.trim().is_empty() {
        return Ok(Default::default());
    }
    let (name, value) = text.split_once(':').ok_or("it is \"Name: value\"")?;
    http::HeaderName::try_from(name.trim()).map_err(|_| "what stands before the colon is no header name")?;
    http::HeaderValue::try_from(value.trim())
        .map_err(|_| "the value has characters that no header may have".to_owned())?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn proxy(text: &str) -> Result<String, String> {
    proxy_url(text).map(|_| text.to_owned())
}

fn resolved(text: &str) -> Result<Resolved, String> {
    text.parse()
}

fn pem(path: &Path, flag: &str) -> Result<Vec<u8>, Complaint> {
    std::fs::read(path).map_err(|error| {
        // A certificate is public, and so is where it lies; a key may have been typed in its place.
        let text = path.to_string_lossy();
        let place = if flag == "--ca" && !text.contains('\n') { text } else { shown::file(path) };
        Complaint::usage(format!("{place} cannot be read: {error}"), format!("check the path of {flag}"))
    })
}

impl WireArgs {
    pub(super) fn options(&self) -> Result<WireOptions, Complaint> {
        let options = WireOptions {
            limits: Limits {
                time: Duration::from_secs(self.timeout),
                rate: self.rate,
                requests: self.max_requests,
                ..Limits::default()
            },
            guard: self.allow_host.iter().fold(Guard::default(), |guard, host| guard.allowing(host)),
            headers: self.headers.iter().filter(|(name, _)| !name.is_empty()).cloned().collect(),
            insecure: self.insecure,
            authorities: self.ca.iter().map(|path| pem(path, "--ca")).collect::<Result<_, _>>()?,
            proxy: self.proxy.clone(),
            identity: self.client_cert.as_ref().map(|path| pem(path, "--client-cert")).transpose()?,
            resolve: self.resolve.clone(),
            trace: self.trace.trace(),
        };
        // What cannot work is said before anything is done.
        Wire::open(options.clone())
            .map_err(|trouble| Complaint::usage(trouble.to_string(), "see --ca, --client-cert and --proxy"))?;
        Ok(options)
    }
}
