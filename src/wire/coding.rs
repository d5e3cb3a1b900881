//! Reads a body that was compressed although nobody asked for it. Without `Accept-Encoding` a server may do so (RFC 9110
//! section 12.5.3), and what is compressed must not be judged as if it were the text itself.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use http::HeaderMap;

use super::{TroubleKind, Wiped};

/// The body as it was before it was compressed, of which no more than `most` bytes are unpacked, and whether there is
/// more; or why it cannot be read.
pub(super) fn unpacked(
    headers: &HeaderMap,
    body: Wiped,
    truncated: bool,
    most: usize,
) -> Result<(Wiped, bool), (TroubleKind, String)> {
    let values = headers.get_all("content-encoding").into_iter();
    let text = values.map(|v| String::from_utf8_lossy(v.as_bytes())).collect::<Vec<_>>().join(",");
    let codings = text.split(',').map(str::trim).filter(|c| !c.is_empty() && !c.eq_ignore_ascii_case("identity"));
    let codings: Vec<&str> = codings.collect();
    match codings.as_slice() {
        // Whatever is said of a body that is not there.
        [..] if body.is_empty() => Ok((body, truncated)),
        [] => Ok((body, truncated)),
        [one] if one.eq_ignore_ascii_case("gzip") || one.eq_ignore_ascii_case("x-gzip") => {
            let mut plain = Wiped::default();
            let read = MultiGzDecoder::new(body.as_slice()).take(most as u64 + 1).read_to_end(&mut plain);
            if let (Err(error), false) = (read, truncated) {
                let why = format!("sent a body that is not what its Content-Encoding, gzip, says: {error}");
                return Err((TroubleKind::Garbled, why));
            }
            let more = truncated || plain.len() > most;
            plain.truncate(most);
            Ok((plain, more))
        }
        _ => {
            let list: String = codings.join(", ").chars().take(60).collect();
            let why = format!(
                "sent a body with Content-Encoding: {list}, which nobody asked for, and which is not read here"
            );
            Err((TroubleKind::Coded, why))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn coded(by: &'static str) -> HeaderMap {
        [("content-encoding".parse().unwrap(), by.parse().unwrap())].into_iter().collect()
    }

    fn zipped(text: &[u8]) -> Wiped {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(text).unwrap();
        gzip.finish().unwrap().into()
    }

    #[test]
    fn gzip_is_read_as_what_it_holds() {
        for by in ["gzip", "GZIP", "x-gzip", "identity, gzip"] {
            assert_eq!(unpacked(&coded(by), zipped(b"{}"), false, 9), Ok((b"{}".to_vec().into(), false)), "{by}");
        }
        assert_eq!(unpacked(&HeaderMap::new(), b"{}".to_vec().into(), false, 9), Ok((b"{}".to_vec().into(), false)));
        assert_eq!(unpacked(&coded("br"), Wiped::default(), false, 9), Ok((Wiped::default(), false)));
    }

    #[test]
    fn a_bomb_is_unpacked_no_further_than_any_other_body_is_read() {
        let bomb = zipped(&vec![0; 64 << 20]);
        assert!(bomb.len() < 1 << 20);
        let (plain, more) = unpacked(&coded("gzip"), bomb, false, 256 << 10).unwrap();
        assert_eq!((plain.len(), plain.capacity() < 1 << 20, more), (256 << 10, true, true));
        // The same of one whose end was not read.
        let cut = zipped(&vec![0; 64 << 20])[..5000].to_vec().into();
        assert_eq!(
            unpacked(&coded("gzip"), cut, true, 1000).map(|(plain, more)| (plain.len(), more)),
            Ok((1000, true))
        );
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let why = |by, body: &[u8]| unpacked(&coded(by), body.to_vec().into(), false, 99).unwrap_err().1;
        assert!(why("br", b"x").contains("Content-Encoding: br, which nobody asked for"));
        assert!(why("gzip, gzip", b"x").contains("gzip, gzip"));
        assert!(why("gzip", b"{}").contains("is not what its Content-Encoding, gzip, says"));
    }
}
