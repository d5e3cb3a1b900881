//! Programs and files of others that tests need: installed once, each in a folder of its own, and kept.

#![allow(dead_code, clippy::allow_attributes, reason = "every test binary uses a part of it")]

use std::fmt;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// How many of the last lines of an installation a failure shows.
const LAST_LINES: usize = 40;

/// Why something could not be had on this machine.
#[derive(Debug)]
pub(crate) struct NotRun(pub(crate) String);

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What one installation consists of, carried in the test binary.
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) files: &'static [(&'static str, &'static str)],
    /// Held while one test installs, so that the others find the result.
    pub(crate) installing: Mutex<()>,
}

/// The named files of one folder beside the file that names them.
macro_rules! package {
    ($name:literal in $folder:literal: $($file:literal),+) => {
        $crate::installed::Package {
            name: $name,
            files: &[$(($file, include_str!(concat!($folder, "/", $file)))),+],
            installing: std::sync::Mutex::new(()),
        }
    };
}
pub(crate) use package;

impl Package {
    /// The folder that holds this package and what npm installs for it, and node.
    pub(crate) fn of_npm(&self) -> Result<(PathBuf, PathBuf), NotRun> {
        let node = node().ok_or_else(|| NotRun("it needs node 20 or newer".to_owned()))?;
        let home = self.installed(&node, |folder| {
            let mut npm = Command::new("npm");
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
            run(npm.current_dir(folder))
        })?;
        Ok((home, node))
    }

    /// The folder that holds this package and the Python that has what its `requirements.txt` names.
    pub(crate) fn of_python(&self) -> Result<(PathBuf, PathBuf), NotRun> {
        let python =
            python().ok_or_else(|| NotRun("it needs Python 3.12 or newer, with its venv and ensurepip".to_owned()))?;
        let home = self.installed(&python, |folder| {
            run(Command::new(&python).args(["-m", "venv", "venv"]).current_dir(folder))?;
            // As a module: the scripts of a venv know only the folder they were made in.
            let mut pip = Command::new(folder.join("venv/bin/python"));
            pip.args(["-m", "pip", "install", "--quiet", "--no-input"]);
            pip.args(["--disable-pip-version-check", "--requirement", "requirements.txt"]);
            run(pip.current_dir(folder))
        })?;
        let python = home.join("venv/bin/python");
        Ok((home, python))
    }

    /// The folder in whose `vendor` the crates are that the `Cargo.toml` of this package names. Nothing is built.
    pub(crate) fn of_cargo(&self) -> Result<PathBuf, NotRun> {
        let cargo = PathBuf::from(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        self.installed(&cargo, |folder| run(Command::new(&cargo).args(["vendor", "--quiet"]).current_dir(folder)))
    }

    /// The folder that holds this package and all that `program` needs to run it; `install` fills
    /// it if it is not there yet.
    ///
    /// A folder under its final name is complete: it was made under another name and then renamed,
    /// which also settles a race with another process.
    fn installed(&self, program: &Path, install: impl FnOnce(&Path) -> Result<(), String>) -> Result<PathBuf, NotRun> {
        let _one_at_a_time = self.installing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = DefaultHasher::new();
        (self.files, program).hash(&mut key);
        let home = home();
        let folder = home.join(format!("{}-{:016x}", self.name, key.finish()));
        if folder.exists() {
            return Ok(folder);
        }
        let build = || -> Result<(), String> {
            fs::create_dir_all(&home).map_err(|error| error.to_string())?;
            let draft =
                tempfile::Builder::new().prefix(self.name).tempdir_in(&home).map_err(|error| error.to_string())?;
            for (name, text) in self.files {
                fs::write(draft.path().join(name), text).map_err(|error| error.to_string())?;
            }
            install(draft.path())?;
            match fs::rename(draft.path(), &folder) {
                // Another process was faster; its folder is as good.
                Err(_) if folder.exists() => Ok(()),
                renamed => renamed.map_err(|error| error.to_string()),
            }
        };
        match build() {
            Ok(()) => Ok(folder),
            Err(reason) => Err(NotRun(format!("installing {} failed: {reason}", self.name))),
        }
    }
}

/// What is there, or nothing where the machine lacks what it needs: the test is skipped then, unless
/// `OAUDIT_INTEROP=required`.
pub(crate) fn or_skip<T>(what: &str, found: Result<T, NotRun>) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(why) => {
            let required = std::env::var("OAUDIT_INTEROP").is_ok_and(|it| it == "required");
            assert!(!required, "OAUDIT_INTEROP=required, but {what} was not run: {why}");
            // The handle itself, since the test runner hides what a passing test prints.
            let _ = writeln!(std::io::stderr(), "NOT RUN: {what}: {why}");
            None
        }
    }
}

/// Where installations are kept: `OAUDIT_INTEROP_HOME`, else `interop` in the target folder.
fn home() -> PathBuf {
    match std::env::var_os("OAUDIT_INTEROP_HOME") {
        Some(home) => std::path::absolute(home).expect("OAUDIT_INTEROP_HOME is not empty"),
        // cargo hands over `target/tmp`, wherever the target folder is.
        None => Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("interop"),
    }
}

/// Node, if it is new enough. Whether npm is with it shows when it is needed.
fn node() -> Option<PathBuf> {
    let probe = "if (parseInt(process.versions.node) < 20) process.exit(1); console.log(process.execPath)";
    output(Command::new("node").args(["-e", probe])).map(PathBuf::from)
}

/// The first Python that is new enough and can make a virtual environment.
fn python() -> Option<PathBuf> {
    let named = ["python3.14", "python3.13", "python3.12", "python3"].map(PathBuf::from);
    let pyenv = std::env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".pyenv")))
        .and_then(|root| fs::read_dir(root.join("versions")).ok())
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin/python3")));
    // Its own path, since a name may stand for a wrapper that chooses by folder.
    let probe = "import sys, venv, ensurepip; assert sys.version_info >= (3, 12); print(sys.executable)";
    named
        .into_iter()
        .chain(pyenv)
        .find_map(|python| output(Command::new(python).args(["-c", probe])))
        .map(PathBuf::from)
}

/// What a command that succeeds says on stdout.
fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| said.trim().to_owned())
}

/// Runs a step of an installation; a failure is told in the step's own last words.
fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last: Vec<_> = said.lines().rev().take(LAST_LINES).collect();
    let last: Vec<_> = last.into_iter().rev().collect();
    Err(format!("{program}, {}:\n{}", output.status, last.join("\n")))
}
