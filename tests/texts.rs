//! The words of the command line, word for word: help, and what is said to mistakes. `TRYCMD=overwrite cargo test --test
//! texts` writes the files anew: read the difference before it is committed.

use std::collections::BTreeSet;
use std::path::Path;

fn cases() -> trycmd::TestCases {
    let cases = trycmd::TestCases::new();
    cases.env("COLUMNS", "80");
    cases
}

fn names(folder: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = folder.read_dir().expect("the folder is there").map(|file| file.expect("it can be read").path());
    files.filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned())).collect()
}

#[test]
fn help_is_as_it_was() {
    cases().case("tests/cmd/help/*.trycmd");
}

#[test]
fn mistakes_are_answered_as_they_were() {
    cases().case("tests/cmd/mistakes/*.trycmd");
}

#[test]
fn every_command_has_its_help_here_and_it_fits() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd/help");
    let text = |name: &str| std::fs::read_to_string(folder.join(format!("{name}.trycmd"))).expect("help of this name");
    let listed = text("oaudit");
    let listed = listed.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands = listed.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    let commands: BTreeSet<String> = commands.chain(["oaudit"]).map(str::to_owned).collect();
    assert_eq!(commands, names("tests/cmd/help"));
    for name in commands {
        let text = text(&name);
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{name} is wider than 80 columns: {wide:#?}");
    }
}
