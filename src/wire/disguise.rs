//! Finds secrets whatever they are wearing: percent and form encoding, escapes of JSON and HTML, folded lines, base64, and
//! any of these over another. A target chooses how it writes down what it was sent.
//!
//! A text is read as it stands, then with every escape in it undone once, twice and so on, and what looks like base64 is
//! read as well. White space and `+` are left aside on both sides: one is written for the other, and lines are broken. So
//! are backslashes: where layers escape some characters alone, nobody can tell which of them belongs to which.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use secrecy::zeroize::Zeroize;

mod readings;

use readings::Readings;

/// Shorter needles are none: they would be found in ordinary words.
pub(super) const SHORTEST: usize = 6;

/// How often escapes are undone: three layers, a fold below each, and what is escaped in the secret itself.
const MOST_LAYERS: usize = 9;

/// How often base64 is looked into.
const DEPTH: usize = 2;

/// What is looked for, found by its first bytes.
#[derive(Default)]
pub(super) struct Needles {
    by_start: HashMap<[u8; SHORTEST], Vec<Needle>>,
    /// A bit for the first two bytes of each needle: most places of a text are dismissed by it.
    starts: Vec<u64>,
}

impl Drop for Needles {
    fn drop(&mut self) {
        self.by_start.values_mut().flatten().for_each(|(needle, _)| needle.zeroize());
    }
}

/// What is looked for, and its label.
type Needle = (Box<[u8]>, String);

/// A place in a text, and the label of what stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place<'n> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) label: &'n str,
}

impl Needles {
    /// Looks for this value from now on.
    pub(super) fn add(&mut self, value: &[u8], label: &str) {
        let bytes: Vec<u8> = value.iter().copied().filter(|byte| counts(*byte)).collect();
        let Some(start) = bytes.first_chunk::<SHORTEST>() else { return };
        if self.starts.is_empty() {
            self.starts = vec![0; 1 << 10];
        }
        let bit = bit(bytes[0], bytes[1]);
        self.starts[bit / 64] |= 1 << (bit % 64);
        let bucket = self.by_start.entry(*start).or_default();
        if bucket.iter().any(|(needle, _)| **needle == *bytes) {
            return;
        }
        // The longest first: a token may begin with another token.
        let at = bucket.partition_point(|(needle, _)| needle.len() >= bytes.len());
        bucket.insert(at, (bytes.into(), label.to_owned()));
    }

