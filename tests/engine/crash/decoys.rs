//! What is not ours and looks like it: by name, or by a part of our labels.

use crate::engine::Engine;
use crate::support::text;

const ID: &str = "01arz3ndektsv4rrffq69g5fav";

/// Makes them. They stay as they are to the end.
pub fn plant(engine: &Engine) {
    let schema = "palisade.schema=1";
    let containers: [(&str, &[&str]); 7] = [
        ("palisade-web", &[]),
        ("palisade-home-01arz3ndektsv4rrffq69g5fav", &[]),
        ("palisade-probe-0123456789ab", &["palisade.role=probe"]),
        ("palisade-supervisor-0123456789abcdef-fill", &["palisade.schema=2", "palisade.role=supervisor"]),
        ("palisade-other", &["palisade.maker=a/b/1/2/c", "palisade.role=session"]),
        ("palisade-bare", &[schema]),
        ("palisade-listed", &[schema, "palisade.role=session", "palisade.session.id=01arz3ndektsv4rrffq69g5fav"]),
    ];
    for (name, labels) in containers {
        let labels = labels.iter().flat_map(|label| ["--label", label]);
        made(engine, &["create", "--name", name].into_iter().chain(labels).chain(["tiny:latest", "/none"]).collect::<Vec<_>>());
    }
    let (home, cache) = (format!("palisade-home-{ID}"), format!("palisade-cache-{ID}"));
    let nameless = "ab".repeat(32);
    let id = format!("palisade.session.id={ID}");
    let volumes: [(&str, &[&str]); 5] = [
        (&home, &[]),
        (&cache, &[schema, "palisade.role=session", &id]),
        (&nameless, &[schema, "palisade.role=session", &id]),
        ("palisade-store", &["palisade.role=depot"]),
        ("palisade-supervisor-0", &["palisade.maker=a/b/1/2/c"]),
    ];
    for (name, labels) in volumes {
        let labels = labels.iter().flat_map(|label| ["--label", label]);
        made(engine, &["volume", "create"].into_iter().chain(labels).chain([name]).collect::<Vec<_>>());
    }
}

fn made(engine: &Engine, args: &[&str]) {
    let output = engine.docker(args);
    assert!(output.status.success(), "docker {args:?}: {}", text(&output.stderr));
}
