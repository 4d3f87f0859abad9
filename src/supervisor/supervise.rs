use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags};
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::descriptors::Descriptors;
use super::disk::Disk;
use super::gate::{Frame, Stdin, WAITING_NAME};
use super::keeper::{Deadline, Keeper};
use super::life::Life;
use super::options::Options;
use super::outlet::Outlets;
use super::signals::{Awaited, Signals, wait_for};
use super::start::{Streams, environment, start};
use super::{limits, relay, secrets, terminals};
use crate::depot::{self, wire};
use crate::terminal::Size;

/// Ours, as `docker run` has it: the command was never started.
pub(super) const EXIT_OURS: u8 = 125;
/// The command is there but cannot be executed.
pub(super) const EXIT_NOT_EXECUTABLE: u8 = 126;
/// There is no such command.
pub(super) const EXIT_NOT_FOUND: u8 = 127;
/// Its files took more than they may.
pub const EXIT_DISK: u8 = 122;
/// The deadline passed, as timeout(1) has it.
pub const EXIT_TIMEOUT: u8 = 124;
/// Nobody opened the gate: the manager is gone, or the container was started without one.
const GATE_PATIENCE: Duration = Duration::from_mins(2);
/// For who launched a command in a terminal to look at it; then it begins all the same.
const LOOK_PATIENCE: Duration = Duration::from_secs(30);

/// For a word to be taken.
const SAYING: Duration = Duration::from_secs(2);

/// Where secrets arrive; `policy::plan` names the same folder to people.
const SECRETS: &str = "/run/secrets";

/// `palisade supervise`: the exit code is the command's.
pub fn main(args: impl IntoIterator<Item = OsString>) -> u8 {
    match Options::parse(args).map_err(|error| (EXIT_OURS, error)).and_then(|options| supervise(&options)) {
        Ok(code) => {
            for sentence in limits::run_into() {
                say(&sentence);
            }
            code
        }
        Err((code, error)) => {
            say(&error);
            code
        }
    }
}

type Outcome = Result<u8, (u8, String)>;

fn supervise(options: &Options) -> Outcome {
    let ours = |doing: &str| {
        let doing = doing.to_owned();
        move |error: io::Error| (EXIT_OURS, format!("cannot {doing}: {error}"))
    };
    let mut signals = Signals::block().map_err(ours("take signals"))?;
    // The command runs as the same user: it must not trace this process or read its memory, where secrets pass through.
    prctl::set_dumpable(false).map_err(|errno| ours("protect this process")(errno.into()))?;
    let mut stdin = File::from(io::stdin().as_fd().try_clone_to_owned().map_err(ours("read standard input"))?);

    name_this_process(WAITING_NAME).map_err(ours("name this process"))?;
    if let Some(signal) = signals.until_readable(stdin.as_fd(), GATE_PATIENCE).map_err(|error| (EXIT_OURS, error.to_string()))? {
        return Ok(exit_by(signal));
    }
    let frame = Frame::read(&mut stdin)
        .map_err(|error| (EXIT_OURS, format!("the manager went before it had measured this session, nothing was run: {error}")))?;
    name_this_process("palisade").map_err(ours("name this process"))?;
    let placed = frame.secrets().and_then(|secrets| secrets::place(Path::new(SECRETS), &secrets));
    placed.map_err(ours(&format!("write the secrets to {SECRETS}")))?;

    // Both listen before the command can ask, and work from the first wait on.
    let descriptors = Descriptors::of_this_process();
    if let Some(token) = &frame.depot {
        let _among = signals.duties.enter();
        relay(token, descriptors.relay).map_err(ours(&format!("listen at {} for the package depot", depot::RELAY)))?;
    }
    let life = Life::new(options.ttl, options.unused, frame.renewal());
    let held = terminals::Bounds::under(descriptors.terminals, options.grace, options.shell_idle);
    let socket = options.terminals.as_deref().unwrap_or(terminals::SOCKET);
    signals.hold_terminals(socket, held, options.tty, life.clone()).map_err(ours("listen for who wants a terminal"))?;

    let disk = {
        let _among = signals.duties.enter();
        Disk::keep(options.disk.clone(), life.clone())
    };
    let deadline = options.timeout.map(|timeout| Deadline::set(timeout, options.grace)).transpose().map_err(ours("set the timeout"))?;
    let mut keeper = Keeper::new(life, disk, deadline, options.grace).map_err(ours("set the deadline"))?;
    if options.command.is_empty() {
        return Ok(idle(&signals, &mut keeper));
    }
    if options.tty {
        close_stdin(stdin);
        return in_terminal(options, frame.stdin, &mut signals, &mut keeper);
    }
    if frame.stdin == Stdin::Null {
        close_stdin(stdin);
        return unattended(options, &signals, &mut keeper);
    }
    let child = start(&options.command, &environment([]), Streams::Ours).map_err(|errno| not_run(options, errno))?;
    close_stdin(stdin);
    watch(child, &signals, &mut keeper, options.grace)
}

