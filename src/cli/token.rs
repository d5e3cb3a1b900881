//! `oaudit token`: one access token against the six points. The token is read and never shown; its claims are.

use std::io::{IsTerminal, Read};
use std::path::Path;

use clap::Args;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::layers::{ConfigArgs, Given, missing, variable};
use super::{Common, Complaint, Exit, output, shown};
use crate::discovery::{Probing, ServerFacts, Target, discover};
use crate::document::McpVersion;
use crate::inspect::{Inspection, Measure, Supply, inspect, tidy};
use crate::oauth::introspection::{Introspected, Introspection};
use crate::oauth::scope::ScopeSet;
use crate::oauth::secret::Secret;
use crate::registration::Configured;
use crate::report::plain::plain;
use crate::wire::{Guard, Request, Wire, WireOptions};

/// What can be said to `token`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    pbpaste | oaudit token --issuer https://as.example.com --audience https://api.example.com/mcp\n  \
    OAUDIT_ACCESS_TOKEN=… oaudit token --jwks jwks.json --format json\n\n\
    Exit codes: 0 all six points hold · 1 one fails · 2 usage · 3 one could not be found out · 4 the network")]
pub(super) struct TokenArgs {
    /// The token, or - for standard input. Better left out: other users of this machine can read command lines.
    #[arg(value_name = "JWT", hide_possible_values = true)]
    token: Option<String>,
    /// The issuer that the token must name; its keys are found through its metadata.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The keys: a file, or an address.
    #[arg(long, value_name = "FILE|URL")]
    jwks: Option<String>,
    /// The audience that the token must name: the identifier of your resource.
    #[arg(long, value_name = "URL")]
    audience: Option<String>,
    /// The scopes that the token must have.
    #[arg(id = "due_scope", long = "scope", value_name = "\"A B\"")]
    scope: Option<String>,
    /// The client that may ask the introspection endpoint of --issuer.
    #[arg(long, value_name = "ID")]
    introspection_id: Option<String>,
    /// The variable that holds its secret.
    #[arg(long, value_name = "VAR", default_value = "OAUDIT_INTROSPECTION_SECRET")]
    introspection_secret_env: String,
    /// Let the issuer lead to this host, although its address is not public. Repeatable.
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,
    /// terminal or json.
    #[arg(long, value_name = "F", default_value = "terminal", value_parser = ["terminal", "json"])]
    format: String,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    common: Common,
}

const VARIABLE: &str = "OAUDIT_ACCESS_TOKEN";

impl TokenArgs {
    pub(super) async fn run(self, given: &Given) -> Exit {
        let streams = self.common.streams();
        let machine = self.format == "json";
        match self.inspected(given).await {
            Err(complaint) => streams.complain(&complaint, machine),
            Ok((inspection, trouble, wire)) => {
                let exit = match &trouble {
                    Some(complaint) => complaint.exit,
                    None => Exit(inspection.exit_code()),
                };
                let text = match machine {
                    true => {
                        let json = inspection.json(exit.0);
                        format!("{}\n", serde_json::to_string_pretty(&json).unwrap_or_default())
                    }
                    false => terminal(&inspection),
                };
                // An introspection endpoint may repeat the token, or the secret of whoever asked.
                if let Err(complaint) = output::report(&wire.vault().redact(&text)) {
                    return streams.complain(&complaint, machine);
                }
                trouble.map_or(exit, |complaint| streams.complain(&complaint, machine))
            }
        }
    }

    /// The inspection; what went wrong on the network, if anything; and the wire, which knows what must not be shown.
    async fn inspected(&self, given: &Given) -> Result<(Inspection, Option<Complaint>, Wire), Complaint> {
        let token = self.token()?;
        let jwks = self.jwks.as_deref().filter(|place| is_address(place));
        self.issuer
            .as_deref()
            .filter(|issuer| is_address(issuer))
            .into_iter()
            .chain(jwks)
            .try_for_each(shown::address)?;
        let guard = [&self.issuer, &self.jwks].into_iter().flatten().fold(Guard::default(), |g, url| g.naming(url));
        let guard = self.allow_host.iter().fold(guard, |guard, host| guard.allowing(host));
        let wire = Wire::open(WireOptions { guard, ..WireOptions::default() })
            .map_err(|trouble| Complaint::ours(trouble.to_string(), ""))?;
        wire.vault().learn("access_token", token.expose());
        let mut trouble = None;
        let server = match &self.issuer {
            Some(issuer) => match server(&wire, issuer).await {
                Ok(server) => Some(server),
                Err(complaint) if complaint.exit == Exit::USAGE => return Err(complaint),
                Err(complaint) => {
                    trouble = Some(complaint);
                    None
                }
            },
            None => None,
        };
        let keys = match &self.jwks {
            Some(place) if is_address(place) => fetched_keys(&wire, place).await.unwrap_or_else(|complaint| {
                let failed = Supply::Failed(complaint.error.clone());
                trouble.get_or_insert(complaint);
                failed
            }),
            Some(file) => Supply::Here(read_keys(Path::new(file))?),
            None => keys_of(server.as_ref(), self.issuer.as_deref(), &mut trouble),
        };
        let introspected = self.introspected(given, &wire, server.as_ref(), &token, &mut trouble).await?;
        let measure = Measure {
            now: OffsetDateTime::now_utc().unix_timestamp(),
            issuer: self.issuer.clone(),
            audience: self.audience.clone(),
            scope: self.scope.as_deref().map(ScopeSet::parse),
            keys,
            introspected,
        };
        Ok((inspect(token.expose(), &measure), trouble, wire))
    }

