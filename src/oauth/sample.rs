//! How much of an identifier could be guessed, as far as a sample of them shows: counters, clocks and shared parts, and
//! the room that is left beside them. A sample shows what is predictable, never that something is random.

/// What a sample shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// How many were looked at.
    pub size: usize,
    /// The bits that there is room for, in the places that are not the same in all of them.
    pub bits: f64,
    /// How many places are the same in all of them.
    pub fixed: usize,
    /// Each is greater than the one before it, or each is less.
    pub ordered: bool,
}

/// So many equal places in a row are no chance, even among two.
const RUN: usize = 6;
/// From so many on, a single place that never changes is no chance.
const MANY: usize = 6;

/// Studies identifiers in the order in which they were issued. `None` for fewer than two.
pub fn study(sample: &[&str]) -> Option<Study> {
    let size = sample.len();
    if size < 2 {
        return None;
    }
    let all: Vec<&[u8]> = sample.iter().map(|s| s.as_bytes()).collect();
    let length = all.iter().map(|s| s.len()).min().unwrap_or_default();
    let mut constant: Vec<bool> = (0..length).map(|at| all.iter().all(|s| s[at] == all[0][at])).collect();
    if size < MANY {
        keep_runs(&mut constant);
    }
    let varying: Vec<usize> = (0..length).filter(|at| !constant[*at]).collect();
    let alphabet = alphabet(all.iter().flat_map(|s| varying.iter().map(|at| s[*at])));
    // Numbers without leading zeros differ in length; what stands beyond the shortest counts by its average.
    let beyond = all.iter().map(|s| s.len() - length).sum::<usize>() as f64 / size as f64;
    let order = |greater: bool| all.windows(2).all(|pair| if greater { pair[0] < pair[1] } else { pair[0] > pair[1] });
    Some(Study {
        size,
        bits: (varying.len() as f64 + beyond) * alphabet.log2(),
        fixed: length - varying.len(),
        // Among few, order is chance.
        ordered: size >= MANY && (order(true) || order(false)),
    })
}

/// Leaves only places that stand in a run of equal ones.
fn keep_runs(constant: &mut [bool]) {
    let mut at = 0;
    while at < constant.len() {
        let run = constant[at..].iter().take_while(|c| **c).count();
        if run > 0 && run < RUN {
            constant[at..at + run].fill(false);
        }
        at += run.max(1);
    }
}

/// How many characters a place may hold, by the smallest usual alphabet that has all that were seen.
fn alphabet(seen: impl Iterator<Item = u8>) -> f64 {
    let (mut upper, mut lower, mut other, mut beyond_hex, mut any) = (false, false, false, false, false);
    for byte in seen {
        any = true;
        upper |= byte.is_ascii_uppercase();
        lower |= byte.is_ascii_lowercase();
        other |= !byte.is_ascii_alphanumeric() && byte != b'-';
        beyond_hex |= !byte.is_ascii_hexdigit() && byte != b'-';
    }
    match (upper, lower) {
        _ if !any => 1.0,
        // A hyphen between groups of hexadecimal digits stands at the same place in all of them.
        (false, false) if !other => 10.0,
        (true, true) if !beyond_hex => 16.0,
        (true, false) | (false, true) if !beyond_hex => 16.0,
        (true, false) | (false, true) if !other => 36.0,
        (true, true) if !other => 62.0,
        _ => 64.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::pkce::random_text;

    fn of(sample: &[String]) -> Study {
        study(&sample.iter().map(String::as_str).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn random_ones_have_room() {
        for size in [2, 3, 5, 6, 20] {
            let study = of(&(0..size).map(|_| random_text(32)).collect::<Vec<_>>());
            assert!(study.bits >= 240.0 && !study.ordered, "{study:?}");
        }
        // A shared prefix counts for nothing.
        let study = of(&(0..10).map(|_| format!("tenant_a_{}", random_text(16))).collect::<Vec<_>>());
        assert!(study.fixed >= 9 && (126.0..=132.0).contains(&study.bits), "{study:?}");
    }

    #[test]
    fn counters_and_clocks_have_none() {
        let study = of(&(0..10).map(|n| format!("at-{:08}", 40_000_000 + n)).collect::<Vec<_>>());
        assert!(study.bits < 4.0 && study.ordered, "{study:?}");
        // A long random part that is the same in all of them.
        let prefix = random_text(32);
        let study = of(&(0..10).map(|n| format!("{prefix}{:04}", n * 37)).collect::<Vec<_>>());
        assert!(study.bits < 15.0, "{study:?}");
        // The same, known by its length where there are but two.
        let study = of(&(0..2).map(|n| format!("{prefix}{n:04}")).collect::<Vec<_>>());
        assert!(study.bits < 40.0, "{study:?}");
    }

    #[test]
    fn a_uuid_has_122_bits_or_so() {
        let uuids: Vec<String> = [
            "9f1c2d3e-4b5a-4c6d-8e7f-0a1b2c3d4e5f",
            "1a2b3c4d-5e6f-4a7b-9c8d-7e6f5a4b3c2d",
            "f0e1d2c3-b4a5-4968-a7b6-c5d4e3f2a1b0",
            "2c4e6a8b-0d1f-4357-b9d2-f4a6c8e0b2d4",
            "3b5d7f91-a2c4-4e6f-8091-b3d5f7e9c1a3",
            "84c6e8a0-1b3d-4f5a-9e7c-6d8f0a2b4c6e",
            "5a7c9e1b-3d5f-4718-b293-a4c6e8f0d2b5",
        ]
        .map(str::to_owned)
        .to_vec();
        let study = of(&uuids);
        assert!((120.0..128.0).contains(&study.bits), "{study:?}");
    }

    #[test]
    fn one_says_nothing() {
        assert_eq!(study(&["a"]), None);
        assert_eq!(study(&["", ""]).unwrap().bits, 0.0);
        assert_eq!(of(&["same".to_owned(), "same".to_owned()]).size, 2);
    }
}
