//! From what was typed to the command that it means.

use super::arguments::{Arguments, Command};
use super::attaching::{Attach, Shell};
use super::audit::{Audit, AuditCommand};
use super::cache::{Cache, CacheCommand};
use super::depot::{Depot, DepotCommand};
use super::evidence::{Evidence, EvidenceCommand};
use super::images::{Image, ImageCommand};
use super::sessions::{Cp, Exec, Logs, Ls};
use super::{attaching, pages, surroundings};
use crate::backend::engine::ExecRequest;
use crate::backend::{Backend, BuildOrder, Machine, Order};
use crate::dashboard;
use crate::depot::control::ControlVerb;
use crate::failure::{Code, Failure};
use crate::headless::actions::{Action, act};
use crate::headless::copy::{Way, copy};
use crate::headless::document::ImageBuilt;
use crate::headless::list::Filter;
use crate::headless::{
    Context, Done, Plain, Search, Stop, TerminalReporter, attach, audit, cache, code_for_foreground, depot, diff, disk, doctor, events,
    evidence, images, inspect, launch, list, logs, metrics, plan, profiles, reap, replay, run, stats, terminals, top, update, verify,
};
use crate::units::Seconds;

/// Runs the command.
pub(super) fn dispatch(context: &Context, arguments: Arguments) -> Done {
    let Arguments { global, command } = arguments;
    let host = global.host.as_deref();
    let with = WithEngine { context, host };
    match command {
        None if context.output.is_json() => with.run(async |backend| list::list(context, backend, &Filter::default()).await),
        None => {
            surroundings::terminal()?;
            on_runtime(async { Ok(dashboard::runtime::run(Backend::connect(host).await?, host).await?) })
        }
        Some(Command::Ls(asked)) => with.run(async |backend| list::list(context, backend, &filter(asked)).await),
        Some(Command::Run(asked)) if asked.options.tty => {
            surroundings::needed_terminal("-t", "without -t the command has plain streams; 'palisade launch -t' needs no terminal")?;
            attaching::refuse_json(context, "run -t")?;
            let showing = asked.showing.clone();
            with.run_foreground(async |backend| attach::run(context, backend, &Order::from(*asked), &showing.options(backend)?).await)
        }
        Some(Command::Run(asked)) => {
            asked.options.check_for_docker_flags()?;
            let raw = asked.showing.raw;
            with.run_foreground(async |backend| run::run(context, backend, &Order::from(*asked), raw).await)
        }
        Some(Command::Exec(asked)) => with.run_foreground(async |backend| exec(context, backend, asked).await),
        Some(Command::Attach(asked)) => with.run_foreground(async |backend| attach_to(context, backend, asked).await),
        Some(Command::Shell(asked)) => with.run_foreground(async |backend| shell(context, backend, asked).await),
        Some(Command::Terminals(asked)) => with.run(async |backend| match asked.end {
            Some(id) => terminals::end(context, backend, &asked.name, id).await,
            None => terminals::list(context, backend, &asked.name).await,
        }),
        Some(Command::Replay(asked)) => {
            let has_terminal = surroundings::has_terminal();
            attaching::refuse_json(context, "replay")?;
            on_runtime(replay::replay(context, &asked.into(), has_terminal))
        }
        Some(Command::Launch(asked)) => {
            asked.options.check_for_docker_flags()?;
            with.run(async |backend| launch::launch(context, backend, &Order::from(*asked)).await)
        }
        Some(Command::Plan(asked)) => with.run(async |backend| plan::plan(context, backend, &Order::from(*asked)).await),
        Some(Command::Inspect(asked)) => with.run(async |backend| inspect::inspect(context, backend, &asked.name).await),
        Some(Command::Verify(asked)) => with.run(async |backend| verify::verify(context, backend, &asked.names, asked.full).await),
        Some(Command::Logs(asked)) => with.run(async |backend| log(context, backend, asked).await),
        Some(Command::Top(asked)) => with.run(async |backend| top::top(context, backend, &asked.name).await),
        Some(Command::Stats(asked)) => with.run(async |backend| stats::stats(context, backend, &asked.names).await),
        Some(Command::Diff(asked)) => with.run(async |backend| diff::diff(context, backend, &asked.name).await),
        Some(Command::Events(asked)) => with.run(async |backend| events::events(context, backend, &asked.names).await),
        Some(Command::Metrics(asked)) => {
            if context.output.is_json() {
                return Err(Failure::new(Code::Usage, "metrics are text in a format of their own, which is no JSON document")
                    .hint("the same figures as JSON: palisade stats --json, palisade cache status --json")
                    .into());
            }
            with.run(async |backend| match asked.listen {
                Some(address) => metrics::listen(context, backend, address).await,
                None => metrics::once(context, backend).await,
            })
        }
        Some(Command::Cp(asked)) => copied(&with, &asked),
        Some(Command::Stop(asked)) => with.act(&Action::Stop { grace_s: asked.grace.map(Seconds::get) }, &asked.names),
        Some(Command::Start(asked)) => with.act(&Action::Start { secrets: asked.secret }, &asked.names),
        Some(Command::Update(asked)) => {
            let manner = update::Manner { dry_run: asked.dry_run, restart: asked.restart };
            with.run(async |backend| update::update(context, backend, &asked.names, manner).await)
        }
        Some(Command::Restart(asked)) => {
            with.act(&Action::Restart { grace_s: asked.grace.map(Seconds::get), secrets: asked.secret }, &asked.names)
        }
        Some(Command::Pause(asked)) => with.act(&Action::Pause, &asked.names),
        Some(Command::Unpause(asked)) => with.act(&Action::Unpause, &asked.names),
        Some(Command::Rename(asked)) => with.act(&Action::Rename { new: asked.new }, &[asked.name]),
        Some(Command::Reap(asked)) => with.run(async |backend| reap::reap(context, backend, asked.dry_run).await),
        Some(Command::Df(_)) => with.run(async |backend| disk::df(context, backend).await),
        Some(Command::Prune(asked)) => with.run(async |backend| disk::prune(context, backend, asked.manner()).await),
        Some(Command::Renew(asked)) => with.act(&Action::Renew { ttl: asked.ttl }, &asked.names),
        Some(Command::Rm(asked)) => with.act(&Action::Remove { force: asked.force }, &asked.names),
        Some(Command::Audit(asked)) => audited(context, &asked),
        Some(Command::Evidence(asked)) => kept(context, &asked),
        Some(Command::Cache(asked)) => cached(&with, asked),
        Some(Command::Depot(asked)) => with.run(async |backend| keep(context, backend, asked).await),
        Some(Command::Image(asked)) => with.run(async |backend| image(context, backend, asked).await),
        Some(Command::Doctor(_)) => on_runtime(async {
            let (checks, engine_answers) = Machine::read()?.examine(host, context.now).await?;
            doctor::show(context, checks, engine_answers)
        }),
        Some(Command::Profiles(asked)) => {
            let machine = Machine::read()?;
            let all = crate::config::profiles::list(&machine.paths, &machine.settings)?;
            profiles::profiles(context, all, asked.name.as_deref())
        }
        Some(Command::Completions(asked)) => {
            pages::completions(context, asked.shell);
            Ok(0)
        }
        Some(Command::Man(asked)) => pages::man(context, asked.folder.as_deref()),
    }
}

