use std::fmt;
use std::str::FromStr;

use super::{ParseError, serde_number_or_text};

/// A number of bytes.
///
/// Read with a binary unit (`KiB`, `MiB`, `GiB`, `TiB`), a decimal one (`kB`, `MB`, `GB`, `TB`), or one of
/// Docker's short forms (`b`, `k`, `m`, `g`, `t`), which are binary as they are in `docker run --memory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(u64);

impl Bytes {
    /// One kibibyte.
    pub const KIB: u64 = 1 << 10;
    /// One mebibyte.
    pub const MIB: u64 = 1 << 20;
    /// One gibibyte.
    pub const GIB: u64 = 1 << 30;

    /// So many bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// So many mebibytes.
    pub const fn mib(count: u64) -> Self {
        Self(count * Self::MIB)
    }

    /// So many gibibytes.
    pub const fn gib(count: u64) -> Self {
        Self(count * Self::GIB)
    }

    /// The number of bytes.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl Bytes {
    /// In a column's width, with Docker's letters: `3.9G`, `512M`, `0B`; five characters at most below an exbibyte.
    pub fn brief(self) -> String {
        const UNITS: [(u32, char); 5] = [(50, 'P'), (40, 'T'), (30, 'G'), (20, 'M'), (10, 'K')];
        for (shift, letter) in UNITS {
            let whole = self.0 >> shift;
            if whole >= 10 {
                return format!("{whole}{letter}");
            }
            if whole >= 1 {
                let tenth = ((self.0 & ((1 << shift) - 1)) * 10) >> shift;
                return if tenth == 0 { format!("{whole}{letter}") } else { format!("{whole}.{tenth}{letter}") };
            }
        }
        format!("{}B", self.0)
    }
}

impl fmt::Display for Bytes {
    /// The largest binary unit that leaves at least one, with one decimal where it is not whole.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] = [(1 << 40, "TiB"), (Bytes::GIB, "GiB"), (Bytes::MIB, "MiB"), (Bytes::KIB, "KiB")];
        for (size, unit) in UNITS {
            if self.0 >= size {
                let (whole, rest) = (self.0 / size, self.0 % size);
                return if rest == 0 {
                    write!(f, "{whole} {unit}")
                } else {
                    write!(f, "{whole}.{} {unit}", rest.saturating_mul(10) / size)
                };
            }
        }
        write!(f, "{} B", self.0)
    }
}

impl FromStr for Bytes {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse =
            || ParseError(format!("'{text}' is not a size: give a whole or decimal number with a unit, such as 512MiB, 4GiB or 1.5g"));
        let trimmed = text.trim();
        let split = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(split);
        let scale: u64 = match unit.trim() {
            "" | "b" | "B" => 1,
            "k" | "K" | "KiB" => Self::KIB,
            "m" | "M" | "MiB" => Self::MIB,
            "g" | "G" | "GiB" => Self::GIB,
            "t" | "T" | "TiB" => 1 << 40,
            "kB" | "KB" => 1_000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "TB" => 1_000_000_000_000,
            _ => return Err(refuse()),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let whole: u64 = whole.parse().map_err(|_| refuse())?;
        let mut bytes = whole.checked_mul(scale).ok_or_else(refuse)?;
        if !fraction.is_empty() {
            if fraction.len() > 6 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
                return Err(refuse());
            }
            let digits: u64 = fraction.parse().map_err(|_| refuse())?;
            let part = u128::from(digits) * u128::from(scale) / 10u128.pow(u32::try_from(fraction.len()).map_err(|_| refuse())?);
            bytes = bytes.checked_add(u64::try_from(part).map_err(|_| refuse())?).ok_or_else(refuse)?;
        }
        Ok(Self(bytes))
    }
}

serde_number_or_text!(Bytes);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_reads_in_binary_decimal_and_docker_units() {
        for (text, bytes) in
            [("4GiB", 4 << 30), ("512 MiB", 512 << 20), ("1.5g", 3 << 29), ("10MB", 10_000_000), ("64m", 64 << 20), ("7", 7)]
        {
            assert_eq!(text.parse::<Bytes>().unwrap().get(), bytes, "{text}");
        }
    }

    #[test]
    fn a_size_without_sense_is_refused_and_named() {
        for text in ["", "many", "-1", "4 GiBs", "1.2.3g", "99999999999999999999", "20000000T"] {
            let error = text.parse::<Bytes>().unwrap_err().to_string();
            assert!(error.contains(&format!("'{text}'")), "{error}");
        }
    }

    #[test]
    fn the_brief_form_fits_a_column() {
        for (bytes, text) in
            [(0, "0B"), (1023, "1023B"), (1024, "1K"), (1536, "1.5K"), (4 << 30, "4G"), ((1 << 30) - 1, "1023M"), (u64::MAX >> 4, "1023P")]
        {
            assert_eq!(Bytes::new(bytes).brief(), text);
        }
    }

    #[test]
    fn what_is_shown_reads_back_when_it_is_whole() {
        for size in [Bytes::new(5), Bytes::mib(100), Bytes::gib(4)] {
            assert_eq!(size.to_string().parse::<Bytes>().unwrap(), size);
        }
    }
}
