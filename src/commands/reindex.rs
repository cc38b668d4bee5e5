//! `kith reindex`: indexes stored resources anew and shows how far it is. Exit code 0 done, 1 given up or cancelled, 2 could
//! not run. Servers on the same database may run meanwhile; on PostgreSQL one of them may take the work up.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::{failure, say};
use crate::app;
use crate::config::{Flags, Settings};
use crate::interactions::live::REINDEX;
use crate::interactions::server::Server;
use crate::jobs::{self, Runner};
use crate::problem::{Kind, Problem};
use crate::store::{JobState, NewJob};
use crate::telemetry;

/// How often the bar moves.
const LOOK: Duration = Duration::from_millis(100);

/// What `kith reindex` takes.
#[derive(Debug, Args)]
pub struct ReindexArguments {
    /// Resource types to index; every type where none is given
    #[arg(value_name = "TYPE")]
    pub types: Vec<String>,
    /// Settings of the server.
    #[command(flatten)]
    pub flags: Flags,
}

/// Runs the command and returns its exit code.
pub fn run(arguments: &ReindexArguments) -> ExitCode {
    let mut settings = match super::settings(&arguments.flags) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    // The end of the job is said below; only faults of the server are worth a line among the progress.
    "error".clone_into(&mut settings.log_filter);
    telemetry::start(&settings);
    match reindex(&arguments.types, settings) {
        Ok(state) if state.outcome == "done" => say(&progress(&state).2),
        Ok(state) => {
            failure("The resources were not all indexed:", &[state.outcome, state.last_error]);
            ExitCode::from(1)
        }
        Err(problem) => {
            let texts: Vec<String> = problem.issues().iter().map(|issue| issue.text.clone()).collect();
            failure("Nothing could be indexed:", &texts)
        }
    }
}

fn reindex(types: &[String], settings: Settings) -> Result<JobState, Problem> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Problem::internal)?;
    runtime.block_on(async move {
        let server = app::build(settings).await?;
        let outcome = follow(&server, types).await;
        server.store.close().await;
        outcome
    })
}

async fn follow(server: &Arc<Server>, types: &[String]) -> Result<JobState, Problem> {
    if let Some(unknown) = types.iter().find(|name| !server.definitions.is_resource_type(name)) {
        return Err(Problem::new(Kind::Invalid, format!("{unknown} is not a resource type of FHIR R4.")));
    }
    let address = leave(server, types).await?;
    let runner = Runner::start(Arc::clone(server), jobs::ALL);
    let bar = progress_bar();
    let ended = loop {
        let Some(state) = server.store.job(&address).await? else {
            break Err(Problem::new(Kind::NotFound, "The job is gone from the database."));
        };
        let (done, total, text) = progress(&state);
        bar.set_length(total);
        bar.set_position(done);
        bar.set_message(text);
        if state.finished != 0 {
            break Ok(state);
        }
        tokio::time::sleep(LOOK).await;
    };
    bar.finish_and_clear();
    runner.stop().await;
    ended
}

async fn leave(server: &Arc<Server>, types: &[String]) -> Result<String, Problem> {
    let address = server.clock.new_id();
    let payload = json!({ "asked": types, "forced": true }).to_string();
    let job = NewJob { address: address.clone(), ..NewJob::new(REINDEX, payload) };
    let work = Arc::new((job, jobs::record(server, "operation $reindex")));
    let left = server.store.write(move |tx| {
        let work = Arc::clone(&work);
        Box::pin(async move {
            tx.enqueue(work.0.clone());
            Ok(((), vec![work.1.clone()]))
        })
    });
    left.await?;
    Ok(address)
}

/// How many are done, how many there are, and the same for people.
fn progress(state: &JobState) -> (u64, u64, String) {
    let payload: Value = serde_json::from_str(&state.payload).unwrap_or_default();
    let number = |name: &str| payload.get(name).and_then(Value::as_u64).unwrap_or(0);
    let text = payload.get("progress").and_then(Value::as_str).unwrap_or_default();
    (number("done"), number("total"), text.to_owned())
}

/// On anything but a terminal it draws nothing.
fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} (about {eta} left)");
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}
