//! placeholder
fn main() {
    let mut a = std::env::args_os().skip(1);
    if a.next().is_some_and(|x| x == "supervise") {
        std::process::exit(palisade::supervisor::main(a).into())
    }
}
