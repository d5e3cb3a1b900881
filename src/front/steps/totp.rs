//! One-time codes by time (RFC 6238), as an authenticator app shows them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;

use crate::oauth::secret::Secret;

/// Seconds that a code must still be good for when it is entered.
const MARGIN: u64 = 2;

/// A generator of codes. It never gives one out twice: a server must not take it twice (RFC 6238 section 5.2).
pub struct Totp {
    key: hmac::Key,
    text: Secret,
    digits: u32,
    period: u64,
    last: AtomicU64,
}

/// What is wrong with a TOTP secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the TOTP secret cannot be used: {0}")]
pub struct TotpProblem(&'static str);

impl std::fmt::Debug for Totp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Totp").field("digits", &self.digits).field("period", &self.period).finish_non_exhaustive()
    }
}

impl Totp {
    /// Reads a secret: base32 as it is shown beside the QR code, or the whole `otpauth://totp/…` address. SHA-1, six
    /// digits and 30 seconds unless the address says otherwise.
    ///
    /// # Errors
    /// If it is neither.
    pub fn read(text: &str) -> Result<Self, TotpProblem> {
        let text = text.trim();
        let (mut secret, mut algorithm, mut digits, mut period) = (text.to_owned(), "SHA1".to_owned(), 6, 30);
        if text.to_ascii_lowercase().starts_with("otpauth:") {
            let url = url::Url::parse(text).map_err(|_| TotpProblem("the otpauth address is malformed"))?;
            if url.host_str() != Some("totp") {
                return Err(TotpProblem("the otpauth address is not one of codes by time"));
            }
            secret.clear();
            for (name, value) in url.query_pairs() {
                let number = || value.parse().map_err(|_| TotpProblem("digits and period are numbers"));
                match name.to_ascii_lowercase().as_str() {
                    "secret" => secret = value.into_owned(),
                    "algorithm" => algorithm = value.to_ascii_uppercase().replace('-', ""),
                    "digits" => digits = number()?,
                    "period" => period = u64::from(number()?),
                    _ => {}
                }
            }
        }
        let algorithm = match algorithm.as_str() {
            "SHA1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            "SHA256" => hmac::HMAC_SHA256,
            "SHA512" => hmac::HMAC_SHA512,
            _ => return Err(TotpProblem("the algorithm is SHA1, SHA256 or SHA512")),
        };
        let key = base32(&secret).filter(|k| !k.is_empty()).ok_or(TotpProblem("it is not base32"))?;
        Self::new(algorithm, &key, digits, period, &secret)
    }

    fn new(algorithm: hmac::Algorithm, key: &[u8], digits: u32, period: u64, text: &str) -> Result<Self, TotpProblem> {
        if !(6..=8).contains(&digits) {
            return Err(TotpProblem("a code has 6 to 8 digits"));
        }
        if !(1..=300).contains(&period) {
            return Err(TotpProblem("a code is good for 1 to 300 seconds"));
        }
        let key = hmac::Key::new(algorithm, key);
        Ok(Self { key, text: Secret::new(text), digits, period, last: AtomicU64::new(0) })
    }

    /// The secret, to be kept out of records.
    pub(in crate::front) fn secret(&self) -> &Secret {
        &self.text
    }

    /// The code at a time, in seconds since 1970.
    pub fn at(&self, seconds: u64) -> String {
        let mac = hmac::sign(&self.key, &(seconds / self.period).to_be_bytes());
        let mac = mac.as_ref();
        // Dynamic truncation, RFC 4226 section 5.3.
        let offset = usize::from(mac[mac.len() - 1] & 15);
        let number = mac[offset..offset + 4].iter().fold(0, |sum: u32, byte| sum << 8 | u32::from(*byte)) & 0x7fff_ffff;
        format!("{:0width$}", number % 10_u32.pow(self.digits), width = self.digits as usize)
    }

    /// The code of the moment, or the next one if this was given out before or is about to end.
    pub(in crate::front) async fn next(&self) -> String {
        loop {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
            let Some(wait) = self.wait(now) else { return self.at(now) };
            tokio::time::sleep(Duration::from_secs(wait)).await;
        }
    }

    /// The seconds to wait for a fresh code; `None` if the one of now is taken.
    fn wait(&self, now: u64) -> Option<u64> {
        let (step, left) = (now / self.period, self.period - now % self.period);
        let short = left <= MARGIN && self.period > 2 * MARGIN;
        if short || self.last.load(Ordering::Relaxed) == step {
            return Some(left);
        }
        self.last.store(step, Ordering::Relaxed);
        None
    }
}

/// RFC 4648 section 6, in either case, with or without padding, in groups as apps show them.
fn base32(text: &str) -> Option<Vec<u8>> {
    let (mut out, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for c in text.trim_end_matches('=').chars().filter(|c| !matches!(c, ' ' | '-')) {
        let value = match c.to_ascii_uppercase() {
            c @ 'A'..='Z' => c as u32 - 'A' as u32,
            c @ '2'..='7' => c as u32 - '2' as u32 + 26,
            _ => return None,
        };
        held = (held << 5 | value) & 0xffff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B: the key is ASCII digits, as long as the hash.
    #[test]
    fn the_vectors_of_the_rfc_hold() {
        let totp = |algorithm, length: usize| {
            let key: Vec<u8> = b"1234567890".iter().copied().cycle().take(length).collect();
            Totp::new(algorithm, &key, 8, 30, "").unwrap()
        };
        let sha1 = totp(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, 20);
        let sha256 = totp(hmac::HMAC_SHA256, 32);
        let sha512 = totp(hmac::HMAC_SHA512, 64);
        for (time, one, two, five) in [
            (59, "94287082", "46119246", "90693936"),
            (1_111_111_109, "07081804", "68084774", "25091201"),
            (1_111_111_111, "14050471", "67062674", "99943326"),
            (1_234_567_890, "89005924", "91819424", "93441116"),
            (2_000_000_000, "69279037", "90698825", "38618901"),
            (20_000_000_000, "65353130", "77737706", "47863826"),
        ] {
            assert_eq!((sha1.at(time), sha256.at(time), sha512.at(time)), (one.into(), two.into(), five.into()));
        }
    }

    #[test]
    fn a_secret_is_read_as_it_is_shown() {
        for text in [
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            " gezd gnbv gy3t qojq gezd gnbv gy3t qojq ",
            "otpauth://totp/Lab:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Lab&digits=6",
        ] {
            assert_eq!(Totp::read(text).unwrap().at(59), "287082", "{text}");
        }
        for text in ["", "not base32!", "otpauth://hotp/x?secret=GEZD", "otpauth://totp/x?secret=GEZD&algorithm=MD5"] {
            assert!(Totp::read(text).is_err(), "{text}");
        }
        assert!(!format!("{:?}", Totp::read("GEZDGNBV").unwrap()).contains("GEZD"));
    }

    #[test]
    fn no_code_is_given_out_twice_or_too_late() {
        let totp = Totp::read("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        assert_eq!(totp.wait(300), None);
        assert_eq!(totp.wait(310), Some(20));
        assert_eq!(totp.wait(330), None);
        assert_eq!(totp.wait(389), Some(1));
    }
}
