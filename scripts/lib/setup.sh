# shellcheck shell=bash
# What scripts/quickstart and scripts/test need before they begin: a linker, the binary, an engine, the sandbox image.
# Sourced. Installs only what is missing, leaves an engine that answers alone, and is silent where there is nothing to do.
# Standard output belongs to palisade: everything here is said on standard error.

# What cargo builds: scripts/test names another.
BUILD_PROFILE=${BUILD_PROFILE:-release}
# palisade's exit code where no engine answers.
readonly ENGINE_UNREACHABLE=3
readonly DEFAULT_SOCKET=/var/run/docker.sock
readonly ENGINE_LOG=/var/log/palisade-dockerd.log
readonly ENGINE_WAIT_S=60

# The system's own tools, which an ordinary user's path may lack.
PATH="$PATH:/usr/sbin:/sbin"

say() {
    printf '==> %s\n' "$*" >&2
}

give_up() {
    printf 'error: %s\n' "$1" >&2
    if [ $# -gt 1 ]; then
        printf 'hint: %s\n' "$2" >&2
    fi
    exit 1
}

is_root() {
    [ "$(id -u)" -eq 0 ]
}

# Runs a command as root, with those of our variables that it may need: sudo itself drops them.
as_root() {
    if is_root; then
        "$@"
        return
    fi
    command -v sudo > /dev/null || give_up "this needs root: $*" "run the script as root, or install sudo"
    local name kept=()
    for name in DOCKER_HOST DOCKER_CONTEXT DOCKER_CONFIG DOCKER_CERT_PATH DOCKER_TLS_VERIFY HOME XDG_CONFIG_HOME SSL_CERT_FILE \
        http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        if [ -n "${!name:-}" ]; then
            kept+=("$name=${!name}")
        fi
    done
    sudo env "${kept[@]}" "$@"
}

# apt_install PACKAGE...: the package lists are fetched only where they do not have what is wanted.
apt_install() {
    command -v apt-get > /dev/null || give_up "$* must be installed, and this is neither Debian nor Ubuntu" "install it by hand and run this again"
    say "installing $*"
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
    if ! as_root "${apt[@]}" install --no-install-recommends "$@" > /dev/null 2>&1 < /dev/null; then
        # A source of someone else's that fails must not keep Debian's own from being used.
        as_root "${apt[@]}" update >&2 < /dev/null || true
        as_root "${apt[@]}" install --no-install-recommends "$@" >&2 < /dev/null || give_up "cannot install $*"
    fi
}

ensure_toolchain() {
    if ! command -v cargo > /dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
        PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    fi
    command -v cargo > /dev/null || give_up "cargo is not installed" "install Rust (rustup is the usual way) and run this again"
    if ! command -v cc > /dev/null; then
        apt_install gcc libc6-dev
    fi
    # .cargo/config.toml names the usual architecture's target.
    if [ -z "${CARGO_BUILD_TARGET:-}" ] && [ "$(uname -m)" = aarch64 ]; then
        export CARGO_BUILD_TARGET=aarch64-unknown-linux-gnu
    fi
    PALISADE="${CARGO_TARGET_DIR:-$ROOT/target}/${CARGO_BUILD_TARGET:-x86_64-unknown-linux-gnu}/$BUILD_PROFILE/palisade"
}

# Builds the binary where anything that it is made of is younger, folders included (a file may be gone).
ensure_binary() {
    local parts=("$ROOT/src" "$ROOT/assets" "$ROOT/config" "$ROOT/.cargo" "$ROOT/Cargo.toml" "$ROOT/Cargo.lock")
    if [ -x "$PALISADE" ] && [ -z "$(find "${parts[@]}" -newer "$PALISADE" -print -quit)" ]; then
        return
    fi
    say "building palisade"
    (cd "$ROOT" && cargo build --profile "$BUILD_PROFILE" --locked >&2) || give_up "palisade cannot be built"
    # cargo leaves a binary alone that is up to date by its own account: the next run need not ask it again.
    touch "$PALISADE"
}

# The context that docker itself would use: empty for the default one.
docker_context() {
    local config="${DOCKER_CONFIG:-$HOME/.docker}/config.json" context="${DOCKER_CONTEXT:-}"
    if [ -z "$context" ] && [ -r "$config" ]; then
        context=$(sed -n 's/.*"currentContext"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p' "$config" | head -n 1)
    fi
    [ "$context" = default ] || printf '%s' "$context"
}

# Whether palisade looks for its engine where one that is installed here would be.
engine_belongs_here() {
    case "${DOCKER_HOST:-}" in
        "") [ -z "$(docker_context)" ] ;;
        "unix://$DEFAULT_SOCKET" | unix:///run/docker.sock) true ;;
        *) false ;;
    esac
}

