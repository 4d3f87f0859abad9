//! What a supervisor calls itself while its session's files take more than a cap: so whoever may see the machine's processes learns of it,
//! without asking anybody. Another process of the session can take such a name, and says so of its own session alone.

use crate::session::Limit;
use crate::units::Bytes;

const PREFIX: &str = "palisade:";

/// The name, within the kernel's fifteen bytes.
pub fn name_over(limit: Limit, cap: Bytes) -> String {
    let which = if limit == Limit::DiskHard { 'h' } else { 's' };
    format!("{PREFIX}{which}{}", cap.brief())
}

/// Which cap such a name tells of; its size may be rounded.
pub(super) fn told_by(name: &str) -> Option<(Limit, u64)> {
    let rest = name.trim().strip_prefix(PREFIX)?;
    let limit = match rest.chars().next()? {
        's' => Limit::DiskSoft,
        'h' => Limit::DiskHard,
        _ => return None,
    };
    rest[1..].parse::<Bytes>().ok().map(|cap| (limit, cap.get()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_which_cap_and_fits() {
        for (limit, cap) in [(Limit::DiskSoft, Bytes::gib(20)), (Limit::DiskHard, Bytes::mib(512)), (Limit::DiskHard, Bytes::new(3 << 29))]
        {
            let name = name_over(limit, cap);
            assert!(name.len() <= 15, "{name}");
            assert_eq!(told_by(&name), Some((limit, cap.get())), "{name}");
        }
        for name in ["palisade", "palisade:gate", "palisade:", "palisade:s", "sh", "palisade:h1x\u{e9}"] {
            assert_eq!(told_by(name), None, "{name}");
        }
    }
}
