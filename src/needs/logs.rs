//! The log files of the server, where the user named some.

use std::path::PathBuf;

use super::{Context, Needs, Shortfall, Stage};
use crate::oauth::request::AuthorizationRequest;

/// Log files and folders of the server.
#[derive(Debug, Clone)]
pub struct Logs(pub Vec<PathBuf>);

impl Needs for Logs {
    const STAGE: Stage = Stage::Ledger;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        match cx.audit.settings.logs.as_slice() {
            [] => Err(Shortfall::NotRun("no log files of the server were named".into(), "--logs PATH".into())),
            paths => Ok(Self(paths.to_vec())),
        }
    }
}
