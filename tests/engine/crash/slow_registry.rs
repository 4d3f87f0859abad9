//! A registry beside a depot on an engine of its own: it has one package, which takes its time to come.

use super::scene::Scene;
use crate::depot::{crowd, registry};
use crate::support::{text, until, until_had};

/// By which its container is known; no label of ours.
const NAME: &str = "registry";
/// Longer than an engine takes to be killed.
const SERVER: &str = r"
import http.server, time
class Slow(http.server.SimpleHTTPRequestHandler):
    def copyfile(self, source, out):
        if self.path.endswith('.whl'):
            print('file asked for', flush=True)
            time.sleep(10)
        super().copyfile(source, out)
http.server.ThreadingHTTPServer(('', 8000), Slow, True).serve_forever()
";

pub const PACKAGE: &str = "crowd-slow";
const SANDBOX: &str = "palisade-sandbox:latest";

/// Starts it, from the sandbox image, which the engine has afterwards; from now on it is the scene's one registry.
pub fn start(scene: &Scene) {
    let host = scene.engine.address();
    let image = format!("docker save {SANDBOX} | docker --host {host} load");
    assert!(std::process::Command::new("sh").args(["-c", &image]).stdout(std::process::Stdio::null()).status().unwrap().success());
    let (file, wheel) = (crowd::file_name("slow"), crowd::wheel("slow"));
    let folder = scene.config().join("registry");
    std::fs::create_dir_all(folder.join(PACKAGE)).unwrap();
    std::fs::write(folder.join(PACKAGE).join("index.html"), format!("<a href=\"{file}#sha256={}\">{file}</a>", registry::sha256(&wheel)))
        .unwrap();
    std::fs::write(folder.join(PACKAGE).join(&file), wheel).unwrap();
    std::fs::write(folder.join("serve.py"), SERVER).unwrap();
    // What a temporary folder keeps from others, a user in a container among them.
    for folder in [scene.config(), &folder] {
        std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let mount = format!("{}:/srv:ro", folder.display());
    let run = ["run", "-d", "--name", NAME, "--restart", "always", "-v", &mount, "-w", "/srv", SANDBOX, "python3", "serve.py"];
    let run = scene.engine.docker(&run);
    assert!(run.status.success(), "{}", text(&run.stderr));
    let address = until_had("the registry has an address", || {
        let inspected = scene.engine.docker(&["inspect", "--format", "{{.NetworkSettings.IPAddress}}", NAME]);
        Some(text(&inspected.stdout).trim().to_owned()).filter(|address| !address.is_empty()).ok_or_else(|| text(&inspected.stderr))
    });
    scene.set(&format!("[packages.pypi]\nurl = \"http://{address}:8000/\"\n"));
    scene.succeed(&["depot", "start"]);
}

/// Waits until the file of its package was asked for.
pub fn asked(scene: &Scene) {
    until("an install asks for its file", || text(&scene.engine.docker(&["logs", NAME]).stdout).contains("file asked for"));
}