/// Runs the command with nothing to read, and passes on to the engine what it writes.
fn unattended(options: &Options, signals: &Signals, keeper: &mut Keeper) -> Outcome {
    let ours = |error: io::Error| (EXIT_OURS, format!("cannot pass on what the command writes: {error}"));
    let outlets = Outlets::open().map_err(ours)?;
    let (output, errors) = outlets.of_command();
    let child = start(&options.command, &environment([]), Streams::Writes(output, errors)).map_err(|errno| not_run(options, errno))?;
    let mut passing = {
        let _among = signals.duties.enter();
        outlets.pass().map_err(ours)?
    };
    let outcome = watch(child, signals, keeper, options.grace);
    signals.last(passing.finish()).map_err(ours)?;
    outcome
}

fn not_run(options: &Options, errno: Errno) -> (u8, String) {
    let code = if errno == Errno::ENOENT { EXIT_NOT_FOUND } else { EXIT_NOT_EXECUTABLE };
    let program = options.command.first().map(|program| program.display().to_string()).unwrap_or_default();
    (code, format!("cannot run {program}: {}", errno.desc()))
}

/// Runs the command in terminal 0. Whoever launched it to look on has it started once they do, in a terminal of their size.
fn in_terminal(options: &Options, stdin: Stdin, signals: &mut Signals, keeper: &mut Keeper) -> Outcome {
    let ours = |error: io::Error| (EXIT_OURS, format!("cannot give the command a terminal: {error}"));
    let mut size = Size::USUAL;
    if stdin == Stdin::Pass {
        let due = Instant::now() + LOOK_PATIENCE;
        loop {
            match signals.until_awaited(due).map_err(ours)? {
                Awaited::By(their) => {
                    size = their;
                    break;
                }
                Awaited::Signal(signal @ (Signal::SIGTERM | Signal::SIGINT | Signal::SIGQUIT | Signal::SIGHUP)) => {
                    return Ok(exit_by(signal));
                }
                Awaited::Signal(_) => {}
                Awaited::Nobody => break,
            }
        }
    }
    let log = io::stdout().as_fd().try_clone_to_owned().map_err(ours)?;
    let outcome = match signals.start_in_terminal(&options.command, size, log) {
        Ok(child) => watch(child, signals, keeper, options.grace),
        Err(errno) => Err(not_run(options, errno)),
    };
    signals.tell_the_end(&outcome).map_err(ours)?;
    outcome
}

fn relay(token: &str, descriptors: usize) -> io::Result<()> {
    let address = depot::RELAY.parse().map_err(io::Error::other)?;
    let bounds = relay::Bounds::under(descriptors);
    relay::listen(address, relay::Way { depot: depot::SOCKET.into(), greeting: wire::greeting(token), bounds }).map(drop)
}

