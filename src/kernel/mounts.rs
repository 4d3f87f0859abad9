//! `/proc/PID/mountinfo`.

use crate::session::KernelMount;
use crate::units::Untrusted;

/// Every line that has the fields it should have.
pub(super) fn parse(text: &str) -> Vec<KernelMount> {
    text.lines().filter_map(line).collect()
}

/// Only the control group mounts: all that the reader's own table is needed for, and it may be long.
pub(super) fn parse_cgroups(text: &str) -> Vec<KernelMount> {
    text.lines().filter(|text| text.contains(" - cgroup")).filter_map(line).collect()
}

fn line(text: &str) -> Option<KernelMount> {
    // The number of optional fields varies: a lone hyphen ends them. Spaces within fields are escaped.
    let (mount, file_system) = text.split_once(" - ")?;
    let mut mount = mount.split(' ').skip(2);
    let (device, root, target, options) = (mount.next()?, mount.next()?, mount.next()?, mount.next()?);
    let mut file_system = file_system.split(' ');
    let (fs_type, source) = (file_system.next()?, file_system.next()?);
    let super_options = file_system.next().unwrap_or_default();
    Some(KernelMount {
        target: Untrusted::from(unescape(target)),
        root: Untrusted::from(unescape(root)),
        fs_type: fs_type.to_owned(),
        source: Untrusted::from(unescape(source)),
        device: device.to_owned(),
        options: options.split(',').map(str::to_owned).collect(),
        // Where an overlay keeps its layers on the host is long and says nothing of the container.
        super_options: super_options
            .split(',')
            .filter(|option| !["lowerdir", "upperdir", "workdir"].iter().any(|name| option.starts_with(name)))
            .map(|option| Untrusted::from(unescape(option)))
            .collect(),
    })
}

/// The kernel writes space, tab, newline, backslash and `#` as `\ooo`.
fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code = bytes.get(at + 1..at + 4).filter(|_| byte == b'\\').and_then(octal);
        plain.push(code.unwrap_or(byte));
        at += if code.is_some() { 4 } else { 1 };
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn octal(digits: &[u8]) -> Option<u8> {
    digits.iter().try_fold(0u8, |value, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8)?;
        value.checked_mul(8)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bind_with_propagation_fields_and_escapes_is_read() {
        let text = r"92 72 254:0 /srv/my\040folder\134x /work\011space rw,relatime master:1 shared:2 - ext4 /dev/vda rw,discard";
        let mounts = parse(text);
        let mount = mounts.first().unwrap();
        assert_eq!(mount.root.raw(), r"/srv/my folder\x");
        assert_eq!(mount.target.raw(), "/work\tspace");
        assert_eq!((mount.device.as_str(), mount.fs_type.as_str()), ("254:0", "ext4"));
        assert_eq!(mount.options, ["rw", "relatime"]);
    }

    #[test]
    fn an_overlays_layers_are_left_out_and_its_own_flags_are_not() {
        let mounts = parse("72 48 0:39 / / ro,relatime - overlay overlay rw,lowerdir=/a:/b,upperdir=/c,workdir=/d,userxattr");
        assert_eq!(mounts[0].super_options, ["rw", "userxattr"].map(Untrusted::from));
    }

    #[test]
    fn of_stacked_mounts_the_upper_one_counts() {
        let mounts = parse("1 0 0:1 /a /x rw - tmpfs t rw\n2 1 0:2 /b /x ro - tmpfs t rw\n");
        assert_eq!(KernelMount::at(&mounts, "/x").unwrap().root.raw(), "/b");
        assert!(KernelMount::at(&mounts, "/").is_none());
    }

    #[test]
    fn rubbish_is_passed_over_and_a_bad_escape_stays_as_it_is() {
        assert!(parse("no\n1 2 3\n1 2 0:1 / - tmpfs\n\n").is_empty());
        for (text, plain) in [(r"\040", " "), (r"\04", r"\04"), (r"\999", r"\999"), (r"a\", r"a\"), (r"\777", r"\777")] {
            assert_eq!(unescape(text), plain);
        }
    }
}
