//! The first message of a TLS client of the past, and what a server of today says to it. Bytes alone, nothing is sent.

use rand::RngExt as _;

/// A version of TLS that RFC 8996 took out of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldVersion {
    /// TLS 1.0.
    Tls10,
    /// TLS 1.1.
    Tls11,
}

impl OldVersion {
    /// Both, the younger one first.
    pub const ALL: [Self; 2] = [Self::Tls11, Self::Tls10];

    /// The name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tls10 => "TLS 1.0",
            Self::Tls11 => "TLS 1.1",
        }
    }

    /// The minor version on the wire; the major one is 3.
    const fn minor(self) -> u8 {
        match self {
            Self::Tls10 => 1,
            Self::Tls11 => 2,
        }
    }
}

/// What came back for an old ClientHello.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offered {
    /// A ServerHello of this version: the server goes on in it.
    Taken(String),
    /// A fatal alert: its name and number.
    Alert(String),
    /// The connection was closed without a word.
    Closed,
    /// Something that is no TLS, or breaks off.
    Unclear(String),
}

impl Offered {
    /// In a few words.
    pub fn describe(&self) -> String {
        match self {
            Self::Taken(version) => format!("a ServerHello of {version}"),
            Self::Alert(alert) => format!("the alert {alert}"),
            Self::Closed => "a closed connection".into(),
            Self::Unclear(what) => what.clone(),
        }
    }
}

/// Cipher suites that clients and servers of the time had in common, so that a refusal is about the version.
const SUITES: [u16; 14] = [
    0xc00a, 0xc014, 0xc009, 0xc013, // ECDHE, AES-CBC, SHA-1
    0x0039, 0x0033, 0x0088, 0x0045, // DHE, AES and Camellia
    0x0035, 0x002f, // RSA, AES
    0x000a, 0x0005, 0x0004, // RSA, 3DES and RC4
    0x00ff, // "I know secure renegotiation" (RFC 5746); no fallback signal (RFC 7507), which would be refused as such
];
/// secp256r1, secp384r1, secp521r1, x25519.
const GROUPS: [u16; 4] = [23, 24, 25, 29];

/// RSA and ECDSA, with SHA-256 and SHA-1.
const SIGNATURES: [u16; 4] = [0x0401, 0x0403, 0x0201, 0x0203];

/// A ClientHello that offers `version` at most. `name` is the host, unless it is an address.
pub(super) fn client_hello(version: OldVersion, name: Option<&str>) -> Vec<u8> {
    let mut hello = vec![3, version.minor()];
    hello.extend(rand::rng().random::<[u8; 32]>());
    hello.push(0); // no session to resume
    hello.extend(counted(&SUITES.map(u16::to_be_bytes).concat()));
    hello.extend([1, 0]); // no compression
    let mut extensions = Vec::new();
    if let Some(name) = name {
        let entry = [&[0][..], &counted(name.as_bytes())].concat();
        extensions.extend(extension(0, &counted(&entry)));
    }
    extensions.extend(extension(10, &counted(&GROUPS.map(u16::to_be_bytes).concat())));
    extensions.extend(extension(11, &[1, 0])); // uncompressed points
    // Not known to the old versions; but a server of today that misses it says so, and nothing about the version.
    extensions.extend(extension(13, &counted(&SIGNATURES.map(u16::to_be_bytes).concat())));
    hello.extend(counted(&extensions));
    let length = u32::try_from(hello.len()).unwrap_or_default().to_be_bytes();
    let message = [&[1][..], &length[1..], &hello].concat();
    // The record layer of a first message says 1.0 whatever is offered.
    [&[22, 3, 1][..], &counted(&message)].concat()
}

/// Bytes with their number in front, in two bytes.
fn counted(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or_default().to_be_bytes();
    [&length[..], bytes].concat()
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &counted(body)].concat()
}

/// Reads what has arrived; `None` if more must come before it can be told.
pub(super) fn read(mut bytes: &[u8], ended: bool) -> Option<Offered> {
    loop {
        let cut_off = |what: &str| ended.then(|| Offered::Unclear(what.into()));
        match bytes {
            [] if ended => return Some(Offered::Closed),
            [21, 3, _, 0, 2, level, alert, rest @ ..] => match (level, alert) {
                // A warning that the name is not known changes nothing; "close notify" does.
                (1, 0) => return Some(Offered::Closed),
                (1, _) => bytes = rest,
                _ => return Some(Offered::Alert(name_of(*alert))),
            },
            [22, 3, _, _, _, 2, _, _, _, major, minor, ..] => return Some(Offered::Taken(version(*major, *minor))),
            [22, 3, _, _, _, kind, ..] if *kind != 2 => {
                return Some(Offered::Unclear(format!("a handshake message of type {kind} in place of a ServerHello")));
            }
            [21 | 22, 3, ..] | [21 | 22] | [] => return cut_off("an answer that breaks off"),
            _ => return Some(Offered::Unclear("bytes that are no TLS".into())),
        }
    }
}

fn version(major: u8, minor: u8) -> String {
    match (major, minor) {
        (3, 0) => "SSL 3.0".into(),
        (3, n @ 1..=4) => format!("TLS 1.{}", n - 1),
        _ => format!("version {major}.{minor}"),
    }
}

fn name_of(alert: u8) -> String {
    let name = match alert {
        0 => "close_notify",
        10 => "unexpected_message",
        40 => "handshake_failure",
        47 => "illegal_parameter",
        50 => "decode_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        112 => "unrecognized_name",
        _ => return alert.to_string(),
    };
    format!("{name} ({alert})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lengths_of_a_hello_add_up() {
        for name in [None, Some("as.example")] {
            let hello = client_hello(OldVersion::Tls11, name);
            assert_eq!(&hello[..3], [22, 3, 1]);
            assert_eq!(usize::from(u16::from_be_bytes([hello[3], hello[4]])), hello.len() - 5);
            assert_eq!(usize::from(hello[8]) + 256 * usize::from(hello[7]), hello.len() - 9);
            assert_eq!(&hello[9..11], [3, 2]);
            assert_eq!(hello.windows(10).any(|w| w == b"as.example"), name.is_some());
        }
        assert_eq!(client_hello(OldVersion::Tls10, None)[9..11], [3, 1]);
    }

    #[test]
    fn a_server_hello_tells_its_version() {
        let hello = [22, 3, 1, 0, 50, 2, 0, 0, 46, 3, 1, 7, 7];
        assert_eq!(read(&hello, false), Some(Offered::Taken("TLS 1.0".into())));
        assert_eq!(read(&hello[..10], false), None);
        assert!(matches!(read(&hello[..10], true), Some(Offered::Unclear(_))));
        // A warning before it changes nothing.
        let warned = [&[21, 3, 1, 0, 2, 1, 112][..], &hello].concat();
        assert_eq!(read(&warned, false), Some(Offered::Taken("TLS 1.0".into())));
    }

    #[test]
    fn refusals_are_told_from_noise() {
        assert_eq!(read(&[21, 3, 3, 0, 2, 2, 70], false), Some(Offered::Alert("protocol_version (70)".into())));
        assert_eq!(read(&[], true), Some(Offered::Closed));
        assert_eq!(read(&[], false), None);
        assert_eq!(read(&[21, 3, 1, 0, 2, 1, 0], false), Some(Offered::Closed));
        assert!(matches!(read(b"HTTP/1.1 400 Bad Request\r\n", true), Some(Offered::Unclear(_))));
    }
}