/// Lets go of standard input, so that the command alone decides when its pipe breaks.
fn close_stdin(stdin: File) {
    drop(stdin);
    #[expect(clippy::disallowed_methods, reason = "a device, to stand where the pipe stood")]
    if let Ok(null) = File::open("/dev/null") {
        // A failure leaves the pipe open in this process: the writer then learns of a closed pipe later, at the end.
        let _ = nix::unistd::dup2_stdin(null);
    }
}

/// Waits for the command, forwarding signals and keeping the deadlines.
fn watch(pid: Pid, signals: &Signals, keeper: &mut Keeper, grace: Duration) -> Outcome {
    let lost = |error: io::Error| (EXIT_OURS, format!("cannot wait for the command: {error}"));
    let mut killed_at = None;
    loop {
        let by_us = killed_at.map(|(_, code)| code);
        match waitpid(pid, Some(WaitPidFlag::WNOHANG)).map_err(|errno| lost(errno.into()))? {
            WaitStatus::Exited(_, code) => return Ok(by_us.unwrap_or(code.to_le_bytes()[0])),
            WaitStatus::Signaled(_, signal, _) => return Ok(by_us.unwrap_or_else(|| exit_by(signal))),
            _ => {}
        }
        let due = killed_at.map(|(at, _)| at).or_else(|| keeper.next());
        match signals.next(due, keeper.life()).map_err(lost)? {
            // The loop asks after the child; another's SIGCHLD is init's business.
            Some(Signal::SIGCHLD) | None => {}
            // ESRCH: it ended meanwhile, and the loop finds out.
            Some(signal) => _ = kill(pid, signal),
        }
        match killed_at {
            Some((at, code)) if Instant::now() >= at => {
                // This process ends next, init follows, and the kernel ends every process of the namespace.
                let _ = killpg(pid, Signal::SIGKILL);
                return Ok(code);
            }
            Some(_) => {}
            None => {
                if let Some(code) = keeper.over(signals).map_err(lost)? {
                    killed_at = Some((Instant::now() + grace, code));
                    let _ = killpg(pid, Signal::SIGTERM);
                }
            }
        }
    }
}

/// Holds the session open without a command until it is told to end.
fn idle(signals: &Signals, keeper: &mut Keeper) -> u8 {
    loop {
        match signals.next(keeper.next(), keeper.life()) {
            Ok(Some(signal @ (Signal::SIGTERM | Signal::SIGINT | Signal::SIGQUIT | Signal::SIGHUP))) => return exit_by(signal),
            Ok(Some(_) | None) => {}
            Err(_) => return EXIT_OURS,
        }
        match keeper.over(signals) {
            Ok(Some(code)) => return code,
            Ok(None) => {}
            Err(_) => return EXIT_OURS,
        }
    }
}

pub(super) fn name_this_process(name: &str) -> io::Result<()> {
    let name = std::ffi::CString::new(name).map_err(io::Error::other)?;
    Ok(prctl::set_name(&name)?)
}

const fn exit_by(signal: Signal) -> u8 {
    128u8.wrapping_add((signal as i32).to_le_bytes()[0])
}

/// One line on standard error, which is the operator's, as long as somebody takes it.
pub(super) fn say(text: &str) {
    // A command may be the image's own, and its name anything.
    let line = format!("palisade: {}\n", crate::units::sanitise(text));
    let (mut rest, due) = (line.as_bytes(), Instant::now() + SAYING);
    while !rest.is_empty() {
        match nix::unistd::write(io::stderr(), rest) {
            Ok(written) => rest = &rest[written..],
            Err(Errno::EINTR) => {}
            // It does not wait where it is also what the command's output is passed on to.
            Err(Errno::EAGAIN) if Instant::now() < due => {
                let _ = wait_for(&mut [PollFd::new(io::stderr().as_fd(), PollFlags::POLLOUT)], Some(due - Instant::now()));
            }
            Err(_) => return,
        }
    }
}