# How palisade is run: through sudo where the engine's socket is root's and this user is in none of its groups.
choose_runner() {
    RUNNER=("$PALISADE")
    if ! is_root && engine_belongs_here && [ -S "$DEFAULT_SOCKET" ] && [ ! -w "$DEFAULT_SOCKET" ]; then
        say "using sudo: $DEFAULT_SOCKET is not this user's (to do without, join its group and log in again)"
        RUNNER=(as_root "$PALISADE")
    fi
}

engine_answers() {
    local code=0
    "${RUNNER[@]}" ls -q > /dev/null 2>&1 < /dev/null || code=$?
    [ "$code" -ne "$ENGINE_UNREACHABLE" ]
}

# await_engine PID: until it answers. It ends early where that process does.
await_engine() {
    local deadline=$((SECONDS + ENGINE_WAIT_S))
    until choose_runner 2> /dev/null && engine_answers; do
        if [ -n "$1" ] && ! as_root kill -0 "$1" 2> /dev/null; then
            return 1
        fi
        [ "$SECONDS" -lt "$deadline" ] || return 1
        # Between two questions, not instead of them.
        sleep 0.1
    done
}

# Installs and starts an engine. Only ever called where none answers.
ensure_engine() {
    engine_belongs_here || {
        # palisade's own words say which address it was.
        "${RUNNER[@]}" ls -q > /dev/null || true
        give_up "the engine that is named does not answer, and another one would be of no use" "start it, or unset DOCKER_HOST and DOCKER_CONTEXT for an engine on this machine"
    }
    command -v dockerd > /dev/null || apt_install docker.io iptables ca-certificates
    if [ -d /run/systemd/system ]; then
        say "starting Docker"
        as_root systemctl start docker >&2 || give_up "Docker does not start" "see: journalctl -u docker"
        await_engine "" || give_up "Docker does not answer within $ENGINE_WAIT_S seconds" "see: journalctl -u docker"
    else
        start_dockerd
    fi
    choose_runner
}

# Without systemd: a session of its own, so that it outlives this terminal.
start_dockerd() {
    local pid=""
    # One that is on its way up is waited for; a dead one that nobody reaped is none.
    # shellcheck disable=SC2009  # pgrep counts the dead
    if ! ps -C dockerd -o stat= 2> /dev/null | grep -qv '^Z'; then
        # A machine without an init system may not have mounted the control groups; no limit would hold.
        if [ -z "$(ls -A /sys/fs/cgroup 2> /dev/null)" ]; then
            as_root mount -t cgroup2 cgroup2 /sys/fs/cgroup >&2 || give_up "the control groups cannot be mounted at /sys/fs/cgroup"
        fi
        # After a machine was cut off, the pids that are written down may be somebody else's by now.
        as_root rm -f /var/run/docker.pid
        # shellcheck disable=SC2009
        ps -C containerd -o stat= 2> /dev/null | grep -qv '^Z' || as_root rm -f /var/run/docker/containerd/containerd.pid
        say "starting dockerd (its log is $ENGINE_LOG)"
        # shellcheck disable=SC2016  # the inner shell's own
        pid=$(as_root sh -c 'setsid dockerd > "$0" 2>&1 < /dev/null & echo $!' "$ENGINE_LOG")
    fi
    if ! await_engine "$pid"; then
        [ ! -r "$ENGINE_LOG" ] || tail -n 15 "$ENGINE_LOG" >&2
        give_up "dockerd does not answer" "the last of its log is above; all of it is in $ENGINE_LOG"
    fi
}

# The first answer is kept from the screen only where a way to go on is known.
ensure_image() {
    local code=0
    local build=(image build --if-needed)
    if command -v debootstrap > /dev/null && is_root; then
        "${RUNNER[@]}" "${build[@]}" > /dev/null < /dev/null || code=$?
        return "$code"
    fi
    local answer
    answer=$("${RUNNER[@]}" "${build[@]}" --json < /dev/null) || code=$?
    case "$code:$answer" in
        0:*) ;;
        *bootstrap*)
            command -v debootstrap > /dev/null || apt_install debootstrap debian-archive-keyring gpgv
            code=0
            as_root "$PALISADE" "${build[@]}" > /dev/null < /dev/null || code=$?
            ;;
        *) printf '%s\n' "$answer" >&2 ;;
    esac
    return "$code"
}

# Everything. Leaves RUNNER as the way to call palisade.
set_up() {
    ensure_toolchain
    ensure_binary
    choose_runner
    engine_answers || ensure_engine
    local code=0
    ensure_image || code=$?
    [ "$code" -eq 0 ] || give_up "the sandbox image is not there" "'$PALISADE doctor' says what is wrong"
}