    fn token(&self) -> Result<Secret, Complaint> {
        let none =
            || Complaint::usage("there is no token", format!("pipe it into oaudit token, or put it into {VARIABLE}"));
        let from_variable = std::env::var(VARIABLE).ok().filter(|v| !v.trim().is_empty());
        let text = match (self.token.as_deref(), from_variable) {
            (Some(text), _) if text != "-" => text.to_owned(),
            (None, Some(text)) => text,
            (None, None) if std::io::stdin().is_terminal() => return Err(none()),
            _ => {
                let mut text = String::new();
                // Far more than any token, far less than would hurt.
                let read = std::io::stdin().lock().take(1 << 20).read_to_string(&mut text);
                read.map_err(|error| Complaint::usage(format!("standard input could not be read: {error}"), ""))?;
                text
            }
        };
        let token = tidy(&text);
        if token.is_empty() { Err(none()) } else { Ok(Secret::new(token)) }
    }

    async fn introspected(
        &self,
        given: &Given,
        wire: &Wire,
        server: Option<&ServerFacts>,
        token: &Secret,
        trouble: &mut Option<Complaint>,
    ) -> Result<Supply<Introspected>, Complaint> {
        let Some(id) = &self.introspection_id else {
            return Ok(Supply::NotNamed("--issuer URL --introspection-id ID".into()));
        };
        // What the file says was said for audits; it is no reason to look at no token without a network.
        let configured =
            given.argument("introspection.id", "introspection_id").is_some_and(|(_, origin)| origin.is_file());
        if self.issuer.is_none() {
            return match configured {
                true => Ok(Supply::NotNamed("--issuer URL".into())),
                false => Err(Complaint::usage("--introspection-id asks the endpoint of an issuer", "add --issuer URL")),
            };
        }
        let name = &self.introspection_secret_env;
        let Some(secret) = variable(name) else {
            return match configured {
                true => Ok(Supply::NotNamed(format!("{name} in the environment"))),
                false => Err(missing(name, "--introspection-secret-env")),
            };
        };
        wire.vault().learn("client_secret", secret.expose());
        let Some(server) = server else { return Ok(Supply::Failed("the issuer's metadata could not be had".into())) };
        let Some(endpoint) = server.endpoint("introspection_endpoint") else {
            return Ok(Supply::Failed("the issuer announces no introspection_endpoint".into()));
        };
        let post_only = !server.metadata.lists("introspection_endpoint_auth_methods_supported", "client_secret_basic")
            && server.metadata.lists("introspection_endpoint_auth_methods_supported", "client_secret_post");
        let auth = post_only.then_some(crate::oauth::client::ClientAuth::Post);
        let configured = Configured { id: id.clone(), secret: Some(secret), auth };
        let introspection =
            Introspection { endpoint: endpoint.to_owned(), client: std::sync::Arc::new(configured.client("")) };
        Ok(match introspection.ask(wire, token.expose()).await {
            Ok(answer) => Supply::Here(answer),
            Err(failed) => {
                trouble.get_or_insert(network(failed.to_string()));
                Supply::Failed(failed.to_string())
            }
        })
    }
}

fn network(error: String) -> Complaint {
    Complaint { error, hint: "the other points were judged without it".into(), exit: Exit::NOT_STARTED }
}

fn is_address(place: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| place.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)))
}