    /// Where they stand, in no order; places may overlap.
    pub(super) fn find(&self, text: &str) -> Vec<Place<'_>> {
        let mut found = Vec::new();
        if !self.by_start.is_empty() {
            self.look(text.as_bytes(), DEPTH, &mut found);
        }
        found
    }

    /// Whether all of a text is one of them, though it may be escaped.
    pub(super) fn is_one(&self, text: &str) -> bool {
        let mut found = Vec::new();
        if !self.by_start.is_empty() {
            self.look(text.as_bytes(), 0, &mut found);
        }
        found.iter().any(|place| (place.start, place.end) == (0, text.len()))
    }

    fn look<'n>(&'n self, text: &[u8], depth: usize, found: &mut Vec<Place<'n>>) {
        for (begin, part) in readings::parts(text) {
            if let Some(readings) = Readings::of(part) {
                self.read(&readings, begin, part.len(), found);
            }
        }
        let mut layer = Layer::of(text);
        for _ in 0..MOST_LAYERS {
            self.search(&layer, found);
            if depth > 0 {
                self.look_into_base64(&layer, depth - 1, found);
                // There a `+` behind a broken line is a letter like others.
                let joined = if layer.bytes.contains(&b'+') { layer.undone_by(break_alone) } else { None };
                if let Some(joined) = joined {
                    self.look_into_base64(&joined, depth - 1, found);
                }
            }
            match layer.undone() {
                Some(next) => layer = next,
                None => return,
            }
        }
    }

    /// Looks in every reading of a part of a text that begins there.
    fn read<'n>(&'n self, readings: &Readings, begin: usize, length: usize, found: &mut Vec<Place<'n>>) {
        let mut by_first: HashMap<u8, Vec<&Needle>> = HashMap::new();
        for needle in self.by_start.values().flatten() {
            by_first.entry(needle.0[0]).or_default().push(needle);
        }
        for start in 0..length {
            for (needle, label) in readings.firsts(start).filter_map(|first| by_first.get(&first)).flatten() {
                if let Some(end) = readings.end_of(needle, start, counts) {
                    found.push(Place { start: begin + start, end: begin + end, label });
                }
            }
        }
    }

    fn search<'n>(&'n self, layer: &Layer, found: &mut Vec<Place<'n>>) {
        let places: Vec<usize> = (0..layer.bytes.len()).filter(|at| counts(layer.bytes[*at])).collect();
        let bytes: Vec<u8> = places.iter().map(|at| layer.bytes[*at]).collect();
        let mut at = 0;
        while let Some(start) = bytes.get(at..).and_then(|rest| rest.first_chunk::<SHORTEST>()) {
            let bit = bit(start[0], start[1]);
            let known = self.starts[bit / 64] & (1 << (bit % 64)) != 0;
            let bucket = known.then(|| self.by_start.get(start)).flatten();
            match bucket.and_then(|bucket| bucket.iter().find(|(needle, _)| bytes[at..].starts_with(needle))) {
                Some((needle, label)) => {
                    let (first, last) = (places[at], places[at + needle.len() - 1]);
                    found.push(Place { start: layer.span(first).0, end: layer.span(last).1, label });
                    at += needle.len();
                }
                None => at += 1,
            }
        }
    }

    /// Reads every stretch that may be base64. If a secret is in it, the whole stretch goes.
    fn look_into_base64<'n>(&'n self, layer: &Layer, depth: usize, found: &mut Vec<Place<'n>>) {
        for others in [b"-_", b"+/"] {
            let in_it = |byte: &u8| is_base64(*byte) && !others.contains(byte);
            let mut at = 0;
            while at < layer.bytes.len() {
                let run = layer.bytes[at..].iter().take_while(|byte| in_it(byte)).count();
                let bytes = &layer.bytes[at..at + run];
                // The second alphabet has nothing to say of what is the same in both.
                let alike = *others == *b"+/" && !bytes.iter().any(|byte| b"-_".contains(byte));
                if run >= SHORTEST * 4 / 3 && !(alike && others_end(layer, at, run)) {
                    let mut inside = Vec::new();
                    self.look(&decoded(bytes), depth, &mut inside);
                    if let Some(first) = inside.first() {
                        let padding = layer.bytes[at + run..].iter().take_while(|byte| **byte == b'=').take(2).count();
                        let end = layer.span(at + run + padding - 1).1;
                        found.push(Place { start: layer.span(at).0, end, label: first.label });
                    }
                }
                at += run.max(1);
            }
        }
    }
}

/// Whether a stretch of letters and digits ends in the first alphabet where it ends in the second.
fn others_end(layer: &Layer, at: usize, run: usize) -> bool {
    let joins = |byte: Option<&u8>| byte.is_some_and(|byte| b"+/".contains(byte));
    let before = at.checked_sub(1).and_then(|before| layer.bytes.get(before));
    !joins(before) && !joins(layer.bytes.get(at + run))
}

fn bit(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

/// Whether a byte decides anything.
fn counts(byte: u8) -> bool {
    !is_blank(byte) && byte != b'\\'
}

/// White space, as it stands or as a form writes it.
fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b'+'
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte)
}

/// Base64 of either alphabet, leniently: what is no base64 gives bytes in which nothing is found.
fn decoded(run: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(run.len() * 3 / 4);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in run {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            _ => 63,
        };
        held = held << 6 | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    bytes
}

