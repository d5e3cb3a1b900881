//! A certificate looked at to the end: nothing is refused while shaking hands, everything that is wrong is named.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;
use sha2::{Digest as _, Sha256};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// What a certificate says of itself. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it is for.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The names and addresses that it is good for.
    pub names: Vec<String>,
    /// From when.
    pub not_before: i64,
    /// Until when.
    pub not_after: i64,
    /// The fingerprint of its public key: SHA-256 in base64, as browsers pin keys (RFC 7469 section 2.4).
    pub key: String,
}

impl Certificate {
    fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let alternative = certificate.subject_alternative_name().ok().flatten();
        let names = alternative.map(|names| names.value.general_names.iter().filter_map(name).collect());
        Some(Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            names: names.unwrap_or_default(),
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
            key: STANDARD.encode(Sha256::digest(certificate.public_key().raw)),
        })
    }

    /// Days that are left, rounded down; negative once it has expired.
    pub fn days_left(&self, now: i64) -> i64 {
        (self.not_after - now).div_euclid(24 * 3600)
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress([a, b, c, d]) => Some(std::net::Ipv4Addr::new(*a, *b, *c, *d).to_string()),
        GeneralName::IPAddress(bytes) => {
            <[u8; 16]>::try_from(*bytes).ok().map(|octets| std::net::Ipv6Addr::from(octets).to_string())
        }
        _ => None,
    }
}

/// What is wrong with a certificate or its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// The time of one that it hangs on is over, or has not come.
    ChainOutOfTime,
    /// It is good for other names.
    WrongName,
    /// It signed itself.
    SelfSigned,
    /// Nobody who is trusted signed it; often a certificate in between is not sent.
    UnknownIssuer,
    /// It was taken back.
    Revoked,
    /// What the verifier says.
    Other(String),
}

/// What was seen of a chain while shaking hands.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// The certificates, the server's own first.
    pub(super) chain: Vec<Certificate>,
    /// What is wrong.
    pub(super) problems: Vec<Problem>,
}

/// Asks the real verifier, writes down what it says, and lets the handshake go on.
#[derive(Debug)]
pub(super) struct Recorder {
    real: Verifier,
    seen: Mutex<Seen>,
}

impl Recorder {
    pub(super) fn new(real: Verifier) -> Arc<Self> {
        Arc::new(Self { real, seen: Mutex::default() })
    }

    pub(super) fn seen(&self) -> Seen {
        self.seen.lock().expect("no panic while it is held").clone()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let said = self.real.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now).err();
        // A chain that cannot be followed hides a wrong name from the verifier.
        let named = ParsedCertificate::try_from(end_entity)
            .and_then(|own| rustls::client::verify_server_name(&own, server_name))
            .is_ok();
        let chain: Vec<Certificate> =
            [end_entity].into_iter().chain(intermediates).filter_map(|der| Certificate::read(der)).collect();
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let problems = problems(chain.first(), said.as_ref(), named, seconds);
        *self.seen.lock().expect("no panic while it is held") = Seen { chain, problems };
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.real.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.real.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.real.supported_verify_schemes()
    }
}

/// The verifier names the first thing that it stumbles over; dates and name are looked at beside it.
fn problems(own: Option<&Certificate>, said: Option<&Error>, named: bool, now: i64) -> Vec<Problem> {
    let mut problems = Vec::new();
    let expired = own.is_some_and(|own| own.not_after < now);
    let early = own.is_some_and(|own| own.not_before > now);
    if expired {
        problems.push(Problem::Expired);
    }
    if early {
        problems.push(Problem::NotYetValid);
    }
    if !named {
        problems.push(Problem::WrongName);
    }
    let Some(said) = said else { return problems };
    use CertificateError as E;
    problems.extend(match said {
        Error::InvalidCertificate(
            E::Expired | E::ExpiredContext { .. } | E::NotValidYet | E::NotValidYetContext { .. },
        ) => (!expired && !early).then_some(Problem::ChainOutOfTime),
        Error::InvalidCertificate(E::NotValidForName | E::NotValidForNameContext { .. }) => {
            named.then(|| Problem::Other("the name is not accepted".into()))
        }
        Error::InvalidCertificate(E::Revoked) => Some(Problem::Revoked),
        // Also where it says that it is an authority, which is the first thing that is minded then.
        Error::InvalidCertificate(_) if own.is_some_and(|own| own.subject == own.issuer) => Some(Problem::SelfSigned),
        Error::InvalidCertificate(E::UnknownIssuer) => Some(Problem::UnknownIssuer),
        Error::InvalidCertificate(other) => Some(Problem::Other(format!("{other:?}"))),
        other => Some(Problem::Other(other.to_string())),
    });
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(not_before: i64, not_after: i64) -> Certificate {
        let text = |t: &str| t.to_owned();
        Certificate {
            subject: text("CN=a"),
            issuer: text("CN=b"),
            names: vec![text("a")],
            not_before,
            not_after,
            key: text(""),
        }
    }

    fn of(own: &Certificate, said: CertificateError, named: bool) -> Vec<Problem> {
        problems(Some(own), Some(&Error::InvalidCertificate(said)), named, 100)
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        let good = certificate(0, 200);
        assert!(problems(Some(&good), None, true, 100).is_empty());
        let old = certificate(0, 50);
        assert_eq!(of(&old, CertificateError::Expired, true), [Problem::Expired]);
        assert_eq!(
            of(&old, CertificateError::UnknownIssuer, false),
            [Problem::Expired, Problem::WrongName, Problem::UnknownIssuer]
        );
        assert_eq!(of(&good, CertificateError::Expired, true), [Problem::ChainOutOfTime]);
        assert_eq!(of(&certificate(150, 200), CertificateError::NotValidYet, true), [Problem::NotYetValid]);
        let own = Certificate { issuer: "CN=a".into(), ..good };
        assert_eq!(of(&own, CertificateError::UnknownIssuer, true), [Problem::SelfSigned]);
    }

    #[test]
    fn days_are_rounded_down() {
        let day = 24 * 3600;
        assert_eq!(certificate(0, 14 * day).days_left(1), 13);
        assert_eq!(certificate(0, 14 * day).days_left(15 * day), -1);
    }
}