/// Commands that need an engine.
struct WithEngine<'a> {
    context: &'a Context,
    host: Option<&'a str>,
}

impl WithEngine<'_> {
    fn run(&self, work: impl AsyncFnOnce(&Backend) -> Done) -> Done {
        on_runtime(async {
            let backend = Backend::connect(self.host).await?;
            self.told(&backend, work(&backend).await)
        })
    }

    /// As `run`, where 1 is an exit code of the command's own.
    fn run_foreground(&self, work: impl AsyncFnOnce(&Backend) -> Done) -> Done {
        on_runtime(async {
            let backend = Backend::connect(self.host).await.map_err(|failure| {
                let exit = code_for_foreground(failure.code);
                Stop { failure, exit }
            })?;
            self.told(&backend, work(&backend).await)
        })
    }

    /// What was done is done, also where it could not be written down.
    fn told(&self, backend: &Backend, done: Done) -> Done {
        for what in backend.settled() {
            self.context.output.note(&what);
        }
        for why in backend.unrecorded() {
            self.context.output.complain(&format!("warning: {why}\n"));
        }
        done
    }

    fn control(&self, verb: &ControlVerb) -> Done {
        self.run(async |backend| cache::control(self.context, backend, verb).await)
    }

    fn act(&self, action: &Action, names: &[String]) -> Done {
        self.run(async |backend| act(self.context, backend, action, names).await)
    }
}

/// On a runtime of this thread.
fn on_runtime(work: impl Future<Output = Done>) -> Done {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| Failure::io("start the runtime", &error))?;
    let done = runtime.block_on(work);
    // Reads that nobody waits for any more must not keep the program.
    runtime.shutdown_background();
    done
}

fn filter(ls: Ls) -> Filter {
    Filter {
        kind: ls.kind.map(Into::into),
        status: ls.status.into_iter().map(Into::into).collect(),
        posture: ls.posture,
        in_full: ls.no_trunc,
    }
}

fn copied(with: &WithEngine<'_>, asked: &Cp) -> Done {
    let way = asked.way()?;
    if matches!(way, Way::Packed { .. }) && with.context.output.is_json() {
        return Err(Failure::new(Code::Usage, "the archive is on standard output, which has no room for a JSON document beside it")
            .hint("without --json; what was copied and what was left out is told on standard error")
            .into());
    }
    surroundings::no_terminal_for_an_archive(&way)?;
    with.run(async |backend| copy(with.context, backend, &way).await)
}

async fn exec(context: &Context, backend: &Backend, asked: Exec) -> Done {
    let request = ExecRequest {
        command: asked.command,
        env: surroundings::own_values(asked.env),
        working_dir: asked.workdir.unwrap_or_default(),
        stdin: true,
        terminal: None,
    };
    if asked.tty {
        surroundings::needed_terminal("-t", "without -t the command has plain streams")?;
        attaching::refuse_json(context, "exec -t")?;
        return attach::exec(context, backend, &asked.name, &request, &asked.showing.options(backend)?).await;
    }
    run::exec(context, backend, &asked.name, &request, asked.showing.raw).await
}

