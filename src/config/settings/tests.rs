use super::*;

fn load(text: &str) -> Result<Settings> {
    let home = tempfile::tempdir().unwrap();
    let paths = Paths::under(home.path());
    std::fs::create_dir_all(&paths.config).unwrap();
    std::fs::write(paths.settings_file(), text).unwrap();
    let environment = Environment { home: Some("/home/alice".into()), ..Environment::default() };
    Settings::load(&environment, &paths)
}

#[test]
fn the_documented_file_is_the_default_and_a_missing_one_is_fine() {
    assert_eq!(load(DEFAULTS).unwrap(), Settings::default());
    assert_eq!(Settings::load(&Environment::default(), &Paths::under("/nowhere".as_ref())).unwrap(), Settings::default());
    let settings = Settings::default();
    assert_eq!((settings.profile.as_str(), settings.host.as_str(), settings.ca_bundle), ("default", "", CaBundle::Auto));
    assert_eq!((settings.image.tag.as_str(), settings.image.base.as_str()), ("palisade-sandbox:latest", "debian:trixie-slim"));
    assert_eq!(settings.workspace.allowed_roots, Vec::<PathBuf>::new());
}

#[test]
fn every_key_is_in_the_documented_file() {
    let document: toml::Table = DEFAULTS.parse().unwrap();
    for (key, _) in KEYS {
        let mut names = key.split('.');
        let first = names.next().and_then(|name| document.get(name));
        assert!(names.try_fold(first, |value, name| value.map(|value| value.get(name))).flatten().is_some(), "{key}");
    }
}

#[test]
fn the_operators_file_says_only_what_differs() {
    let settings = load("ca_bundle = ''\n[image]\ntag = 'mine:1'\n[packages]\nnpm.url = 'http://mirror.test/npm/'\n[workspace]\nallowed_roots = ['~/p', '/srv']").unwrap();
    assert_eq!((settings.image.tag.as_str(), settings.ca_bundle), ("mine:1", CaBundle::None));
    assert_eq!(
        (settings.packages.npm.url.as_str(), settings.packages.pypi),
        ("http://mirror.test/npm/", Settings::default().packages.pypi)
    );
    assert_eq!(settings.workspace.allowed_roots, [PathBuf::from("/home/alice/p"), PathBuf::from("/srv")]);
}

