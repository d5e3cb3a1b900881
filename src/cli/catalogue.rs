//! `oaudit checks` and `oaudit explain`: the catalogue, offline.

use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};

use super::layers::ConfigArgs;
use super::rules::RulesArgs;
use super::{Common, Complaint, Exit, ProfileArgs, output};
use crate::check::Card;
use crate::plan::nearest;
use crate::profile::Profile;
use crate::report::plain::plain;

/// What can be said to `checks`.
#[derive(Debug, Args)]
pub(super) struct ChecksArgs {
    #[command(flatten)]
    profile: ProfileArgs,
    #[command(flatten)]
    rules: RulesArgs,
    /// table, json or markdown.
    #[arg(long, value_name = "F", default_value = "table", value_parser = ["table", "json", "markdown"])]
    format: String,
    /// What the documents demand and what of it is tested: all of them, or one, sentence by sentence.
    #[arg(long, value_name = "DOCUMENT", num_args = 0..=1, default_missing_value = "")]
    coverage: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    common: Common,
}

impl ChecksArgs {
    pub(super) fn run(self) -> Exit {
        let streams = self.common.streams();
        if let Some(document) = &self.coverage {
            let text = super::coverage::text(document, self.format == "json");
            return text.and_then(|t| output::report(&t)).map_or_else(|c| streams.complain(&c, false), |()| Exit::OK);
        }
        let profile = self.profile.profile();
        let streams = self.common.streams();
        let all = match self.rules.catalogue() {
            Ok(all) => all,
            Err(complaint) => return streams.complain(&complaint, self.format == "json"),
        };
        let cards: Vec<&Card> = all.iter().map(|c| c.card()).filter(|c| profile.selects(c)).collect();
        let text = match self.format.as_str() {
            "json" => json(&cards, &profile),
            "markdown" => crate::catalogue::markdown(&cards, &profile),
            _ => table(&cards, &profile),
        };
        output::report(&text).map_or_else(|c| streams.complain(&c, false), |()| Exit::OK)
    }
}

fn level(card: &Card, profile: &Profile) -> String {
    let strongest = card.demands.iter().map(|d| profile.level(d)).max();
    strongest.map(|l| format!("{l:?}").to_lowercase()).unwrap_or_default()
}

fn table(cards: &[&Card], profile: &Profile) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(output::width()).unwrap_or(100));
    table.set_header(["check", "level", "impact", "holds when"]);
    for card in cards {
        table.add_row([
            card.id.to_owned(),
            level(card, profile),
            format!("{:?}", card.impact).to_lowercase(),
            card.title().to_owned(),
        ]);
    }
    format!("{table}\n{} checks in force under the profile {}\n", cards.len(), profile.name.as_str())
}

fn json(cards: &[&Card], profile: &Profile) -> String {
    let list: Vec<serde_json::Value> = cards
        .iter()
        .map(|card| {
            let requirements: Vec<_> = card
                .demands
                .iter()
                .flat_map(|d| d.by)
                .filter(|r| profile.binds(r))
                .map(|r| {
                    serde_json::json!({
                        "document": r.document.slug(), "section": r.section, "level": r.level,
                        "url": r.document.url(r.section, profile.mcp),
                    })
                })
                .collect();
            serde_json::json!({
                "id": card.id, "title": card.title(), "topic": card.topic(), "level": level(card, profile),
                "impact": card.impact, "reach": card.reach, "remediation": card.remediation(),
                "requirements": requirements,
            })
        })
        .collect();
    format!("{}\n", serde_json::to_string_pretty(&list).unwrap_or_default())
}

/// What can be said to `explain`.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The id of a check, such as pkce/required.
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    rules: RulesArgs,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    common: Common,
}

impl ExplainArgs {
    pub(super) fn run(self) -> Exit {
        let streams = self.common.streams();
        let all = match self.rules.catalogue() {
            Ok(all) => all,
            Err(complaint) => return streams.complain(&complaint, false),
        };
        let Some(check) = all.iter().find(|c| c.card().id == self.id) else {
            let meant = nearest(&all, &self.id).map(|id| format!(", did you mean {id}?")).unwrap_or_default();
            let error = format!("no check is named {}{meant}", self.id);
            return streams.complain(&Complaint::usage(error, "`oaudit checks` lists the ids"), false);
        };
        let card = check.card();
        let waive = format!(
            "\n## How to accept a failure\n\nIn oaudit.toml; the check stays in every report, as waived:\n\n\
             ```toml\n[[waive]]\ncheck = \"{id}\"\nreason = \"…\"\nuntil = \"2027-03-01\"\n```\n\n\
             `oaudit audit TARGET --ignore {id}` leaves it out of one run.\n",
            id = card.id
        );
        // A page may be made of a stranger's rule.
        let page: String = card.page.lines().map(|line| format!("{}\n", plain(line))).collect();
        output::report(&format!("{page}{waive}")).map_or_else(|c| streams.complain(&c, false), |()| Exit::OK)
    }
}