async fn server(wire: &Wire, issuer: &str) -> Result<ServerFacts, Complaint> {
    if !is_address(issuer) {
        let error = format!("{issuer} is no issuer: it is not an http or https address");
        return Err(Complaint::usage(error, "an issuer looks like https://as.example.com"));
    }
    let target = Target { typed: None, issuer: Some(issuer.to_owned()), resource: None, call: None };
    let broken = match discover(wire, &target, McpVersion::V20251125, Probing::GetOnly).await {
        Ok(found) => match found.server {
            Ok(server) => return Ok(server),
            Err(broken) => broken,
        },
        Err(broken) => broken,
    };
    Err(Complaint { error: broken.what, hint: broken.hint, exit: Exit::NOT_STARTED })
}

/// The keys that the issuer publishes, if the metadata is its own (RFC 8414 section 3.3).
fn keys_of(server: Option<&ServerFacts>, issuer: Option<&str>, trouble: &mut Option<Complaint>) -> Supply<Value> {
    let (Some(server), Some(issuer)) = (server, issuer) else {
        return match issuer {
            Some(_) => Supply::Failed("the issuer's metadata could not be had".into()),
            None => Supply::NotNamed("--issuer URL or --jwks FILE".into()),
        };
    };
    match server.metadata.text("issuer") {
        Some(own) if own == issuer => {}
        Some(other) => {
            return Supply::Failed(format!("the metadata calls itself {other}: its keys are not {issuer}'s"));
        }
        None => return Supply::Failed("the metadata names no issuer: its keys could be anybody's".into()),
    }
    match &server.jwks {
        None => Supply::Failed("the issuer announces no jwks_uri".into()),
        Some(Err(why)) => {
            trouble.get_or_insert(network(why.clone()));
            Supply::Failed(why.clone())
        }
        Some(Ok(keys)) => match &keys.json {
            Some(json) if keys.status == 200 && json.get("keys").is_some_and(Value::is_array) => {
                Supply::Here(json.clone())
            }
            _ => Supply::Failed(format!("{} has no key set ({})", keys.url, keys.status)),
        },
    }
}

async fn fetched_keys(wire: &Wire, url: &str) -> Result<Supply<Value>, Complaint> {
    let reply = wire.send(Request::get(url)).await.map_err(|trouble| network(trouble.to_string()))?;
    match reply.json().filter(|_| reply.status == 200).and_then(key_set) {
        Some(keys) => Ok(Supply::Here(keys)),
        None => Err(network(format!("{url} has no key set ({})", reply.status))),
    }
}

fn read_keys(file: &Path) -> Result<Value, Complaint> {
    let hint = "--jwks takes a file with a JSON Web Key Set, or its address";
    let text = std::fs::read_to_string(file)
        .map_err(|error| Complaint::usage(format!("{} could not be read: {error}", file.display()), hint))?;
    serde_json::from_str(&text)
        .ok()
        .and_then(key_set)
        .ok_or_else(|| Complaint::usage(format!("{} holds no JSON Web Key Set", file.display()), hint))
}

/// A key set, or a key that is alone.
fn key_set(json: Value) -> Option<Value> {
    if json.get("keys").is_some_and(Value::is_array) {
        return Some(json);
    }
    json.get("kty").is_some().then(|| json!({ "keys": [json] }))
}

fn terminal(inspection: &Inspection) -> String {
    let mut lines = vec![format!("The token is {}.", inspection.kind.describe())];
    let parts =
        [("header", &inspection.header), ("claims", &inspection.claims), ("introspection", &inspection.introspection)];
    for (name, part) in parts {
        let Some(Value::Object(members)) = part else { continue };
        lines.push(String::new());
        lines.push(match name {
            "header" => "header".to_owned(),
            _ => format!("{name} (they may tell who somebody is: look before you pass them on)"),
        });
        lines.extend(
            members.iter().map(|(name, value)| format!("  {name:<14} {}{}", shown(value), as_date(name, value))),
        );
    }
    lines.push(String::new());
    for point in &inspection.points {
        let word = match point.verdict() {
            "pass" => "✓ pass",
            "fail" => "✗ FAIL",
            _ => "? cannot say",
        };
        lines.push(format!("{word:<13} {:<11} {}", point.name, point.why()));
    }
    lines.iter().map(|line| format!("{}\n", plain(line))).collect()
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Seconds since 1970 as people read them.
fn as_date(name: &str, value: &Value) -> String {
    let at = value.as_i64().filter(|_| ["exp", "iat", "nbf", "auth_time", "updated_at"].contains(&name));
    let date = at.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok()).and_then(|at| at.format(&Rfc3339).ok());
    date.map(|date| format!(" ({date})")).unwrap_or_default()
}
