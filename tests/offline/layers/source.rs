//! Just enough of Rust's grammar to know which paths a source file names: comments and literals fall away,
//! `use` trees are unfolded, `super` is resolved. Knows nothing of layers.

/// One source file, as far as imports go.
pub struct Source {
    /// `src/policy/plan.rs`.
    pub file: String,
    /// The file's own module: `["policy", "plan"]`; empty for the crate's root.
    pub module: Vec<String>,
    /// Every word outside comments and literals.
    pub words: Vec<String>,
    /// Methods called: the word between a dot and a parenthesis.
    pub methods: Vec<String>,
    /// Paths that lead outside the crate, as written, unfolded.
    pub outside: Vec<Vec<String>>,
    /// Paths that lead into the crate, from its root.
    pub inside: Vec<Vec<String>>,
}

impl Source {
    /// Reads a file's text.
    pub fn new(file: &str, text: &str) -> Self {
        let tokens = tokens(text);
        let module = module_of(file);
        let word = |at: usize| tokens.get(at).map_or("", String::as_str);
        let children: Vec<&str> = (0..tokens.len()).filter(|&at| word(at) == "mod" && word(at + 2) == ";").map(|at| word(at + 1)).collect();
        let mut source =
            Self { file: file.to_owned(), module, words: Vec::new(), methods: Vec::new(), outside: Vec::new(), inside: Vec::new() };
        // Modules written out in the file that are open here, each with the depth of its brace.
        let mut open: Vec<(String, usize)> = Vec::new();
        let (mut depth, mut at) = (0_usize, 0_usize);
        while at < tokens.len() {
            match word(at) {
                "{" => {
                    depth += 1;
                    if at >= 2 && word(at - 2) == "mod" {
                        open.push((word(at - 1).to_owned(), depth));
                    }
                }
                "}" => {
                    open.pop_if(|(_, brace)| *brace == depth);
                    depth = depth.saturating_sub(1);
                }
                name if is_word(name) && at > 0 && word(at - 1) == "." && word(at + 1) == "(" => source.methods.push(name.to_owned()),
                name if is_word(name) && word(at + 1) == "::" && (at == 0 || word(at - 1) != ".") => {
                    let here: Vec<String> = source.module.iter().cloned().chain(open.iter().map(|(name, _)| name.clone())).collect();
                    let mut paths = Vec::new();
                    at = unfold(&tokens, at, &[], &mut paths);
                    for path in paths {
                        match resolve(&path, &here, if open.is_empty() { &children } else { &[] }) {
                            Some(inside) => source.inside.push(inside),
                            None => source.outside.push(path),
                        }
                    }
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        source.words = tokens.into_iter().filter(|token| is_word(token)).collect();
        source
    }
}

fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs");
    let mut module: Vec<String> = path.split('/').map(str::to_owned).collect();
    module.pop_if(|last| last == "mod" || (last == "lib" && path == "lib"));
    module
}

/// A path from the crate's root, or `None` where it leads outside.
fn resolve(path: &[String], here: &[String], children: &[&str]) -> Option<Vec<String>> {
    match path.first()?.as_str() {
        "crate" | "palisade" => Some(path[1..].to_vec()),
        "self" => Some([here, &path[1..]].concat()),
        "super" => {
            let climbs = path.iter().take_while(|segment| *segment == "super").count();
            let base = &here[..here.len().saturating_sub(climbs)];
            Some([base, &path[climbs..]].concat())
        }
        child if children.contains(&child) => Some([here, path].concat()),
        _ => None,
    }
}

/// Unfolds the path or `use` tree that begins at `at`; gives where it ends.
fn unfold(tokens: &[String], mut at: usize, before: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let word = |at: usize| tokens.get(at).map_or("", String::as_str);
    let mut path = before.to_vec();
    loop {
        match word(at) {
            "{" => {
                at += 1;
                while !matches!(word(at), "}" | "") {
                    at = if word(at) == "," { at + 1 } else { unfold(tokens, at, &path, paths) };
                }
                return at + 1;
            }
            "self" if !before.is_empty() && path.len() == before.len() => {}
            name if is_word(name) || name == "*" => path.push(name.to_owned()),
            // What cannot be in a path ends it: the `<` of `Vec::<u8>`, say.
            _ => {
                paths.push(path);
                return at.max(1);
            }
        }
        at += 1;
        if word(at) != "::" {
            paths.push(path);
            return if word(at) == "as" { at + 2 } else { at };
        }
        at += 1;
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Words, `::` and single signs; no comments, no literals, no lifetimes.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let char = |at: usize| chars.get(at).copied().unwrap_or('\0');
    let (mut tokens, mut at) = (Vec::new(), 0);
    while at < chars.len() {
        let here = char(at);
        if here == '/' && char(at + 1) == '/' {
            at += chars[at..].iter().position(|c| *c == '\n').unwrap_or(chars.len() - at);
        } else if here == '/' && char(at + 1) == '*' {
            at = after_block_comment(&chars, at);
        } else if here == '"' {
            at = after_string(&chars, at);
        } else if let Some(after) = after_raw_string(&chars, at) {
            at = after;
        } else if here == '\'' {
            at = after_quote(&chars, at);
        } else if here.is_alphanumeric() || here == '_' {
            let length = chars[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
            tokens.push(chars[at..at + length].iter().collect());
            at += length;
        } else if here == ':' && char(at + 1) == ':' {
            tokens.push("::".to_owned());
            at += 2;
        } else {
            if !here.is_whitespace() {
                tokens.push(here.to_string());
            }
            at += 1;
        }
    }
    tokens
}

fn after_block_comment(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn after_string(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// `r"…"`, `br#"…"#`, `cr"…"`; `None` where none begins here.
fn after_raw_string(chars: &[char], start: usize) -> Option<usize> {
    let prefix = usize::from(matches!(chars[start], 'b' | 'c'));
    if chars.get(start + prefix) != Some(&'r') || (start > 0 && (chars[start - 1].is_alphanumeric() || chars[start - 1] == '_')) {
        return None;
    }
    let open = start + prefix + 1;
    let hashes = chars[open..].iter().take_while(|c| **c == '#').count();
    if chars.get(open + hashes) != Some(&'"') {
        return None;
    }
    let mut at = open + hashes + 1;
    while at < chars.len() && !(chars[at] == '"' && chars[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes) {
        at += 1;
    }
    Some(at + 1 + hashes)
}

/// A character literal is passed over whole; of a lifetime only the quote.
fn after_quote(chars: &[char], start: usize) -> usize {
    if chars.get(start + 1) == Some(&'\\') {
        let rest = &chars[start + 3..];
        return start + 3 + rest.iter().position(|c| *c == '\'').map_or(rest.len(), |quote| quote + 1);
    }
    if chars.get(start + 2) == Some(&'\'') { start + 3 } else { start + 1 }
}

#[test]
fn a_use_tree_unfolds_to_its_paths() {
    let text =
        "use crate::{a::{self, b as c, d::*}, e};\nuse super::f::G;\npub(crate) use self::h;\nfn x() { crate::i::j(); Vec::<u8>::new() }";
    let source = Source::new("src/m/n.rs", text);
    let inside: Vec<String> = source.inside.iter().map(|path| path.join("::")).collect();
    assert_eq!(inside, ["a", "a::b", "a::d::*", "e", "m::f::G", "m::n::h", "i::j"]);
}

#[test]
fn a_module_written_out_in_the_file_is_one_step_for_super() {
    let source = Source::new("src/m/mod.rs", "mod child;\nuse child::X;\nmod tests { use super::*; fn f() {} }\nuse super::up;");
    let inside: Vec<String> = source.inside.iter().map(|path| path.join("::")).collect();
    assert_eq!(inside, ["m::child::X", "m::*", "up"]);
}

#[test]
fn comments_and_literals_name_nothing() {
    let text = r##"
        //! crate::a /* and */ "not a string
        /* crate::b /* nested crate::c */ crate::d */
        const A: &str = "crate::e \" crate::f"; const B: &str = r#"crate::g " crate::h"#; const C: char = '"'; const D: u8 = b'\'';
        fn f<'a>(x: &'a str) -> &'a str { x.trim() } const E: &[u8] = br"crate::i";
        use crate::j;
    "##;
    let source = Source::new("src/lib.rs", text);
    assert_eq!(source.inside, [["j"]]);
    assert_eq!(source.methods, ["trim"]);
    assert!(source.module.is_empty());
}
