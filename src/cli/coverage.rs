//! `oaudit checks --coverage`: what the documents demand, what of it is tested, and why the rest is not.

use comfy_table::{ContentArrangement, Table, presets};

use super::{Complaint, output};
use crate::coverage::{Answer, Coverage, Sentence, all};

/// The overview, or one document sentence by sentence.
pub(super) fn text(document: &str, json: bool) -> Result<String, Complaint> {
    let chosen: Vec<&Coverage> = match document {
        "" => all().iter().collect(),
        name => vec![find(name)?],
    };
    if json {
        return Ok(format!("{}\n", serde_json::to_string_pretty(&chosen).unwrap_or_default()));
    }
    Ok(match (document, chosen.as_slice()) {
        ("", _) => overview(&chosen),
        (_, documents) => documents.iter().map(|d| sentences(d)).collect(),
    })
}

fn find(name: &str) -> Result<&'static Coverage, Complaint> {
    all().iter().find(|c| c.name == name).ok_or_else(|| {
        let near = all().iter().map(|c| (strsim::jaro_winkler(name, &c.name), c)).max_by(|a, b| a.0.total_cmp(&b.0));
        let meant = near.filter(|(likeness, _)| *likeness > 0.7);
        let meant = meant.map(|(_, c)| format!(", did you mean {}?", c.name)).unwrap_or_default();
        Complaint::usage(format!("no document is named {name}{meant}"), "`oaudit checks --coverage` lists them")
    })
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(output::width()).unwrap_or(100));
    table.set_header(header);
    table
}

fn overview(documents: &[&Coverage]) -> String {
    let mut table = table(["document", "sentences", "tested", "planned", "not tested", "title"]);
    for document in documents {
        let of = |answer| document.count(answer).to_string();
        table.add_row([
            document.name.clone(),
            document.sentences.len().to_string(),
            of(Answer::Tested),
            of(Answer::Planned),
            of(Answer::Untested),
            document.title.clone(),
        ]);
    }
    format!("{table}\n`oaudit checks --coverage DOCUMENT` shows one, sentence by sentence, with the reasons.\n")
}

fn sentences(document: &Coverage) -> String {
    let mut table = table(["section", "level", "what is demanded", "what answers it"]);
    for sentence in &document.sentences {
        table.add_row([
            sentence.section.clone(),
            sentence.level.to_string(),
            sentence.says.clone(),
            answered_by(sentence),
        ]);
    }
    format!(
        "{}: {} sentences that concern a server; {} tested, {} planned, {} not tested from outside\nread: {}\n\n{table}\n",
        document.title,
        document.sentences.len(),
        document.count(Answer::Tested),
        document.count(Answer::Planned),
        document.count(Answer::Untested),
        document.read,
    )
}

fn answered_by(sentence: &Sentence) -> String {
    let checks = sentence.checks.iter().cloned();
    let planned = sentence.planned.iter().map(|id| format!("planned: {id}"));
    let untested = sentence.untested.iter().map(|why| format!("not tested: {why}"));
    checks.chain(planned).chain(untested).collect::<Vec<_>>().join("\n")
}
