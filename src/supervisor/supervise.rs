use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp};
use nix::sys::prctl;
use nix::sys::signal::{SigEvent, SigSet, SigevNotify, Signal, kill, killpg};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::stat::Mode;
use nix::sys::timer::{Expiration, Timer, TimerSetTimeFlags};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::time::ClockId;
use nix::unistd::Pid;

use super::gate::{Frame, Stdin, WAITING_NAME};
use super::options::Options;
use super::relay::{Bounds, Relay, Way};
use super::secrets;
use crate::depot::{self, wire};

/// Ours, as `docker run` has it: the command was never started.
pub(super) const EXIT_OURS: u8 = 125;
/// The command is there but cannot be executed.
pub(super) const EXIT_NOT_EXECUTABLE: u8 = 126;
/// There is no such command.
pub(super) const EXIT_NOT_FOUND: u8 = 127;
/// The deadline passed, as timeout(1) has it.
const EXIT_TIMEOUT: u8 = 124;
/// Nobody opened the gate: the manager is gone, or the container was started without one.
const GATE_PATIENCE: Duration = Duration::from_mins(2);
/// What the kernel's own timer allows beyond deadline and grace.
const KERNEL_MARGIN: Duration = Duration::from_secs(2);

/// Where secrets arrive; `policy::plan` names the same folder to people.
const SECRETS: &str = "/run/secrets";

