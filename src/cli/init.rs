//! `oaudit init`: writes a commented configuration from what discovery finds. Sends GETs alone.

use std::borrow::Cow;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::wire::WireArgs;
use super::{Common, Complaint, Exit, output, shown};
use crate::config::FILE;
use crate::config::draft::Draft;
use crate::discovery::{Found, IssuerSource, Probing, ServerFacts, Target, discover};
use crate::document::McpVersion;
use crate::report::plain::plain;
use crate::wire::{Guard, Wire};

/// What can be said to `init`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    oaudit init https://api.example.com/mcp           writes oaudit.toml\n  \
    oaudit init https://api.example.com/mcp -         prints it")]
pub(super) struct InitArgs {
    /// URL of an API route, an MCP endpoint, or an issuer; without it, nothing is asked.
    #[arg(value_name = "TARGET")]
    target: Option<String>,
    /// The file to write; - is standard output.
    #[arg(value_name = "FILE", default_value = FILE)]
    file: PathBuf,
    /// Overwrite the file.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    wire: WireArgs,
    #[command(flatten)]
    common: Common,
}

impl InitArgs {
    pub(super) async fn run(mut self) -> Exit {
        let streams = self.common.streams();
        // `oaudit init -` names no target.
        if self.target.as_deref() == Some("-") {
            self.target = None;
            self.file = "-".into();
        }
        match self.written().await {
            Ok(Some(told)) if !streams.quiet => {
                output::prose(&told);
                Exit::OK
            }
            Ok(_) => Exit::OK,
            Err(complaint) => streams.complain(&complaint, false),
        }
    }

    /// What there is to say about the file that was written.
    async fn written(&self) -> Result<Option<String>, Complaint> {
        let printed = self.file == Path::new("-");
        if !printed && !self.force && self.file.exists() {
            return Err(Complaint::usage(
                format!("{} is there already", self.file.display()),
                "--force overwrites it; - in its place prints to standard output",
            ));
        }
        let mut draft = Draft::default();
        let wire = match &self.target {
            Some(target) => Some(self.look(target, &mut draft).await?),
            None => None,
        };
        let text = draft.text();
        // A server may repeat what --header gave it.
        let text = wire.as_ref().map_or(Cow::Borrowed(text.as_str()), |wire| wire.vault().redact(&text));
        if printed {
            output::report(&text)?;
            return Ok(None);
        }
        let mut options = std::fs::OpenOptions::new();
        let opened = match self.force {
            true => options.write(true).create(true).truncate(true).open(&self.file),
            false => options.write(true).create_new(true).open(&self.file),
        };
        opened.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
            Complaint::ours(format!("{} could not be written: {error}", self.file.display()), "check the path")
        })?;
        Ok(Some(format!("{} is written; docs/configuration.md describes every key", self.file.display())))
    }

    /// The wire is given back: it knows what must not be shown.
    async fn look(&self, url: &str, draft: &mut Draft) -> Result<Wire, Complaint> {
        shown::address(url)?;
        let target = Target::of(url);
        let mut options = self.wire.options()?;
        options.guard = target.named().fold(options.guard, Guard::naming);
        let wire = Wire::open(options).map_err(|trouble| Complaint::usage(trouble.to_string(), "see --ca"))?;
        let found = discover(&wire, &target, McpVersion::V20251125, Probing::GetOnly).await;
        let found = found.map_err(|broken| Complaint {
            error: wire.vault().redact(&broken.to_string()).into_owned(),
            hint: broken.hint.clone(),
            exit: Exit::NOT_STARTED,
        })?;
        describe(url, &found, draft);
        Ok(wire)
    }
}

fn describe(url: &str, found: &Found, draft: &mut Draft) {
    draft.set("target", url);
    let metadata =
        found.resource.as_ref().and_then(|resource| resource.metadata.as_ref()).map(|(metadata, _)| metadata);
    let of_resource = metadata.and_then(|metadata| metadata.list("scopes_supported"));
    match &found.server {
        Ok(server) => of_server(server, draft),
        Err(broken) => draft.note("issuer", format!("No authorization server was found: {}", plain(&broken.what))),
    }
    let of_server = found.server.as_ref().ok().and_then(|server| server.metadata.list("scopes_supported"));
    if let Some(scopes) = of_resource.or(of_server).filter(|scopes| !scopes.is_empty()) {
        draft.suggest("scope", &scopes.join(" "));
        draft.note("scope", "These are the scopes that are advertised.");
    }
    if found.resource.is_none() {
        draft.note("resource.url", "The target is an issuer: name the resource that it protects.");
    }
}

fn of_server(server: &ServerFacts, draft: &mut Draft) {
    draft.suggest("issuer", &server.issuer);
    draft.note(
        "issuer",
        match server.source {
            IssuerSource::ResourceMetadata => "Found: the resource metadata names it.",
            IssuerSource::Named => "Found: it is the target.",
            IssuerSource::Guessed => "Guessed: nothing names it, so the origin of the resource was taken for it.",
        },
    );
    draft.note(
        "client",
        match server.endpoint("registration_endpoint") {
            Some(_) => "This server registers clients by itself: leave it out.",
            None => "This server registers no clients: register a public one by hand, with the redirect URI below.",
        },
    );
    if let Some(endpoint) = server.endpoint("introspection_endpoint") {
        draft.note("introspection", format!("This server has the endpoint: {}", plain(endpoint)));
    }
}
