//! `oaudit discover`: what a client would find, step by step, and the first step that is broken.

use std::path::PathBuf;

use clap::Args;

use super::layers::ConfigArgs;
use super::wire::WireArgs;
use super::{Common, Complaint, Exit, output, shown};
use crate::discovery::{
    Broken, Found, IssuerSource, Place, Probing, ResourceFacts, ServerFacts, Target, Whose, discover,
};
use crate::document::McpVersion;
use crate::report::plain::plain;
use crate::saved;
use crate::wire::{Guard, Wire};

mod first;

use first::{first_broken, is_telling};

/// What can be said to `discover`.
#[derive(Debug, Args)]
pub(super) struct DiscoverArgs {
    /// URL of an API route, an MCP endpoint, or an issuer.
    #[arg(value_name = "TARGET")]
    target: Option<String>,
    /// Name the authorization server; else found through the resource.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    #[command(flatten)]
    wire: WireArgs,
    /// Keep the documents in a folder, for `audit --offline DIR`.
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    /// terminal or json.
    #[arg(long, value_name = "F", default_value = "terminal", value_parser = ["terminal", "json"])]
    format: String,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    common: Common,
}

impl DiscoverArgs {
    pub(super) async fn run(self) -> Exit {
        let streams = self.common.streams();
        let machine = self.format == "json";
        let target = Target { typed: self.target.clone(), issuer: self.issuer.clone(), resource: None, call: None };
        if target.named().next().is_none() {
            let complaint =
                Complaint::usage("there is no TARGET to look at", "oaudit discover URL, or target in oaudit.toml");
            return streams.complain(&complaint, machine);
        }
        let fit = target.named().try_for_each(shown::address);
        let mut options = match fit.and_then(|()| self.wire.options()) {
            Ok(options) => options,
            Err(complaint) => return streams.complain(&complaint, machine),
        };
        options.guard = target.named().fold(options.guard, Guard::naming);
        let wire = match Wire::open(options) {
            Ok(wire) => wire,
            Err(trouble) => return streams.complain(&Complaint::usage(trouble.to_string(), "see --ca"), machine),
        };
        let found = match discover(&wire, &target, McpVersion::V20251125, Probing::GetOnly).await {
            Ok(found) => found,
            Err(broken) => {
                let exit = if broken.whose == Whose::CommandLine { Exit::USAGE } else { Exit::NOT_STARTED };
                return streams.complain(&hidden(complaint(&broken, exit), &wire), machine);
            }
        };
        if let Some(folder) = &self.save {
            match saved::write(folder, &found, wire.vault()) {
                Ok(files) if !streams.quiet => output::prose(&format!("saved: {}", files.join(", "))),
                Ok(_) => {}
                Err(error) => {
                    let complaint = Complaint::ours(error.to_string(), "check the path of --save");
                    return streams.complain(&complaint, machine);
                }
            }
        }
        // A server may repeat what --header gave it.
        let text = if machine { json(&found) } else { steps(&found) };
        if let Err(complaint) = output::report(&wire.vault().redact(&text)) {
            return streams.complain(&complaint, machine);
        }
        match &found.server {
            Ok(_) => Exit::OK,
            Err(broken) => streams.complain(&hidden(complaint(broken, Exit::NOT_STARTED), &wire), machine),
        }
    }
}

fn complaint(broken: &Broken, exit: Exit) -> Complaint {
    Complaint { error: format!("{} (whose: {})", broken.what, broken.whose), hint: broken.hint.clone(), exit }
}

fn hidden(complaint: Complaint, wire: &Wire) -> Complaint {
    Complaint { error: wire.vault().redact(&complaint.error).into_owned(), ..complaint }
}

fn steps(found: &Found) -> String {
    let mut lines = Vec::new();
    if let Some(resource) = &found.resource {
        resource_steps(resource, &mut lines);
    }
    match &found.server {
        Ok(server) => server_steps(server, &mut lines),
        Err(broken) => lines.push(step(false, "authorization server", &broken.what)),
    }
    lines.push(String::new());
    match first_broken(found) {
        None => lines.push("A client finds all that it needs.".into()),
        Some((step, broken)) => {
            lines.push(format!("First broken step: {step}, of {}", broken.whose));
            lines.push(format!("  {}", broken.what));
            lines.push(format!("  {}", broken.hint));
        }
    }
    lines.iter().map(|line| format!("{}\n", plain(line))).collect()
}

fn step(holds: bool, name: &str, what: &str) -> String {
    format!("{} {name:<22} {what}", if holds { "✓ found " } else { "✗ broken" })
}

