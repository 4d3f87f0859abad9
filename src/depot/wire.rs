//! The one line with which a supervisor opens each connection to the depot: `PALISADE DEPOT 1 <token>\n`. What
//! follows is HTTP/1.1. The sandbox's own processes never see the token: it stays in the supervisor's memory.

/// What the line begins with.
pub const MAGIC: &str = "PALISADE DEPOT 1 ";
/// The longest line taken, line feed included.
pub const LONGEST: usize = 4096;

/// The line that shows a token.
pub fn greeting(token: &str) -> Vec<u8> {
    format!("{MAGIC}{token}\n").into_bytes()
}

/// The token in a line without its line feed; `None` for anything else.
pub fn token(line: &[u8]) -> Option<&str> {
    std::str::from_utf8(line)
        .ok()?
        .strip_prefix(MAGIC)
        .filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_reads_back_and_nothing_else_does() {
        let line = greeting("abc.def");
        assert_eq!(token(line.strip_suffix(b"\n").unwrap()), Some("abc.def"));
        for line in
            [&b""[..], b"GET / HTTP/1.1", b"PALISADE DEPOT 1 ", b"PALISADE DEPOT 2 x", b"PALISADE DEPOT 1 a b", b"PALISADE DEPOT 1 \xff"]
        {
            assert_eq!(token(line), None);
        }
    }
}
