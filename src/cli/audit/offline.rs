//! `oaudit audit --offline DIR`: judges saved documents, and asks nobody.

use std::path::Path;

use super::AuditArgs;
use crate::cli::layers::Given;
use crate::cli::output::{self, Streams};
use crate::cli::{Complaint, Exit, baseline};
use crate::run::Options;
use crate::run::offline::audit_saved;
use crate::saved::Saved;
use crate::waiver::Accepted;

impl AuditArgs {
    /// What has to do with requests and signing in is not looked at.
    pub(super) async fn run_offline(mut self, folder: &Path, given: &Given, streams: Streams) -> Exit {
        match self.deliver_offline(folder, given, streams).await {
            Ok(exit) => exit,
            Err(complaint) => streams.complain(&complaint, self.report.machine()),
        }
    }

    async fn deliver_offline(&mut self, folder: &Path, given: &Given, streams: Streams) -> Result<Exit, Complaint> {
        let target = self.target.perhaps(given)?;
        if let Some(remark) = given.remark().filter(|_| !streams.quiet) {
            output::prose(&remark);
        }
        let resource = target.resource.as_deref().or(target.typed.as_deref());
        let saved = Saved::read(folder, resource, target.issuer.as_deref())
            .map_err(|error| Complaint::usage(error.to_string(), error.hint()))?;
        let name = Some(baseline::name(&target)).filter(|name| !name.is_empty());
        let known = self.report.baseline.load(name.unwrap_or_else(|| folder.display().to_string()))?;
        let further = self.rules.load()?;
        let options = Options {
            profile: self.profile.profile(),
            selection: self.checks.selection(),
            accepted: Accepted { waivers: given.waivers(&further)?, baseline: known.given.clone() },
            further,
            settings: given.judging(self.judging.settings()),
            grading: self.report.grading(),
            progress: streams.progress(),
            ..Options::default()
        };
        let report = audit_saved(&saved, &target, options)
            .await
            .map_err(|error| Complaint::usage(error.to_string(), error.hint()))?;
        // A document has lines; findings are best shown there, unless another file is wanted.
        let document = saved.metadata().or(saved.documents().next()).map(|document| folder.join(&document.file));
        self.report.anchored(given, &target, document.as_deref());
        let exit = self.report.deliver(&report, streams);
        Ok(known.write_or_complain(&report, streams, self.report.machine(), exit))
    }
}
