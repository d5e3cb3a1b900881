//! Tells what a run would do. Discovery by GETs, and nothing else.

use std::sync::Arc;

use super::{Options, Stopped, ordinary, stop, supplied};
use crate::discovery::{Discovery, Probing, Target, discover};
use crate::needs::Ordinary;
use crate::oauth::client::{Client, ClientAuth, Origin};
use crate::plan::outline::{Outline, Situation, outline};
use crate::plan::{Plan, SelectionError};
use crate::registration::Configured;
use crate::wire::Wire;

/// The outline of the run that `audit` would make with these options; or what would stop it.
///
/// # Errors
/// A selection that names no check.
pub async fn foresee(target: &Target, mut options: Options) -> Result<Result<Outline, Stopped>, SelectionError> {
    let mut plan = Plan::new(&options.catalogue(), &options.profile, &options.selection)?;
    for url in target.named() {
        options.wire.guard = options.wire.guard.naming(url);
    }
    let wire = match Wire::open(options.wire.clone()) {
        Ok(wire) => wire,
        Err(trouble) => return Ok(Err(Stopped { error: trouble.to_string(), hint: "see --ca and --insecure".into() })),
    };
    let found = match discover(&wire, target, options.profile.mcp, Probing::GetOnly).await {
        Ok(found) => found,
        Err(broken) => return Ok(Err(stop(&broken))),
    };
    let server = match found.server {
        Ok(server) => server,
        Err(broken) => return Ok(Err(stop(&broken))),
    };
    let discovery = Discovery { resource: found.resource, server };
    if let Some(stopped) = too_few_prompts(&options) {
        return Ok(Err(stopped));
    }
    let (scope, known_scopes) = ordinary::scopes(&discovery, options.scope.as_ref());
    let registers = discovery.server.endpoint("registration_endpoint").is_some();
    let ordinary = Ordinary {
        endpoint: discovery.server.endpoint("authorization_endpoint").unwrap_or_default().to_owned(),
        client: Arc::new(client(&options)),
        scope,
        known_scopes,
        resource: ordinary::resource_indicator(&discovery),
        further: Vec::new(),
    };
    let (agent, asks) = options.sign_in.expected();
    if let Some(tokens) = options.sign_in.tokens.as_ref().filter(|_| options.sign_in.is_supplied()) {
        let (access, refresh) = (tokens.access.is_some(), tokens.refresh.is_some());
        plan.leave_out(|check| supplied::left_out(check, access, refresh, options.client.is_some()));
    }
    plan.fit(options.max_prompts, asks, &ordinary);
    let dynamic = options.client.is_none() && options.client_metadata_url.is_none();
    let mut told = outline(
        &plan,
        &Situation {
            discovery: &discovery,
            ordinary: &ordinary,
            settings: &options.settings,
            asks,
            most_prompts: options.max_prompts,
            agent,
            other_client: options.other_client.is_some() || (dynamic && registers),
            confidential_client: options.confidential_client.is_some() || registers,
            other_user: options.other_user.is_some(),
            timeout: options.wire.limits.time,
        },
    );
    if options.sign_in.is_supplied() {
        told.authorizations = 0;
    }
    Ok(Ok(told))
}

/// What stops a run in which the person may be asked less often than it takes to begin.
pub(super) fn too_few_prompts(options: &Options) -> Option<Stopped> {
    let (agent, asks) = options.sign_in.expected();
    let (most, takes) = (options.max_prompts?, asks.to_begin_with());
    let times = if takes == 1 { "once".to_owned() } else { format!("{takes} times") };
    (most < takes).then(|| Stopped {
        error: format!(
            "the agent {agent} asks {times} before there is anything to check, and --max-prompts allows {most}"
        ),
        hint: format!("allow --max-prompts {takes} or more; or an agent that asks nobody, see --agent and --username"),
    })
}

/// The client as it will be, as far as that can be known.
fn client(options: &Options) -> Client {
    let configured = |c: &Configured| c.client(options.redirect_uri.as_deref().unwrap_or_default());
    let document = |url: &String| Client {
        origin: Origin::Document,
        ..configured(&Configured { id: url.clone(), secret: None, auth: Some(ClientAuth::None) })
    };
    match (&options.client, &options.client_metadata_url) {
        (Some(client), _) => configured(client),
        (None, Some(url)) => document(url),
        (None, None) => Client {
            origin: Origin::Dynamic(None),
            https_redirect_uri: Some("https://client.test/cb".into()),
            ..configured(&Configured { id: "(registered)".into(), secret: None, auth: Some(ClientAuth::None) })
        },
    }
}
