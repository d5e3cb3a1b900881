//! `oaudit schema`: the JSON Schema of a file that oaudit reads or writes, for editors and for tests.

use clap::{Args, ValueEnum};

use super::{Common, Exit, output};
use crate::{config, report, rule, waiver};

/// What can be said to `schema`.
#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// Of what: config, report, rule or baseline.
    #[arg(value_name = "KIND")]
    kind: Kind,
    #[command(flatten)]
    common: Common,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// The configuration, oaudit.toml.
    Config,
    /// The JSON report, version 1.
    Report,
    /// Look-only rules, see --checks.
    Rule,
    /// What --write-baseline writes.
    Baseline,
}

impl SchemaArgs {
    pub(super) fn run(self) -> Exit {
        let text = match self.kind {
            Kind::Config => config::schema::text(),
            Kind::Report => report::schema::text_of_it(),
            Kind::Rule => rule::schema::text(),
            Kind::Baseline => waiver::schema::text(),
        };
        output::report(&text).map_or_else(|c| self.common.streams().complain(&c, false), |()| Exit::OK)
    }
}
