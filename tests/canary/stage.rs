//! The binary as a user runs it, with a secret wherever one may be given, in front of a lab that tells what it issued.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::CommandCargoExt;
use oaudit::lab::LabOptions;

use crate::between::{Act, Asked, Between};
use crate::looking::Looker;
use crate::ran::{code, stderr, stdout};

/// Secrets that a user gives, each by the variable that holds it. The lab knows the first three.
pub(crate) const GIVEN: [(&str, &str); 9] = [
    ("OAUDIT_PASSWORD", "wonderland"),
    ("OAUDIT_PASSWORD_B", "looking-glass"),
    ("OAUDIT_CONFIDENTIAL_SECRET", "lab-confidential-secret-0123456789"),
    ("OAUDIT_INTROSPECTION_SECRET", "lab-confidential-secret-0123456789"),
    ("OAUDIT_CLIENT_SECRET", "Cl13nt+secret/of=the&mine-9%\"x"),
    ("OAUDIT_ACCESS_TOKEN", "4cc3ss-t0ken-that-was-supplied-0123456789"),
    ("OAUDIT_REFRESH_TOKEN", "r3fresh-t0ken-that-was-supplied-0123456789"),
    ("OAUDIT_TOTP_SECRET", "JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ"),
    ("UNRELATED_KEY", "n0body-asked-for-this-variable-7781"),
];

/// The value of `--header`, which this lab repeats in every answer.
pub(crate) const HEADER: &str = "h3ader+value/of=the%mine-5512";
/// The password of the proxy.
pub(crate) const PROXY: &str = "pr0xy-passw0rd-of-the-mine-8843";
/// A password that is wrong, with everything in it that is written otherwise somewhere.
pub(crate) const WRONG: &str = "Wr0ng+pass/word=of&the\"mine%<x>";

/// What stands in secrets of the lab and is none.
pub(crate) const INNOCENT: [&str; 3] = ["lab-confidential:", "--confidential-secret-env", "oaudit-no-such-client-"];

pub(crate) struct Stage {
    between: Option<Between>,
    runtime: tokio::runtime::Runtime,
    /// Home, and the folder that the binary is started in.
    pub(crate) home: tempfile::TempDir,
}

impl Stage {
    /// A lab that repeats in its headers what it was sent.
    pub(crate) fn new(options: LabOptions) -> Self {
        let encoded: String = url::form_urlencoded::byte_serialize(HEADER.as_bytes()).collect();
        let lines = format!("x-seen-key: {HEADER}\r\nx-seen-form: k={encoded}\r\nx-seen-proxy: {PROXY}\r\n");
        Self::acting(options, move |_| Act::Add(lines.clone()))
    }

    pub(crate) fn acting(options: LabOptions, act: impl Fn(&Asked) -> Act + Send + Sync + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let between = runtime.block_on(Between::start(options, act));
        Self { between: Some(between), runtime, home: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn between(&self) -> &Between {
        self.between.as_ref().unwrap()
    }

    pub(crate) fn mcp(&self) -> String {
        self.between().mcp()
    }

    /// The proxy, with its password: the same that stands in front of the lab.
    pub(crate) fn proxy(&self) -> String {
        self.between().origin.replace("http://", &format!("http://canary:{PROXY}@"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// The binary under a umask that forbids nothing, with every secret in its environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let binary = Command::cargo_bin("oaudit").unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "umask 000; exec \"$0\" \"$@\""]).arg(binary.get_program()).args(arguments);
        command.env_clear().env("HOME", self.home.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(GIVEN).env("HTTPS_PROXY", format!("http://canary:{PROXY}@127.0.0.1:9"));
        command.current_dir(self.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What was given, and what the lab issued by now.
    pub(crate) fn looker(&self) -> Looker {
        let mut looker = Looker::sparing(&INNOCENT);
        GIVEN.iter().for_each(|(name, value)| looker.add(name, value));
        for (name, value) in [("--header", HEADER), ("the proxy's password", PROXY), ("a wrong password", WRONG)] {
            looker.add(name, value);
        }
        for secret in self.between().lab.issued_secrets() {
            looker.add("what the lab issued", &secret);
        }
        for assertion in self.sent("client_assertion") {
            looker.add("an assertion of the client", &assertion);
        }
        looker
    }

    /// The values of a parameter in the forms that were sent.
    pub(crate) fn sent(&self, name: &str) -> Vec<String> {
        let heard = self.between().heard.lock().unwrap();
        let bodies = heard.iter().filter_map(|request| {
            let head = request.windows(4).position(|four| four == b"\r\n\r\n")?;
            Some(&request[head + 4..])
        });
        let values = bodies.flat_map(|body| url::form_urlencoded::parse(body).into_owned().collect::<Vec<_>>());
        values.filter(|(n, _)| n == name).map(|(_, value)| value).collect()
    }

    /// Runs a command, and looks at both of its streams. They are given back with the exit code.
    pub(crate) fn clean(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        self.looked_at(&format!("{arguments:?}"), &output)
    }

    pub(crate) fn looked_at(&self, what: &str, output: &Output) -> (i32, String) {
        let looker = self.looker();
        looker.assert_clean(&format!("stdout of {what}"), &output.stdout);
        looker.assert_clean(&format!("stderr of {what}"), &output.stderr);
        (code(output), format!("{}{}", stdout(output), stderr(output)))
    }

    /// Every file under a folder of home.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        walk(self.home.path(), &mut found);
        found
    }

    /// Looks at every file but these.
    pub(crate) fn files_are_clean_but(&self, with_secrets: &[&str]) {
        let looker = self.looker();
        for file in self.files() {
            let name = file.strip_prefix(self.home.path()).unwrap().display().to_string();
            if !with_secrets.contains(&name.as_str()) {
                looker.assert_clean(&name, std::fs::read(&file).unwrap());
            }
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(between) = self.between.take() {
            let _inside = self.runtime.enter();
            drop(between);
        }
    }
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => walk(&entry.path(), found),
            false => found.push(entry.path()),
        }
    }
}

/// The permissions of a file.
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
