//! Whether a symbolic link may be made.

/// Whether every path through a link to `target`, made `depth` real folders below the top, stays below it.
///
/// Only a link that first goes up, at most to the top, and then down is let through. Going up starts from a real
/// folder, because no step to where the link is made follows one; going down meets real entries or links that passed
/// this test themselves. `a/../b` is refused: `a` may be a link, and then `..` is somewhere else.
pub(super) fn stays_inside(target: &[u8], depth: usize) -> bool {
    if target.is_empty() || target.starts_with(b"/") || target.contains(&0) {
        return false;
    }
    let mut up = 0;
    let mut down = false;
    for part in target.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if down => return false,
            b".." => up += 1,
            _ => down = true,
        }
    }
    up <= depth
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_may_go_up_to_the_top_and_then_down() {
        for (target, depth) in [("b", 0), ("../typescript/bin/tsc", 1), ("../../a", 2), ("./a/b", 0), ("..", 1), (".", 0)] {
            assert!(stays_inside(target.as_bytes(), depth), "{target}");
        }
        for (target, depth) in
            [("..", 0), ("../x", 0), ("/etc", 5), ("a/../../x", 1), ("a/../b", 1), ("../../../x", 2), ("", 1), ("a\0b", 1)]
        {
            assert!(!stays_inside(target.as_bytes(), depth), "{target}");
        }
    }
}
