//! The hostile sequences of `tests/corpus/hostile.tsv`: what they are and how a terminal's bytes are told to hold one.

/// A sequence, and what it would do to a terminal that obeys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hostile {
    /// What it is called.
    pub name: &'static str,
    /// What is written, as often as it takes.
    pub bytes: Vec<u8>,
    /// What it would do.
    pub effect: &'static str,
}

/// All of them.
pub fn corpus() -> Vec<Hostile> {
    let lines = include_str!("../corpus/hostile.tsv").lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let [name, times, bytes, effect] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("four fields: {line:?}") };
            Hostile { name, bytes: unescape(bytes).repeat(times.parse().expect("a number")), effect }
        })
        .collect()
}

/// As `printf %b` reads it.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let byte = match (byte, after) {
            (b'\\', [b'e', more @ ..]) => {
                rest = more;
                0x1b
            }
            (b'\\', [b'a', more @ ..]) => {
                rest = more;
                0x07
            }
            (b'\\', [b'\\', more @ ..]) => {
                rest = more;
                b'\\'
            }
            (b'\\', [b'x', high, low, more @ ..]) => {
                rest = more;
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).expect("two digits");
                u8::from_str_radix(digits, 16).expect("two hexadecimal digits")
            }
            (b'\\', _) => panic!("not known in the corpus: {text:?}"),
            (byte, _) => byte,
        };
        bytes.push(byte);
    }
    bytes
}
