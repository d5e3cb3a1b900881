//! `oaudit lab`: serves the embedded authorization server, MCP endpoint and API until it is stopped.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Common, Complaint, Exit, output};
use crate::lab::{FAULTS, Lab, LabOptions, QUIRKS};

/// What can be said to `lab`.
#[derive(Debug, Args)]
pub(super) struct LabArgs {
    /// The port on 127.0.0.1; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value = "0")]
    port: u16,
    /// A fault to have. Repeatable.
    #[arg(long, value_name = "NAME")]
    fault: Vec<String>,
    /// An unusual, but sound way to behave. Repeatable.
    #[arg(long, value_name = "NAME")]
    quirk: Vec<String>,
    /// List the faults, and what each turns red; and the quirks.
    #[arg(long)]
    list_faults: bool,
    /// Milliseconds that every answer is delayed.
    #[arg(long, value_name = "MS", default_value = "0")]
    latency: u64,
    /// Issue opaque access tokens.
    #[arg(long)]
    opaque: bool,
    /// Ask nobody: no login, no consent.
    #[arg(long)]
    auto_consent: bool,
    /// Seconds that an access token lives; 600 by default.
    #[arg(long, value_name = "SECS")]
    access_seconds: Option<u64>,
    /// Seconds that a code lives; 60 by default.
    #[arg(long, value_name = "SECS")]
    code_seconds: Option<u64>,
    /// Note every request in this file, with everything secret taken out.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Serve over TLS, by a certificate of an authority that is made at the start.
    #[arg(long)]
    tls: bool,
    /// Where to write that authority's certificate, PEM, for --ca of an audit.
    #[arg(long, value_name = "FILE", requires = "tls")]
    tls_ca_out: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

impl LabArgs {
    pub(super) async fn run(self) -> Exit {
        let streams = self.common.streams();
        if self.list_faults {
            let result = output::report(&list());
            return result.map_or_else(|complaint| streams.complain(&complaint, false), |()| Exit::OK);
        }
        let options = LabOptions {
            origin: None,
            port: self.port,
            faults: self.fault,
            quirks: self.quirk,
            latency: Duration::from_millis(self.latency),
            opaque: self.opaque,
            auto_consent: self.auto_consent,
            access_seconds: self.access_seconds,
            code_seconds: self.code_seconds,
            log: self.log,
            tls: self.tls,
        };
        let lab = match Lab::start(options).await {
            Ok(lab) => lab,
            Err(error) => return streams.complain(&Complaint::usage(error.to_string(), error.hint()), false),
        };
        if let (Some(path), Some(authority)) = (&self.tls_ca_out, lab.authority())
            && let Err(error) = std::fs::write(path, authority)
        {
            let why = format!("{} cannot be written: {error}", path.display());
            return streams.complain(&Complaint::usage(why, "check the path of --tls-ca-out"), false);
        }
        let line = serde_json::json!({ "issuer": lab.issuer(), "mcp": lab.mcp(), "api": lab.api() });
        if let Err(complaint) = output::report(&format!("{line}\n")) {
            return streams.complain(&complaint, false);
        }
        if !streams.quiet {
            output::prose("user alice, password wonderland; stop with Ctrl-C");
        }
        // Without a signal handler there is nothing to wait for but the end of the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        lab.stop().await;
        Exit::OK
    }
}

fn list() -> String {
    let mut text = String::from("faults\n");
    for fault in FAULTS {
        text.push_str(&format!("  {:<32} {} (turns {} red)\n", fault.name, fault.about, fault.breaks.join(", ")));
    }
    text.push_str("quirks\n");
    for quirk in QUIRKS {
        text.push_str(&format!("  {:<32} {}\n", quirk.name, quirk.about));
    }
    text
}
