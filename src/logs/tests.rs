//! Planted secrets are found in every form and at every border; what is in ordinary logs is not.

use std::io::{Read, Write};
use std::path::Path;

use super::window::{self, AHEAD};
use super::*;
use crate::oauth::secret::Secret;
use crate::wire::Vault;

const JWT: &str =
    "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6MX0.c2lnbmF0dXJlLXNpZ25hdHVyZS1zaWc";
const OPAQUE: &str = "q7Zx0Pz-3nT_8vYw1LkR5sJ2";

fn own(kind: &str, value: &str) -> Wanted {
    let secret = KnownSecret { kind: kind.into(), label: format!("{{{kind} 1}}"), value: Secret::new(value) };
    Wanted { secrets: vec![secret], ..Wanted::default() }
}

/// Kind and line of everything in a text, `own ` before the kind of a secret of the run.
fn found_with(wanted: &Wanted, text: impl Read) -> Vec<(String, u64)> {
    let searcher = Searcher::new(wanted);
    let mut found = Vec::new();
    let (_, error) = window::scan(text, &searcher, |hit| {
        let (kind, label, _) = searcher.describe(hit.what);
        let own = if label.is_some() { "own " } else { "" };
        found.push((format!("{own}{kind}"), hit.line));
    });
    assert!(error.is_none());
    found
}

fn kinds(text: &str) -> Vec<String> {
    found_with(&Wanted::default(), text.as_bytes()).into_iter().map(|(kind, _)| kind).collect()
}

