//! One nasty sentence in every field that a target controls, in every format.

use crate::fixture::mixed;
use crate::inert::{
    a_terminal_is_not_commanded, a_workflow_is_not_commanded, html_has_the_markup_that_we_put_there,
    json_is_what_was_said, markdown_has_the_markup_that_we_put_there, said, xml_is_well_formed,
};
use oaudit::report::Report;

/// Sequences of terminals, marks of direction, and the markup of everybody who reads a report.
const NASTY: &str = "=cmd|'/C calc'!A0 \u{1b}[2J\u{1b}]0;title\u{7}\u{1b}]8;;https://evil.example\u{1b}\\x\u{9b}31m\
    \u{202e}\u{2066}\u{200f}\u{200b}\u{feff}\u{ad}\u{e0041}\r\n::set-output name=x::y\n::error::z\n##vso[task.complete]\n\
    ::stop-commands::t\n  ::add-mask::q\n</script></td><script>alert(1)</script><img src=x onerror=alert(1)>]]><!--&\"'\
    ` | [x](javascript:1) ![y](http://z) *b* _i_ # h\n| cell | cell |\n\n- item @team #1 \u{0}\u{b}\u{fffe}\u{ffff}\u{2028}\u{2029}%0A::error::w";

fn nasty() -> Report {
    said(&mixed(), NASTY)
}

#[test]
fn of_the_terminal() {
    a_terminal_is_not_commanded(&nasty());
}

#[test]
fn of_workflow_commands() {
    a_workflow_is_not_commanded(&nasty());
}

#[test]
fn of_markdown() {
    markdown_has_the_markup_that_we_put_there(&nasty());
}

#[test]
fn of_html() {
    html_has_the_markup_that_we_put_there(&nasty());
}

#[test]
fn of_junit() {
    xml_is_well_formed(&nasty());
}

#[test]
fn of_json_sarif_and_har() {
    json_is_what_was_said(&nasty());
}
