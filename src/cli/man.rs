//! `oaudit man`: the manual pages, made of the command line itself.

use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use super::output::Streams;
use super::{Cli, Complaint, Exit, output};

/// What can be said to `man`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    oaudit man | man -l -                             read the main page\n  \
    oaudit man --dir ~/.local/share/man/man1          install a page for each command")]
pub(super) struct ManArgs {
    /// Write a page for the program and one for each command into this folder.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl ManArgs {
    pub(super) fn run(self) -> Exit {
        let written = match &self.dir {
            Some(folder) => pages(folder),
            None => main_page().and_then(|page| output::report(&page)),
        };
        written.map_or_else(|complaint| Streams::plain().complain(&complaint, false), |()| Exit::OK)
    }
}

fn main_page() -> Result<String, Complaint> {
    let mut page = Vec::new();
    Man::new(Cli::command()).render(&mut page).map_err(|error| Complaint::ours(error.to_string(), ""))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn pages(folder: &Path) -> Result<(), Complaint> {
    let made = std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
    made.map_err(|error| {
        let error = format!("the pages could not be written to {}: {error}", folder.display());
        Complaint::ours(error, "check the path of --dir")
    })
}