/// `palisade supervise`: the exit code is the command's.
pub fn main(args: impl IntoIterator<Item = OsString>) -> u8 {
    match Options::parse(args).map_err(|error| (EXIT_OURS, error)).and_then(|options| supervise(&options)) {
        Ok(code) => code,
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

    if let Some(token) = &frame.depot {
        // It listens before the command can ask, and works from the first wait on.
        signals.relay = Some(relay(token).map_err(ours(&format!("listen at {} for the package depot", depot::RELAY)))?);
    }

    let deadline = options.timeout.map(|timeout| Deadline::set(timeout, options.grace)).transpose().map_err(ours("set the timeout"))?;
    let Some(program) = options.command.first() else {
        return Ok(idle(&signals, deadline.as_ref()));
    };
    let child = spawn(program, &options.command, frame.stdin).map_err(|errno| {
        let code = if errno == Errno::ENOENT { EXIT_NOT_FOUND } else { EXIT_NOT_EXECUTABLE };
        (code, format!("cannot run {}: {}", program.display(), errno.desc()))
    })?;
    close_stdin(stdin);
    watch(child, &signals, deadline.as_ref(), options.grace)
}

fn relay(token: &str) -> io::Result<Relay> {
    let address = depot::RELAY.parse().map_err(io::Error::other)?;
    Relay::listen(address, Way { depot: depot::SOCKET.into(), greeting: wire::greeting(token), bounds: Bounds::of_this_process() })
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

/// Starts the command in a process group of its own, so that the deadline reaches its children and not this process,
/// with no signal blocked or ignored: the standard library would hand on this process's mask.
fn spawn(program: &OsStr, argv: &[OsString], stdin: Stdin) -> Result<Pid, Errno> {
    let text = |text: &OsStr| CString::new(text.as_bytes()).map_err(|_| Errno::EINVAL);
    let argv = argv.iter().map(|argument| text(argument)).collect::<Result<Vec<_>, _>>()?;
    let env = std::env::vars_os().map(|(name, value)| text(&[name, value].join(OsStr::new("=")))).collect::<Result<Vec<_>, _>>()?;
    let mut attributes = PosixSpawnAttr::init()?;
    let flags = PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF | PosixSpawnFlags::POSIX_SPAWN_SETPGROUP;
    attributes.set_flags(flags)?;
    attributes.set_pgroup(Pid::from_raw(0))?;
    attributes.set_sigmask(&SigSet::empty())?;
    attributes.set_sigdefault(&SigSet::all())?;
    let mut files = PosixSpawnFileActions::init()?;
    if stdin == Stdin::Null {
        files.add_open(0, "/dev/null", OFlag::O_RDONLY, Mode::empty())?;
    }
    posix_spawnp(&text(program)?, &files, &attributes, &argv, &env)
}

/// Waits for the command, forwarding signals and keeping the deadline.
fn watch(pid: Pid, signals: &Signals, deadline: Option<&Deadline>, grace: Duration) -> Outcome {
    let lost = |error: io::Error| (EXIT_OURS, format!("cannot wait for the command: {error}"));
    let mut due = deadline.map(|deadline| deadline.at);
    let mut timed_out = false;
    loop {
        match waitpid(pid, Some(WaitPidFlag::WNOHANG)).map_err(|errno| lost(errno.into()))? {
            WaitStatus::Exited(..) | WaitStatus::Signaled(..) if timed_out => return Ok(EXIT_TIMEOUT),
            WaitStatus::Exited(_, code) => return Ok(code.to_le_bytes()[0]),
            WaitStatus::Signaled(_, signal, _) => return Ok(exit_by(signal)),
            _ => {}
        }
        match signals.next(due).map_err(lost)? {
            // The loop asks after the child; another's SIGCHLD is init's business.
            Some(Signal::SIGCHLD) => {}
            // ESRCH: it ended meanwhile, and the loop finds out.
            Some(signal) => _ = kill(pid, signal),
            None if timed_out => {
                // This process ends next, init follows, and the kernel ends every process of the namespace.
                let _ = killpg(pid, Signal::SIGKILL);
                return Ok(EXIT_TIMEOUT);
            }
            None => {
                timed_out = true;
                due = Some(Instant::now() + grace);
                let limit = deadline.map_or(0, |deadline| deadline.limit.as_secs());
                say(&format!("timeout: the command ran for {limit} s and is ended; --timeout sets the limit"));
                let _ = killpg(pid, Signal::SIGTERM);
            }
        }
    }
}

/// Holds the session open without a command until it is told to end.
fn idle(signals: &Signals, deadline: Option<&Deadline>) -> u8 {
    loop {
        match signals.next(deadline.map(|deadline| deadline.at)) {
            Ok(Some(signal @ (Signal::SIGTERM | Signal::SIGINT | Signal::SIGQUIT | Signal::SIGHUP))) => return exit_by(signal),
            Ok(Some(_)) => {}
            Ok(None) => return EXIT_TIMEOUT,
            Err(_) => return EXIT_OURS,
        }
    }
}

/// When the command must have ended, kept twice: by this process's own clock, and by a timer of the kernel's that
/// kills this process, and with it the container. The command runs as the same user and could stop this process
/// with SIGSTOP; it cannot stop the kernel.
struct Deadline {
    at: Instant,
    limit: Duration,
    _kernel: Timer,
}

impl Deadline {
    fn set(limit: Duration, grace: Duration) -> io::Result<Self> {
        let event = SigEvent::new(SigevNotify::SigevSignal { signal: Signal::SIGKILL, si_value: 0 });
        let mut kernel = Timer::new(ClockId::CLOCK_MONOTONIC, event)?;
        kernel.set(Expiration::OneShot((limit + grace + KERNEL_MARGIN).into()), TimerSetTimeFlags::empty())?;
        Ok(Self { at: Instant::now() + limit, limit, _kernel: kernel })
    }
}

/// The signals that this process takes from a file descriptor instead of being interrupted by them, and what it does
/// while it waits for one.
struct Signals {
    fd: SignalFd,
    relay: Option<Relay>,
}

impl Signals {
    fn block() -> io::Result<Self> {
        let mut set = SigSet::empty();
        for signal in Signal::iterator() {
            // Faults must stay fatal; SIGKILL and SIGSTOP cannot be taken.
            let ours_to_take = !matches!(
                signal,
                Signal::SIGKILL
                    | Signal::SIGSTOP
                    | Signal::SIGSEGV
                    | Signal::SIGBUS
                    | Signal::SIGFPE
                    | Signal::SIGILL
                    | Signal::SIGTRAP
                    | Signal::SIGABRT
                    | Signal::SIGSYS
                    | Signal::SIGPIPE
            );
            if ours_to_take {
                set.add(signal);
            }
        }
        set.thread_block()?;
        let fd = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        Ok(Self { fd, relay: None })
    }

    /// The next signal, or `None` once `due` has come.
    fn next(&self, due: Option<Instant>) -> io::Result<Option<Signal>> {
        loop {
            if let Some(info) = self.fd.read_signal()? {
                let number = i32::try_from(info.ssi_signo).unwrap_or(0);
                // A real-time signal has no name here and no meaning to pass on.
                if let Ok(signal) = Signal::try_from(number) {
                    return Ok(Some(signal));
                }
                continue;
            }
            let patience = due.map(|due| due.saturating_duration_since(Instant::now()));
            if patience == Some(Duration::ZERO) {
                return Ok(None);
            }
            match &self.relay {
                Some(relay) => relay.wait(self.fd.as_fd(), patience)?,
                None => wait_for(&mut [PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)], patience)?,
            }
        }
    }

    /// Waits until `fd` can be read (`None`), or a signal that ends this process comes.
    fn until_readable(&self, fd: BorrowedFd<'_>, patience: Duration) -> io::Result<Option<Signal>> {
        let due = Instant::now() + patience;
        loop {
            while let Some(info) = self.fd.read_signal()? {
                if let Ok(signal @ (Signal::SIGTERM | Signal::SIGINT | Signal::SIGQUIT | Signal::SIGHUP)) =
                    Signal::try_from(i32::try_from(info.ssi_signo).unwrap_or(0))
                {
                    return Ok(Some(signal));
                }
            }
            let mut fds = [PollFd::new(fd, PollFlags::POLLIN), PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)];
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let message = "nobody measured this session and opened its gate, nothing was run; start it with: palisade start NAME";
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
            wait_for(&mut fds, Some(left))?;
            if fds[0].any() == Some(true) {
                return Ok(None);
            }
        }
    }
}

/// poll(2), where an interruption is no error and nothing is promised on return.
fn wait_for(fds: &mut [PollFd<'_>], patience: Option<Duration>) -> io::Result<()> {
    let timeout = match patience {
        None => PollTimeout::NONE,
        // A millisecond more, so that a wait never ends just before its time.
        Some(patience) => PollTimeout::try_from(patience + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX),
    };
    match poll(fds, timeout) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

fn name_this_process(name: &str) -> io::Result<()> {
    let name = std::ffi::CString::new(name).map_err(io::Error::other)?;
    Ok(prctl::set_name(&name)?)
}

const fn exit_by(signal: Signal) -> u8 {
    128u8.wrapping_add((signal as i32).to_le_bytes()[0])
}

/// One line on standard error, which is the operator's.
#[expect(clippy::print_stderr, reason = "the supervisor has no other way to be heard")]
pub(super) fn say(text: &str) {
    // A command may be the image's own, and its name anything.
    eprintln!("palisade: {}", crate::units::sanitise(text));
}
