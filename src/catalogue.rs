//! The catalogue as a table in Markdown: what `oaudit checks --format markdown` prints and `checks/README.md` holds.

use crate::check::{Card, Level};
use crate::profile::{Profile, ProfileName};

/// The table of these cards under a profile, topic by topic.
pub fn markdown(cards: &[&Card], profile: &Profile) -> String {
    let mut text = String::new();
    let mut topic = "";
    for card in cards {
        if card.topic() != topic {
            topic = card.topic();
            text.push_str(&format!("\n## {topic}\n\n| check | holds when | level | impact |\n|---|---|---|---|\n"));
        }
        // A user's rule has no page beside the table.
        let name = match card.topic() {
            crate::rule::TOPIC => format!("`{}`", card.id),
            _ => format!("[`{}`]({}.md)", card.id, card.id.replace('-', "_")),
        };
        // What only OpenID Connect demands has its level under the profile that puts it in force.
        let (profile, beside) = match profile.selects(card) {
            true => (*profile, ""),
            false => (Profile { name: ProfileName::Oidc, ..*profile }, " (oidc)"),
        };
        let level = card.demands.iter().map(|d| profile.level(d)).max().unwrap_or(Level::Advice);
        let level = format!("{level:?}").to_lowercase();
        let impact = format!("{:?}", card.impact).to_lowercase();
        let line = format!("| {name} | {} | {level}{beside} | {impact} |\n", card.title());
        text.push_str(&line);
    }
    text
}

/// `checks/README.md`.
pub fn readme(cards: &[&Card], profile: &Profile) -> String {
    format!(
        "# The checks\n\n\
         One file a check, a folder a topic: `pkce/required` lives in `pkce/required.rs` with its page `pkce/required.md`. A\n\
         title states the property that should hold. The level is that of the strongest sentence in force under the default\n\
         profile, `{}`; other profiles change it (`oaudit checks --profile NAME`).\n\n\
         How every verdict is reached:\n\n\
         1. A refusal is recognised, never inferred. A time-out, a 5xx, a 429, a login page or an unrelated error code leaves a\n\
         \x20  check inconclusive.\n\
         2. Exactly one thing is changed against the ordinary flow, which has just been seen to work.\n\
         3. Not applicable (never offered), inconclusive (tried, not found out) and not run (left out) are three verdicts, and\n\
         \x20  none of them is green.\n\
         4. A failed must is FAIL, a failed should is WARN, failed advice is NOTE. Impact is a second thing: how bad it is.\n\
         5. Every verdict carries the exchanges that led to it, redacted, and a sentence to act on.\n\
         6. A table is one check: one failed line fails it, one undecided line among passes leaves it inconclusive.\n\n\
         This table is generated: `UPDATE=1 cargo test --test catalogue`.\n{}",
        profile.name.as_str(),
        markdown(cards, profile)
    )
}
