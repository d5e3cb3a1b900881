//! Every way in which a text can be read where layers of escapes lie over one another and each escapes some characters
//! alone. Undoing all at once joins what belongs to different layers; here each place is read by itself.

/// So many layers are looked through.
const LAYERS: usize = 4;

/// Ways to read one place that are kept: runs of backslashes have many, all others two or three.
const MOST: usize = 16;

/// A text is read in parts of this length, for the readings take some hundred times its memory; a disguised secret that is
/// shorter than a quarter of it is whole in one of them.
const PART: usize = 32 << 10;

/// The parts of a text, each with its beginning; they overlap.
pub(super) fn parts(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let begins = (0..text.len().saturating_sub(PART / 4).max(1)).step_by(PART / 4 * 3);
    begins.map(|begin| (begin, &text[begin..text.len().min(begin + PART)]))
}

/// A character, and where the next one begins.
type Reading = (u8, u32);

/// The readings of each place.
pub(super) struct Readings(Vec<Vec<Reading>>);

impl Readings {
    /// Reads a text; `None` where undoing everything at once is the same.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let has = |byte: u8| text.contains(&byte);
        if !has(b'\\') || !(has(b'%') || has(b'&')) {
            return None;
        }
        let mut layer: Vec<Vec<Reading>> =
            text.iter().zip(1..).map(|(byte, next)| vec![(*byte, next)]).chain([Vec::new()]).collect();
        for _ in 0..LAYERS {
            layer = (0..layer.len()).map(|at| Self::above(&layer, at)).collect();
        }
        Some(Self(layer))
    }

    /// The readings of a place by one layer more.
    fn above(layer: &[Vec<Reading>], at: usize) -> Vec<Reading> {
        let mut found = layer[at].clone();
        for (byte, next) in &layer[at] {
            let next = *next as usize;
            let mut add = |readings: Vec<Reading>| {
                for reading in readings {
                    if found.len() < MOST && !found.contains(&reading) {
                        found.push(reading);
                    }
                }
            };
            match byte {
                b'%' => add(number(layer, next, 16, 2, 2)),
                b'\\' => {
                    for (kind, after) in &layer[next] {
                        match kind {
                            b'u' => add(number(layer, *after as usize, 16, 4, 4)),
                            b'x' => add(number(layer, *after as usize, 16, 2, 2)),
                            b'"' | b'\\' | b'/' | b'\'' => add(vec![(*kind, *after)]),
                            _ => {}
                        }
                    }
                }
                b'&' => add(reference(layer, next)),
                _ => {}
            }
        }
        found
    }

    /// What a place may begin with.
    pub(super) fn firsts(&self, at: usize) -> impl Iterator<Item = u8> {
        self.0[at].iter().map(|(byte, _)| *byte)
    }

    /// Where these bytes end if they can be read from here on; what does not count is passed over.
    pub(super) fn end_of(&self, needle: &[u8], at: usize, counts: fn(u8) -> bool) -> Option<usize> {
        let mut ahead = vec![(0, at)];
        let mut steps = 0;
        while let Some((done, at)) = ahead.pop() {
            if done == needle.len() {
                return Some(at);
            }
            // A text that is built to be read in countless ways is no disguise.
            steps += 1;
            if steps > 64 * needle.len() {
                return None;
            }
            for (byte, next) in &self.0[at] {
                if *byte == needle[done] {
                    ahead.push((done + 1, *next as usize));
                } else if done > 0 && !counts(*byte) {
                    ahead.push((done, *next as usize));
                }
            }
        }
        None
    }
}

/// A number of so many digits, as the ASCII character that it stands for.
fn number(layer: &[Vec<Reading>], at: usize, base: u32, least: usize, most: usize) -> Vec<Reading> {
    let mut found = Vec::new();
    let mut ahead = vec![(0_u32, 0, at)];
    while let Some((value, digits, at)) = ahead.pop() {
        if digits >= least
            && let Some(byte) = u8::try_from(value).ok().filter(u8::is_ascii)
        {
            found.push((byte, at as u32));
        }
        if digits < most && ahead.len() < 16 {
            let further = layer[at].iter().filter_map(|(byte, next)| Some(((*byte as char).to_digit(base)?, next)));
            ahead.extend(further.map(|(digit, next)| (value.saturating_mul(base) + digit, digits + 1, *next as usize)));
        }
    }
    found
}

/// A character reference of HTML behind its `&`.
fn reference(layer: &[Vec<Reading>], at: usize) -> Vec<Reading> {
    let is = |at: usize, wanted: u8| layer[at].iter().find(|(byte, _)| *byte == wanted).map(|(_, next)| *next as usize);
    let closed = |readings: Vec<Reading>| {
        readings
            .into_iter()
            .map(|(byte, next)| (byte, is(next as usize, b';').map_or(next, |end| end as u32)))
            .collect()
    };
    if let Some(sharp) = is(at, b'#') {
        return match is(sharp, b'x').or_else(|| is(sharp, b'X')) {
            Some(digits) => closed(number(layer, digits, 16, 1, 6)),
            None => closed(number(layer, sharp, 10, 1, 7)),
        };
    }
    let named = super::NAMED.iter().filter(|(_, c)| c.is_ascii());
    let read = named.filter_map(|(name, c)| {
        let end = name.bytes().try_fold(at, &is)?;
        Some((*c as u8, end as u32))
    });
    closed(read.collect())
}