#[test]
fn shapes_are_told_by_their_kind() {
    for (text, kind) in [
        (format!("got {JWT} from"), "jwt"),
        (format!("s%3A{JWT}"), "jwt"),
        (format!("Authorization: Bearer {OPAQUE}"), "bearer token"),
        (format!("authorization\":\"bearer {OPAQUE}\""), "bearer token"),
        ("authorization: Basic YWxhZGRpbjpvcGVuc2VzYW1l".into(), "basic credentials"),
        (format!("POST /t?access_token={OPAQUE}&x"), "access_token parameter"),
        (format!("x-access-token: {OPAQUE}"), "access_token parameter"),
        (format!(r#"{{"refreshToken": "{OPAQUE}"}}"#), "refresh_token parameter"),
        (format!(r#"{{\"client_secret\":\"{OPAQUE}\"}}"#), "client_secret parameter"),
        (format!("u=%2Fcb%3Fx%3D1%26code_verifier%3D{OPAQUE}"), "code_verifier parameter"),
        (format!("a\\u0026id_token={OPAQUE}"), "id_token parameter"),
        (format!("'device_code' => '{OPAQUE}'"), "device_code parameter"),
        (format!("/cb?code={OPAQUE}&state=x"), "code parameter"),
        (format!("body {{ code: '{OPAQUE}' }}"), "code parameter"),
        ("code=4%2F0AX4XfWhRqLrq3Xx7y0s-9Zk".into(), "code parameter"),
        (format!("token={OPAQUE}&token_type_hint=access_token"), "token parameter"),
        ("gho_16C7e42F292c6912E7710c838347Ae178B4a".into(), "GitHub token"),
        ("key sk-proj-4fT9s8Qw2LmN7xYz1AbC3dEf".into(), "secret API key"),
        ("ya29.a0AfH6SMBx9Qw2LmN7xYz1AbC3dEf5GhJkLm".into(), "Google access token"),
        ("xoxb-123456789012-abcDEF123456".into(), "Slack token"),
    ] {
        // The strict reading of a name asks for a quoted name where the value is quoted.
        let meant = if text.starts_with("body") { vec![] } else { vec![kind.to_owned()] };
        assert_eq!(kinds(&text), meant, "{text}");
    }
}

#[test]
fn what_stands_in_ordinary_logs_is_no_token() {
    for text in [
        r#"WWW-Authenticate: Bearer resource_metadata="https://api.example/.well-known/x1y2z3w4", error="invalid_token""#,
        "Bearer realm=\"a1b2c3d4e5f6g7h8\"",
        "bearer_methods_supported and Bearer authentication-required",
        "Authorization: Bearer [REDACTED] Bearer **************** Bearer XXXXXXXXXXXXXXXXXXXXXX",
        "status code=200 exit code=137 error_code=9f86d081884c7d659a2f zip-code=9f86d081884c7d659a2f",
        "code=ERR_MODULE_NOT_FOUND \"code\": \"auth/invalid-credential-v2\" code: 9f86d081884c7d659a2feaa0",
        "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
        "grant_type=authorization_code&code=[redacted]&client_secret=********&access_token={access_token 1}",
        "access_token=undefined refresh_token: null id_token=<hidden> client_secret=changeme-in-production",
        "csrf_token=q7Zx0Pz-3nT_8vYw1LkR5sJ2 nextPageToken: q7Zx0Pz-3nT_8vYw1LkR5sJ2",
        "run the task-4fT9s8Qw2LmN7xYz1AbC3dEf and desk-reservation-and-booking-service",
        "eyJhbGciOiJFUzI1NiJ9 alone, eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.[redacted], eyJub3QiOiJqd3QifQ.abc.c2lnbmF0dXJlLXNpZ25hdHVyZQ",
        "request 3f2b8c1e-7a4d-4c9b-8e21-5d6f7a8b9c0d took 12 ms, sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c",
        "token=\"expired-or-revoked-by-user\" token type Bearer, basic authentication failed, basic: YWJj",
    ] {
        assert_eq!(kinds(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn own_secrets_are_found_in_every_form_and_before_their_shape() {
    let value = "aB3+x/9Zk=Qw7\"Lm";
    let wanted = own("code", value);
    for secret in &wanted.secrets {
        for form in secret.forms().iter().filter(|f| f.len() >= 8) {
            let text = format!("x?code={form}&y");
            assert_eq!(found_with(&wanted, text.as_bytes()), [("own code".to_owned(), 1)], "{form}");
        }
    }
    let text = format!("Authorization: Bearer {JWT}\n{{\"access_token\":\"{JWT}\"}}");
    let meant = [("own access_token".to_owned(), 1), ("own access_token".to_owned(), 2)];
    assert_eq!(found_with(&own("access_token", JWT), text.as_bytes()), meant);
}

#[test]
fn words_as_passwords_count_where_they_are_called_passwords() {
    let wanted = own("password", "wonderland");
    assert_eq!(found_with(&wanted, &b"alice in wonderland"[..]), []);
    assert_eq!(found_with(&wanted, &b"user=alice&password=wonderland"[..]).len(), 1);
    assert_eq!(found_with(&own("otp", "123456"), &b"at 1234567"[..]), []);
    assert_eq!(found_with(&own("cookie", "dark-mode-v2"), &b"theme dark-mode-v2"[..]), []);
    assert_eq!(found_with(&own("code", "a1b2c3d4"), &b"xa1b2c3d4 a1b2c3d4"[..]).len(), 1);
}

proptest::proptest! {
    #[test]
    fn nothing_makes_it_panic(parts in proptest::collection::vec(0_usize..24, 0..12), end in 0_usize..400) {
        let pieces = [
            "eyJ", "eyJhbGciOiJub25lIn0", ".", "Bearer ", "bearer%20", "Basic ", "access_token", "code", "=", ":", "\"", "\\\"",
            "%22", "%", "%2", "\\u0026", "[", " => ", "'", OPAQUE, JWT, "sk-", "\n", "é",
        ];
        let text: String = parts.iter().map(|p| pieces[*p]).collect();
        let text = &text.as_bytes()[..end.min(text.len())];
        let _ = found_with(&own("code", OPAQUE), text);
    }
}

/// Gives a few bytes at a time.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = self.1.min(out.len()).min(self.0.len());
        out[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

#[test]
fn nothing_is_missed_at_the_border_of_two_reads_and_no_line_is_too_long() {
    let wanted = own("access_token", JWT);
    let step = 1 << 20;
    for border in [step, step + window::BEHIND, step + window::BEHIND + AHEAD] {
        for back in [0, 5, 14, JWT.len()] {
            let mut text = vec![b'a'; 2 * step];
            text[10] = b'\n';
            let planted = format!(" access_token={JWT}&");
            text[border - back..border - back + planted.len()].copy_from_slice(planted.as_bytes());
            assert_eq!(found_with(&wanted, &text[..]), [("own access_token".to_owned(), 2)], "{border} {back}");
            let found: Vec<_> = found_with(&Wanted::default(), &text[..]);
            assert_eq!(found, [("jwt".to_owned(), 2)], "{border} {back}");
        }
    }
    let lines = format!("{}token {JWT}\r\n", "x\r\n".repeat(1000));
    assert_eq!(found_with(&wanted, Slow(lines.as_bytes(), 7)), [("own access_token".to_owned(), 1001)]);
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_tree_is_read_once_as_text_whatever_its_form() {
    let folder = tempfile::tempdir().unwrap();
    let line = format!("access_token={OPAQUE}\r\n");
    write(folder.path(), "a/plain.log", format!("one\r\n{line}").as_bytes());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(line.as_bytes()).unwrap();
    write(folder.path(), "a/old.log.1.gz", &gzip.finish().unwrap());
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(line.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    write(folder.path(), "b/wide.log", &wide);
    let wide: Vec<u8> = [0xfe, 0xff].into_iter().chain(line.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    write(folder.path(), "b/wide-be.log", &wide);
    let binary = write(folder.path(), "b/core", &[b"\x7fELF\0\0".as_slice(), line.as_bytes()].concat());
    let scan_of = |paths: &[PathBuf]| scan(paths, &Wanted::default());
    let all = scan_of(&[folder.path().to_owned(), folder.path().join("a")]);
    let found: Vec<_> = all.findings.iter().map(|f| (f.path.rsplit('/').next().unwrap(), f.line)).collect();
    assert_eq!(found, [("old.log.1.gz", 1), ("plain.log", 2), ("wide-be.log", 1), ("wide.log", 1)]);
    assert_eq!(all.files.iter().map(|f| f.form.concat()).collect::<String>(), "gziputf-16utf-16");
    assert_eq!(all.skipped.len(), 1);
    assert!(all.found() && all.unreadable.is_empty());
    assert!(scan_of(&[binary]).found(), "a file that is named is read whatever it is");
    assert_eq!(scan_of(&[folder.path().join("none")]).unreadable.len(), 1);
    write(folder.path(), "c/broken.gz", &[0x1f, 0x8b, 8, 0, 1, 2, 3]);
    assert_eq!(scan_of(&[folder.path().join("c")]).unreadable.len(), 1);
}

#[cfg(unix)]
#[test]
fn links_that_lead_in_circles_or_nowhere_come_to_an_end() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "app-1.log", format!("access_token={OPAQUE}").as_bytes());
    symlink("app-1.log", folder.path().join("current.log")).unwrap();
    symlink(folder.path(), folder.path().join("self")).unwrap();
    symlink("loop-b", folder.path().join("loop-a")).unwrap();
    symlink("loop-a", folder.path().join("loop-b")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    let scan = scan(&[folder.path().to_owned()], &Wanted::default());
    assert_eq!((scan.findings.len(), scan.files.len(), scan.skipped.len()), (1, 1, 3), "{scan:?}");
    assert!(scan.unreadable.is_empty());
}

#[test]
fn a_file_full_of_tokens_is_counted_and_not_listed() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "full.log", format!("access_token={OPAQUE}\n").repeat(1000).as_bytes());
    let scan = scan(&[path], &Wanted::default());
    assert_eq!((scan.findings.len(), scan.more, scan.files[0].found), (200, 800, 1000));
}

#[test]
fn what_the_audit_sent_in_addresses_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "access.log", format!("GET /mcp?access_token={OPAQUE} 401\n").as_bytes());
    let mut wanted = own("access_token", OPAQUE);
    assert!(scan(std::slice::from_ref(&path), &wanted).found());
    wanted.sent_in_urls.insert("{access_token 1}".into());
    let scan = scan(&[path], &wanted);
    assert!(!scan.found() && scan.findings[0].sent_in_url);
}

#[test]
fn the_secrets_of_a_run_are_written_for_their_owner_alone_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "secrets.json", b"something older and longer than what is written now");
    let vault = Vault::default();
    vault.learn("access_token", OPAQUE);
    let known = Wanted { secrets: vault.secrets(), sent_in_urls: HashSet::from(["{access_token 1}".to_owned()]) };
    let mut file = SecretsFile::make(&path).unwrap();
    file.write(&known).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let read = SecretsFile::read(&path).unwrap();
    assert_eq!((read.secrets, read.sent_in_urls), (known.secrets, known.sent_in_urls));
    assert!(matches!(SecretsFile::read(&write(folder.path(), "x", b"{}")), Err(SecretsFileError::NotSecrets(_))));
    assert!(matches!(SecretsFile::make(folder.path()), Err(SecretsFileError::Make(..))));
}