fn resource_steps(resource: &ResourceFacts, lines: &mut Vec<String>) {
    let challenge = match resource.bearer() {
        Some(c) if c.parameters.is_empty() => "a Bearer challenge without parameters".to_owned(),
        Some(c) => {
            let pairs: Vec<String> = c.parameters.iter().map(|(n, v)| format!("{n}=\"{v}\"")).collect();
            format!("Bearer {}", pairs.join(", "))
        }
        None => "no Bearer challenge".to_owned(),
    };
    let what = format!("{} without a token: {}, {challenge}", resource.url, resource.status);
    lines.push(match is_telling(resource) {
        true => step(resource.status == 401, "resource", &what),
        false => format!("- untold {:<22} {what}; it need not take a GET", "resource"),
    });
    places(
        &resource.tried,
        resource.metadata.as_ref().map(|(m, _)| m.fetched.url.as_str()),
        lines,
        "resource metadata",
    );
    if let Some((metadata, _)) = &resource.metadata {
        let resource = metadata.text("resource").unwrap_or("(no resource member)");
        let servers = metadata.list("authorization_servers").unwrap_or_default().join(", ");
        lines.push(format!("         {:<22} resource {resource}", ""));
        lines.push(format!(
            "         {:<22} authorization_servers {}",
            "",
            if servers.is_empty() { "(none)" } else { &servers }
        ));
    }
}

fn server_steps(server: &ServerFacts, lines: &mut Vec<String>) {
    let source = match server.source {
        IssuerSource::ResourceMetadata => "named by the resource metadata",
        IssuerSource::Named => "named by you",
        IssuerSource::Guessed => "guessed: the origin of the resource",
    };
    lines.push(step(server.source != IssuerSource::Guessed, "issuer", &format!("{} ({source})", server.issuer)));
    places(&server.tried, Some(&server.metadata.fetched.url), lines, "server metadata");
    for name in [
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "registration_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "jwks_uri",
    ] {
        let value = server.metadata.text(name).unwrap_or("(none)");
        lines.push(format!("         {:<22} {name} {value}", ""));
    }
    for name in ["code_challenge_methods_supported", "grant_types_supported", "scopes_supported"] {
        let value = server.metadata.list(name).map_or("(none)".to_owned(), |l| l.join(" "));
        lines.push(format!("         {:<22} {name} {value}", ""));
    }
    match &server.jwks {
        Some(Ok(fetched)) => {
            let keys = fetched.json.as_ref().and_then(|j| j.get("keys")).and_then(|k| k.as_array()).map(Vec::len);
            let what = match keys {
                Some(n) => format!("{} ({n} keys)", fetched.url),
                None => format!("{} ({}, no array of keys)", fetched.url, fetched.status),
            };
            lines.push(step(keys.is_some(), "keys", &what));
        }
        Some(Err(why)) => lines.push(step(false, "keys", why)),
        None => {}
    }
}

fn places(
    tried: &[(Place, Result<crate::discovery::Fetched, String>)],
    taken: Option<&str>,
    lines: &mut Vec<String>,
    name: &str,
) {
    for (place, result) in tried {
        let (holds, what) = match result {
            Ok(fetched) if Some(fetched.url.as_str()) == taken => (true, fetched.url.clone()),
            Ok(fetched) if fetched.is_document() => (true, format!("{} (not needed)", fetched.url)),
            Ok(fetched) => (false, format!("{} ({})", fetched.url, fetched.why_not())),
            Err(why) => (false, why.clone()),
        };
        // A place that is not needed is not broken.
        let line = match (holds, taken) {
            (false, Some(_)) => format!("- not here {name:<20} {what}"),
            _ => step(holds, name, &what),
        };
        lines.push(format!("{line}, {}", place.describe()));
    }
}

fn json(found: &Found) -> String {
    let document =
        |fetched: &crate::discovery::Fetched| serde_json::json!({ "url": fetched.url, "json": fetched.json });
    let resource = found.resource.as_ref().map(|r| {
        serde_json::json!({
            "url": r.url, "status": r.status,
            "metadata": r.metadata.as_ref().map(|(m, _)| document(&m.fetched)),
        })
    });
    let server = found.server.as_ref().ok().map(|s| {
        serde_json::json!({
            "issuer": s.issuer,
            "metadata": document(&s.metadata.fetched),
            "jwks": s.jwks.as_ref().and_then(|j| j.as_ref().ok()).map(&document),
        })
    });
    let broken = first_broken(found).map(
        |(step, b)| serde_json::json!({ "step": step, "what": b.what, "whose": b.whose.to_string(), "hint": b.hint }),
    );
    let value = serde_json::json!({ "resource": resource, "server": server, "broken": broken });
    format!("{}\n", serde_json::to_string_pretty(&value).unwrap_or_default())
}