#[test]
fn a_bad_file_is_named_with_the_key_the_line_and_the_way_out() {
    for (text, detail, hint) in [
        ("profil = 'x'", "'profil' in CONFIG, line 1", "did you mean 'profile'?"),
        ("\n[image]\ntga = 'x'", "'image.tga' in CONFIG, line 3", "did you mean 'image.tag'?"),
        ("image = 'x'", "'image' in CONFIG, line 1", ""),
        ("host = 5", "'host' in CONFIG, line 1", "'host' takes an engine's address"),
        ("[packages.pypi]\nurl = 'ftp://x'", "'packages.pypi.url' in CONFIG: 'ftp://x'", "'packages.pypi.url' takes"),
        ("[packages.npm]\nurl = 'https://x/$(id)'", "'packages.npm.url'", "'packages.npm.url' takes"),
        (
            "[packages.npm]\nurl = 'https://me:geheim@x/'",
            "'packages.npm.url' in CONFIG: an address with a user",
            "'packages.npm.url' takes",
        ),
        ("[packages]\nproxy = 'http://me:geheim@x'", "'packages.proxy' in CONFIG: an address with a user", "'packages.proxy' takes"),
        ("[packages]\nindex_ttl = '31days'", "'packages.index_ttl' in CONFIG: '31days'", "'packages.index_ttl' takes"),
        ("[packages.pypi]\nprivate = [{ url = 'https://x/?token=geheim' }]", "'packages.pypi.private'", "'packages.pypi.private' takes"),
        (
            "[packages.pypi]\nprivate = [{ url = 'https://x/', ows = [] }]",
            "'packages.pypi.private' in CONFIG, line 2",
            "'packages.pypi.private' takes",
        ),
        ("[packages.pypi]\nprivate = [{ owns = ['a'] }]", "'packages.pypi.private' in CONFIG, line 2", "'packages.pypi.private' takes"),
        (
            "[packages.pypi]\nprivate = [{ url = 'https://x/', owns = ['@a/*'] }]",
            "'packages.pypi.private' in CONFIG: 'owns = @a/*'",
            "'packages.pypi",
        ),
        (
            "[packages.npm]\nprivate = [{ url = 'https://x/', credentials_file = 'token' }]",
            "'packages.npm.private' in CONFIG: 'cred",
            "'packages.npm",
        ),
        ("[dashboard]\ntheem = 'x'", "'dashboard.theem' in CONFIG, line 2", "did you mean 'dashboard.theme'?"),
        ("[dashboard]\nmouse = 'yes'", "'dashboard.mouse' in CONFIG, line 2", "'dashboard.mouse' takes true or false"),
        ("[keys]\nquit = 'q'", "'keys.quit' in CONFIG, line 2", "'keys' takes a table of actions"),
        ("[depot]\nname = '-x'", "'depot.name' in CONFIG: '-x'", "'depot.name' takes"),
        ("[depot]\nnetwork = 'host'", "'depot.network' in CONFIG: 'host'", "'depot.network' takes"),
        ("[depot]\nnetwork = 'container:x'", "'depot.network'", "'depot.network' takes"),
        ("[depot]\nmemory = '1MiB'", "'depot.memory'", "'depot.memory' takes"),
        ("[depot]\nstore_size = '1GiB'\n", "'depot.artifact_size' in CONFIG: '4 GiB'", "'depot.artifact_size' takes"),
        ("[depot]\nstore_sze = '1GiB'\n", "'depot.store_sze' in CONFIG, line 2", "did you mean 'depot.store_size'?"),
        ("[image]\nsuite = '../x'", "'image.suite'", "'image.suite' takes"),
        ("[image]\nbase = '--x'", "'image.base'", "'image.base' takes"),
        ("profile = ''", "'profile' in", "'profile' takes"),
        ("ca_bundle = 'x.pem'", "'ca_bundle' in CONFIG: 'x.pem'", "'ca_bundle' takes"),
        ("[workspace]\nallowed_roots = ['work']", "'workspace.allowed_roots'", "'workspace.allowed_roots' takes a list of folders"),
    ] {
        let error = load(text).unwrap_err();
        assert_eq!(error.code, Code::InvalidConfig);
        let (key, rest) = error.details[0].split_once(" in /").unwrap();
        let (_, place) = rest.split_once("/config.toml").unwrap();
        assert!(format!("{key} in CONFIG{place}").starts_with(detail), "{error}");
        assert!(!error.to_string().contains("geheim"), "{error}");
        assert!(error.hint.clone().unwrap_or_default().starts_with(hint), "{error}");
    }
}

#[test]
fn private_registries_own_names_in_one_spelling_and_no_two_own_the_same() {
    let text = "[[packages.pypi.private]]\nurl = 'https://one.example/simple/'\nowns = ['Corp_*', 'corp.*']\ncredentials_file = '~/token'\n\
                [[packages.pypi.private]]\nurl = 'https://two.example/simple/'\n[[packages.npm.private]]\nurl = 'https://npm.example'\nowns = ['@corp/*']";
    let settings = load(text).unwrap();
    let [one, two] = &settings.packages.pypi.private[..] else { panic!("two registries") };
    assert_eq!((one.owns.as_slice(), two.owns.len()), (&["corp-*".to_owned()][..], 0));
    assert_eq!(one.credentials_file.as_deref(), Some("/home/alice/token".as_ref()));
    let error = load(&text.replace("two.example/simple/'", "two.example/simple/'\nowns = ['corp-x']")).unwrap_err();
    assert!(error.to_string().contains("two registries own the same names: 'corp-*' and 'corp-x'"), "{error}");
}