async fn attach_to(context: &Context, backend: &Backend, asked: Attach) -> Done {
    attaching::refuse_json(context, "attach")?;
    let options = asked.showing.options(backend)?;
    attach::attach(context, backend, &asked.name, asked.terminal, &options, surroundings::has_terminal()).await
}

async fn shell(context: &Context, backend: &Backend, asked: Shell) -> Done {
    let Shell { name, terminal, env, workdir, showing, command } = asked;
    let env = surroundings::own_values(env);
    let working_dir = workdir.unwrap_or_default();
    if terminal.is_some() {
        surroundings::needed_terminal("--terminal", "a shell that was left waits; 'palisade terminals' lists it")?;
    }
    if !surroundings::has_terminal() {
        // Nothing is drawn for a pipe: what is written is what the command wrote.
        let command = if command.is_empty() { attach::PLAIN_SHELL.map(str::to_owned).to_vec() } else { command };
        let request = ExecRequest { command, env, working_dir, stdin: true, terminal: None };
        return run::exec(context, backend, &name, &request, showing.raw).await;
    }
    attaching::refuse_json(context, "shell")?;
    let options = showing.options(backend)?;
    let shell = terminal.map_or(attach::Shell::New { command, env, working_dir }, attach::Shell::There);
    attach::shell(context, backend, &name, shell, &options).await
}

async fn log(context: &Context, backend: &Backend, asked: Logs) -> Done {
    let options = asked.part.options(context.now);
    let search = asked.search.map(|pattern| Search::new(&pattern, asked.ignore_case, options.timestamps)).transpose()?;
    logs::logs(context, backend, &asked.name, &options, search, asked.raw).await
}

fn audited(context: &Context, asked: &Audit) -> Done {
    let log = Machine::read()?.audit_log();
    match asked.command {
        None => audit::show(context, &log, asked.session.as_deref(), asked.last),
        Some(AuditCommand::Verify) => audit::verify(context, &log),
    }
}

fn kept(context: &Context, asked: &Evidence) -> Done {
    let shelf = Machine::read()?.evidence();
    match asked.command {
        None => evidence::show(context, &shelf, asked.name.as_deref()),
        Some(EvidenceCommand::Verify) => evidence::verify(context, &shelf),
    }
}

fn cached(with: &WithEngine<'_>, asked: Cache) -> Done {
    let context = with.context;
    match asked.command {
        CacheCommand::Status(asked) => with.run(async |backend| cache::status(context, backend, asked.all).await),
        CacheCommand::Log(asked) => with.run(async |backend| cache::log(context, backend, &asked.name).await),
        CacheCommand::Sbom(asked) => with.run(async |backend| cache::sbom(context, backend, &asked.name).await),
        CacheCommand::Verify(_) => with.control(&ControlVerb::Verify),
        CacheCommand::Prune(asked) => with.control(&ControlVerb::Prune { keep: asked.keep, unused_for: asked.unused_for }),
        CacheCommand::Clear(asked) if asked.force => with.control(&ControlVerb::Clear),
        CacheCommand::Clear(_) => Err(Failure::new(Code::Usage, "every package in the store would be removed")
            .hint("'palisade cache clear --force' removes them; 'palisade cache prune --keep SIZE' keeps what was used lately")
            .into()),
        CacheCommand::Warm(asked) => {
            let wanted = cache::Wanted { names: asked.names, requirements: asked.requirements, package_lock: asked.package_lock };
            with.run(async |backend| cache::warm(context, backend, &wanted).await)
        }
    }
}

async fn keep(context: &Context, backend: &Backend, asked: Depot) -> Done {
    match asked.command {
        DepotCommand::Status(_) => depot::status(context, backend).await,
        DepotCommand::Start(_) => depot::start(context, backend).await,
        DepotCommand::Stop(asked) => depot::stop(context, backend, asked.grace.map(Seconds::get)).await,
        DepotCommand::Logs(asked) => {
            let options = asked.part.options(context.now);
            logs::show(context, backend.depot_logs(&options), options.timestamps, None, false).await
        }
    }
}

async fn image(context: &Context, backend: &Backend, asked: Image) -> Done {
    match asked.command {
        ImageCommand::Build(asked) => {
            let order = BuildOrder { base: asked.base, tag: asked.tag, no_cache: asked.no_cache, if_needed: asked.if_needed };
            let reporter = TerminalReporter::new(&context.output, Plain::Lines);
            let built = backend.build_image(&order, &reporter).await;
            reporter.finish();
            let built = built?;
            images::built(context, ImageBuilt { image: built.image.reference, id: built.image.id, built: built.built })
        }
        ImageCommand::Ls(_) => images::list(context, backend).await,
        ImageCommand::Rm(rm) => images::remove(context, backend, &rm.images).await,
    }
}
