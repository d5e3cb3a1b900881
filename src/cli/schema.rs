//! `oaudit schema`: the JSON Schema of a file that oaudit reads, for editors and for tests.

use clap::{Args, ValueEnum};

use super::{Common, Exit, output};
use crate::rule;

/// What can be said to `schema`.
#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// Of what: rule.
    #[arg(value_name = "KIND")]
    kind: Kind,
    #[command(flatten)]
    common: Common,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// Look-only rules, see --checks.
    Rule,
}

impl SchemaArgs {
    pub(super) fn run(self) -> Exit {
        let text = match self.kind {
            Kind::Rule => rule::schema::text(),
        };
        output::report(&text).map_or_else(|c| self.common.streams().complain(&c, false), |()| Exit::OK)
    }
}