/// What base64 makes of a value that stands inside of a longer text (a JSON document, `user:password`): where it begins
/// decides between three encodings, whose first and last characters depend on the neighbours and are left out.
pub(super) fn within_base64(value: &str) -> Vec<String> {
    let alphabets = [STANDARD_NO_PAD, URL_SAFE_NO_PAD];
    let shifted = alphabets.iter().flat_map(|alphabet| {
        (0..3).map(move |shift| {
            let encoded = alphabet.encode([&[0; 2][..shift], value.as_bytes()].concat());
            // Characters that hold bits of a neighbour: ceil(8 * shift / 6) at the front, one at the end unless it fits.
            let front = [0, 2, 3][shift];
            let back = usize::from(!(shift + value.len()).is_multiple_of(3));
            encoded.get(front..encoded.len().saturating_sub(back)).unwrap_or_default().to_owned()
        })
    });
    shifted.filter(|form| form.len() >= SHORTEST).collect()
}

/// A value with every escape in it undone, until none is left.
pub(super) fn bare(value: &str) -> Vec<u8> {
    let mut layer = Layer::of(value.as_bytes());
    for _ in 0..MOST_LAYERS {
        match layer.undone() {
            Some(next) => layer = next,
            None => break,
        }
    }
    layer.bytes
}

/// A text with some layers of escapes undone, and where each byte stood at first.
struct Layer {
    bytes: Vec<u8>,
    /// First and last, of each byte; empty where nothing is undone yet.
    spans: Vec<(u32, u32)>,
}

impl Layer {
    fn of(text: &[u8]) -> Self {
        Self { bytes: text.to_vec(), spans: Vec::new() }
    }

    fn span(&self, at: usize) -> (usize, usize) {
        self.spans.get(at).map_or((at, at + 1), |(start, end)| (*start as usize, *end as usize))
    }

    /// The same with one layer less; `None` where there is none. Broken lines are joined first, for an escape may be
    /// broken as well; and a reference without its semicolon is taken for one where nothing else is left, for the rest of
    /// it may be escaped itself.
    fn undone(&self) -> Option<Self> {
        [line_break, strictly, leniently].into_iter().find_map(|escape| self.undone_by(escape))
    }

    fn undone_by(&self, escape: fn(&[u8]) -> Option<(usize, Written)>) -> Option<Self> {
        let first = self.bytes.iter().position(|byte| b"%\\&\r\n".contains(byte))?;
        let (mut bytes, mut spans) = (Vec::with_capacity(self.bytes.len()), Vec::with_capacity(self.bytes.len()));
        let mut any = false;
        let mut at = 0;
        while at < self.bytes.len() {
            let escape = if at < first { None } else { escape(&self.bytes[at..]) };
            let (taken, written) = match &escape {
                Some((taken, written)) => (*taken, written.as_bytes()),
                None => (1, &self.bytes[at..=at]),
            };
            any |= escape.is_some();
            let span = (self.span(at).0 as u32, self.span(at + taken - 1).1 as u32);
            bytes.extend_from_slice(written);
            spans.extend(std::iter::repeat_n(span, written.len()));
            at += taken;
        }
        any.then_some(Self { bytes, spans })
    }
}

/// What an escape stands for: a byte, or the bytes of a character.
struct Written([u8; 4], usize);

impl Written {
    fn byte(byte: u8) -> Self {
        Self([byte, 0, 0, 0], 1)
    }

    fn char(c: char) -> Self {
        let mut bytes = [0; 4];
        let length = c.encode_utf8(&mut bytes).len();
        Self(bytes, length)
    }

