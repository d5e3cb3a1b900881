//! What stands between this machine and the person's browser: SSH, WSL, a container. Seen, and told; nothing is done.

use std::path::Path;

/// Where we run, as far as it matters to somebody with a browser.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Over SSH; with the address of this machine as the person's machine knows it, if that is known.
    pub ssh: Option<Option<String>>,
    /// In the Windows Subsystem for Linux.
    pub wsl: bool,
    /// In a container.
    pub container: bool,
}

impl Surroundings {
    /// Looks at the environment of this process and a few files.
    pub fn detect() -> Self {
        Self::seen(|name| std::env::var(name).ok(), |path| Path::new(path).exists())
    }

    fn seen(variable: impl Fn(&str) -> Option<String>, exists: impl Fn(&str) -> bool) -> Self {
        let set = |name: &str| variable(name).filter(|v| !v.is_empty());
        // "client-address client-port server-address server-port"
        let ssh = set("SSH_CONNECTION").map(|c| c.split_whitespace().nth(2).map(str::to_owned));
        Self {
            ssh: ssh.or_else(|| set("SSH_TTY").map(|_| None)),
            wsl: set("WSL_DISTRO_NAME").is_some() || exists("/proc/sys/fs/binfmt_misc/WSLInterop"),
            container: ["/.dockerenv", "/run/.containerenv"].into_iter().any(&exists)
                || ["KUBERNETES_SERVICE_HOST", "container"].into_iter().any(|name| set(name).is_some()),
        }
    }

    /// What a person with a browser should know, where codes come back to this port of this machine.
    pub fn hints(&self, port: u16) -> Vec<String> {
        let mut hints = Vec::new();
        if let Some(address) = &self.ssh {
            let host = address.as_deref().unwrap_or("HOST");
            hints.push(format!(
                "This runs over SSH. If your browser is on the machine that you came from, run there\n    \
                 ssh -L {port}:127.0.0.1:{port} {host}\n  and leave it open: what the browser is sent to then arrives \
                 here. --callback-port {port} keeps the port for the next run."
            ));
        }
        if self.wsl {
            hints.push(format!(
                "This runs in WSL. The browser of Windows reaches 127.0.0.1:{port} here while localhostForwarding is on \
                 (it is by default); to have it opened for you, install wslview or set BROWSER."
            ));
        }
        if self.container && self.ssh.is_none() {
            hints.push(format!(
                "This runs in a container. A browser outside reaches 127.0.0.1:{port} only if the container shares the \
                 network of its host (--network host); without that, the address has to be pasted back (--agent paste)."
            ));
        }
        hints
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(variables: &[(&str, &str)], files: &[&str]) -> Surroundings {
        let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        Surroundings::seen(variable, |path| files.contains(&path))
    }

    #[test]
    fn ssh_is_told_with_the_address_that_was_come_by() {
        let ssh = seen(&[("SSH_CONNECTION", "198.51.100.7 50022 203.0.113.9 22")], &[]);
        assert_eq!(ssh.ssh, Some(Some("203.0.113.9".into())));
        assert!(ssh.hints(8765)[0].contains("ssh -L 8765:127.0.0.1:8765 203.0.113.9"));
        assert!(seen(&[("SSH_TTY", "/dev/pts/0")], &[]).hints(1)[0].contains(" HOST\n"));
    }

    #[test]
    fn wsl_and_containers_are_told_and_an_ordinary_machine_is_not() {
        assert!(seen(&[("WSL_DISTRO_NAME", "Debian")], &[]).hints(1)[0].contains("WSL"));
        assert!(seen(&[], &["/.dockerenv"]).hints(1)[0].contains("container"));
        assert!(seen(&[("KUBERNETES_SERVICE_HOST", "")], &[]).hints(1).is_empty());
        assert_eq!(seen(&[], &[]), Surroundings::default());
    }
}