    fn as_bytes(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

/// A broken line, which goes on where the next one begins.
fn line_break(text: &[u8]) -> Option<(usize, Written)> {
    broken(text, is_blank)
}

/// The same without what only forms write for white space.
fn break_alone(text: &[u8]) -> Option<(usize, Written)> {
    broken(text, |byte| byte.is_ascii_whitespace())
}

fn broken(text: &[u8], is_between: fn(u8) -> bool) -> Option<(usize, Written)> {
    text.first().filter(|byte| b"\r\n".contains(byte))?;
    Some((text.iter().take_while(|byte| is_between(**byte)).count(), Written([0; 4], 0)))
}

fn strictly(text: &[u8]) -> Option<(usize, Written)> {
    escape(text, true)
}

fn leniently(text: &[u8]) -> Option<(usize, Written)> {
    escape(text, false)
}

/// The escape that a text begins with: how long it is, and what it stands for.
fn escape(text: &[u8], closed: bool) -> Option<(usize, Written)> {
    match text.first()? {
        b'%' => Some((3, Written::byte(u8::try_from(hex(text.get(1..3)?)?).ok()?))),
        b'\\' => backslash(text),
        b'&' => reference(text, closed),
        _ => None,
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok()?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

/// The escapes of JSON, and of scripts.
fn backslash(text: &[u8]) -> Option<(usize, Written)> {
    let unit = |at: usize| (text.get(at..at + 2)? == b"\\u").then(|| hex(text.get(at + 2..at + 6)?)).flatten();
    match text.get(1)? {
        b'u' => {
            let high = unit(0)?;
            let pair = unit(6).filter(|low| (0xd800..0xdc00).contains(&high) && (0xdc00..0xe000).contains(low));
            match pair {
                Some(low) => {
                    let c = char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))?;
                    Some((12, Written::char(c)))
                }
                None => Some((6, Written::char(char::from_u32(high)?))),
            }
        }
        b'x' => Some((4, Written::char(char::from_u32(hex(text.get(2..4)?)?)?))),
        byte @ (b'"' | b'\\' | b'/' | b'\'') => Some((2, Written::byte(*byte))),
        b'b' => Some((2, Written::byte(8))),
        b'f' => Some((2, Written::byte(12))),
        b'n' => Some((2, Written::byte(b'\n'))),
        b'r' => Some((2, Written::byte(b'\r'))),
        b't' => Some((2, Written::byte(b'\t'))),
        _ => None,
    }
}

/// The names that HTML has for what is neither letter nor digit of ASCII.
const NAMED: [(&str, char); 38] = [
    ("amp", '&'),
    ("AMP", '&'),
    ("lt", '<'),
    ("LT", '<'),
    ("gt", '>'),
    ("GT", '>'),
    ("quot", '"'),
    ("QUOT", '"'),
    ("apos", '\''),
    ("plus", '+'),
    ("sol", '/'),
    ("equals", '='),
    ("percnt", '%'),
    ("lowbar", '_'),
    ("colon", ':'),
    ("period", '.'),
    ("comma", ','),
    ("excl", '!'),
    ("quest", '?'),
    ("num", '#'),
    ("dollar", '$'),
    ("ast", '*'),
    ("lpar", '('),
    ("rpar", ')'),
    ("semi", ';'),
    ("commat", '@'),
    ("lsqb", '['),
    ("lbrack", '['),
    ("bsol", '\\'),
    ("rsqb", ']'),
    ("rbrack", ']'),
    ("Hat", '^'),
    ("grave", '`'),
    ("lcub", '{'),
    ("lbrace", '{'),
    ("verbar", '|'),
    ("rcub", '}'),
    ("rbrace", '}'),
];

/// A character reference of HTML: `&amp;`, `&#38;`, `&#x26;`. Browsers do without the semicolon.
fn reference(text: &[u8], closed: bool) -> Option<(usize, Written)> {
    let rest = text.get(1..)?;
    let (skipped, length, c) = match rest {
        [b'#', b'x' | b'X', digits @ ..] => {
            let length = digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
            let code = digits.get(..length).filter(|d| d.len() <= 12 && !d.is_empty())?;
            (3, length, char::from_u32(u32::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()?)?)
        }
        [b'#', digits @ ..] => {
            let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let code = digits.get(..length).filter(|d| d.len() <= 12 && !d.is_empty())?;
            (2, length, char::from_u32(std::str::from_utf8(code).ok()?.parse().ok()?)?)
        }
        _ => {
            let (name, c) = NAMED.iter().find(|(name, _)| rest.starts_with(name.as_bytes()))?;
            (1, name.len(), *c)
        }
    };
    let end = skipped + length;
    let ends = text.get(end) == Some(&b';');
    (ends || !closed).then(|| (end + usize::from(ends), Written::char(c)))
}

#[cfg(test)]
mod tests;
