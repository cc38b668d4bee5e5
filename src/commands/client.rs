//! `kith client`: which systems may ask for access tokens. Each change is audited with the user who runs the command.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{failure, say};
use crate::access::keys::KeySet;
use crate::access::scope::{HINT, Scopes};
use crate::access::visibility::minimum::Minimum;
use crate::access::{self, ODS_SYSTEM, Role};
use crate::app;
use crate::clock::Clock;
use crate::config::{Flags, Settings};
use crate::oauth::check_url;
use crate::problem::{Kind, Problem};
use crate::store::{AuditRecord, Client, Store, StoreSettings};

/// `kith client …`.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Register a system that may ask for access tokens.
    Add(AddArgs),
    /// List the registered systems.
    List(ListArgs),
    /// Replace the keys or the certificate of a system, or the Device or Endpoint that it stands for.
    Rotate(RotateArgs),
    /// Take a system's access away at once; its tokens are not taken any more.
    Disable(OneArgs),
    /// Give a disabled system its access back.
    Enable(OneArgs),
}

/// What `kith client add` takes.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// Client id, as it will stand in tokens and in the audit trail
    id: String,
    /// Name for people
    #[arg(long)]
    name: String,
    /// Organisation on whose behalf it acts: an ODS code, or SYSTEM|VALUE
    #[arg(long, default_value = "")]
    organisation: String,
    /// referrer, link-worker, provider, commissioner, operator or harness
    #[arg(long)]
    role: String,
    /// Scopes it may ask for, for example "system/Task.cruds system/Observation.rs?category=laboratory"
    #[arg(long)]
    scope: String,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    stands_for: StandsForArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// What a client stands for among the resources.
#[derive(Debug, Args)]
pub struct StandsForArgs {
    /// The stored Device that the system is; AuditEvents refer to it
    #[arg(long, value_name = "Device/ID")]
    device: Option<String>,
    /// The stored Endpoint at which the system is reached
    #[arg(long, value_name = "Endpoint/ID")]
    endpoint: Option<String>,
}

/// How a client shows who it is.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// File with its public keys, a JWK set
    #[arg(long, value_name = "FILE", conflicts_with = "jwks_url")]
    jwks: Option<PathBuf>,
    /// https address of its JWK set
    #[arg(long, value_name = "URL")]
    jwks_url: Option<String>,
    /// TLS certificate (PEM) that it must use as well
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

/// Which database.
#[derive(Debug, Args)]
pub struct DatabaseArgs {
    /// Database: sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE [default: as for serve]
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
}

/// What `kith client list` takes.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// One JSON object a line instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// What `kith client rotate` takes.
#[derive(Debug, Args)]
pub struct RotateArgs {
    /// Client id
    id: String,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    stands_for: StandsForArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// What `kith client disable` and `enable` take.
#[derive(Debug, Args)]
pub struct OneArgs {
    /// Client id
    id: String,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Runs the command and returns its exit code.
pub fn run(command: &ClientCommand) -> ExitCode {
    let database = match command {
        ClientCommand::Add(arguments) => &arguments.database,
        ClientCommand::List(arguments) => &arguments.database,
        ClientCommand::Rotate(arguments) => &arguments.database,
        ClientCommand::Disable(arguments) | ClientCommand::Enable(arguments) => &arguments.database,
    };
    let pairs: Vec<(&'static str, &str)> = database.database.iter().map(|url| ("database", url.as_str())).collect();
    let settings = match super::settings(&Flags::of(&pairs)) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let done = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Problem::internal)
        .and_then(|runtime| runtime.block_on(carry_out(command, &settings)));
    match done {
        Ok(text) => say(&text),
        Err(problem) => {
            let lines: Vec<String> = problem.issues().iter().map(|issue| issue.text.clone()).collect();
            failure("This cannot be done:", &lines)
        }
    }
}

async fn carry_out(command: &ClientCommand, settings: &Settings) -> Result<String, Problem> {
    let new = match command {
        ClientCommand::Add(arguments) => Some(client(arguments, settings)?),
        _ => None,
    };
    if let Some(client) = &new {
        check_constraints(client, settings).await?;
    }
    let clock = Arc::new(Clock::System);
    let store = Store::open(&StoreSettings::from(settings), Arc::clone(&clock)).await?;
    let done = match (command, new) {
        (ClientCommand::List(arguments), _) => store.clients().await.map(|clients| list(&clients, arguments.json)),
        (ClientCommand::Add(arguments), Some(client)) => match check_stored(&store, &arguments.stands_for).await {
            Ok(()) => add(&store, client, &clock).await,
            Err(problem) => Err(problem),
        },
        (ClientCommand::Rotate(arguments), _) => match check_stored(&store, &arguments.stands_for).await {
            Ok(()) => {
                change(&store, &arguments.id, "client-rotate", &clock, |client| rotate(client, arguments, settings))
                    .await
            }
            Err(problem) => Err(problem),
        },
        (ClientCommand::Disable(arguments), _) => {
            change(&store, &arguments.id, "client-disable", &clock, |client| {
                client.disabled = true;
                Ok(())
            })
            .await
        }
        (ClientCommand::Enable(arguments), _) => {
            change(&store, &arguments.id, "client-enable", &clock, |client| {
                client.disabled = false;
                Ok(())
            })
            .await
        }
        (ClientCommand::Add(_), None) => Err(Problem::internal("a new client was not read")),
    };
    store.close().await;
    done
}

fn rotate(client: &mut Client, arguments: &RotateArgs, settings: &Settings) -> Result<(), Problem> {
    let (keys, stands_for) = (&arguments.keys, &arguments.stands_for);
    let given = [keys.jwks.is_some(), keys.jwks_url.is_some(), keys.certificate.is_some()];
    if !given.contains(&true) && stands_for.device.is_none() && stands_for.endpoint.is_none() {
        return Err(mistake("Give --jwks, --jwks-url, --certificate, --device or --endpoint."));
    }
    client.device = stands_for.device.clone().unwrap_or_else(|| client.device.clone());
    client.endpoint = stands_for.endpoint.clone().unwrap_or_else(|| client.endpoint.clone());
    take_keys(client, keys, settings)
}

/// Constraints of scopes must be search parameters that this database is searched by.
async fn check_constraints(client: &Client, settings: &Settings) -> Result<(), Problem> {
    let (scopes, role) = (Scopes::parse(&client.scopes).unwrap_or_default(), Role::parse(&client.role));
    let Some(role) = role.filter(|_| scopes.are_constrained()) else { return Ok(()) };
    let server = app::build(settings.clone()).await?;
    let minimum = Minimum::of_role(role, &settings.provider_patient);
    let reasons = scopes.unusable(&server.means(&server.latest_parameters(), &minimum));
    server.store.close().await;
    if reasons.is_empty() { Ok(()) } else { Err(mistake(reasons.join("\n  - "))) }
}

/// What a client stands for must be stored.
async fn check_stored(store: &Store, stands_for: &StandsForArgs) -> Result<(), Problem> {
    let named = [("Device", &stands_for.device), ("Endpoint", &stands_for.endpoint)];
    for (resource_type, reference) in named {
        let Some(reference) = reference else { continue };
        let id = reference.strip_prefix(resource_type).and_then(|rest| rest.strip_prefix('/'));
        let stored = match id {
            Some(id) => store.read(resource_type, id).await?,
            None => return Err(mistake(format!("\"{reference}\" is not {resource_type}/ and an id."))),
        };
        if stored.is_none_or(|stored| stored.deleted) {
            return Err(mistake(format!("There is no {reference}. Store it first.")));
        }
    }
    Ok(())
}

fn mistake(text: impl Into<String>) -> Problem {
    Problem::new(Kind::Invalid, text)
}

/// The client that the arguments describe. Every mistake is reported at once.
fn client(arguments: &AddArgs, settings: &Settings) -> Result<Client, Problem> {
    let mut mistakes = Vec::new();
    let id = &arguments.id;
    if id.is_empty() || id.len() > 128 || !id.chars().all(|c| c.is_ascii_alphanumeric() || "-._~:/".contains(c)) {
        mistakes.push("The client id has 1 to 128 letters, digits and - . _ ~ : /".to_owned());
    }
    if Role::parse(&arguments.role).is_none() {
        mistakes.push(format!("The role is one of {}.", Role::ALL.map(Role::code).join(", ")));
    }
    match Scopes::parse(&arguments.scope) {
        Ok(scopes) if scopes.is_empty() => mistakes.push("Give at least one scope.".to_owned()),
        Ok(_) => {}
        Err(word) => mistakes.push(format!("{word} is not a scope of a system. {HINT}")),
    }
    if arguments.keys.jwks.is_none() && arguments.keys.jwks_url.is_none() {
        mistakes.push("Give the client's public keys: --jwks FILE or --jwks-url URL.".to_owned());
    }
    let mut client = Client {
        id: id.clone(),
        name: arguments.name.clone(),
        organisation: match arguments.organisation.as_str() {
            code if code.is_empty() || code.contains('|') => code.to_owned(),
            code => format!("{ODS_SYSTEM}|{code}"),
        },
        role: arguments.role.clone(),
        scopes: Scopes::parse(&arguments.scope).unwrap_or_default().to_string(),
        device: arguments.stands_for.device.clone().unwrap_or_default(),
        endpoint: arguments.stands_for.endpoint.clone().unwrap_or_default(),
        ..Client::default()
    };
    if let Err(problem) = take_keys(&mut client, &arguments.keys, settings) {
        mistakes.extend(problem.issues().iter().map(|issue| issue.text.clone()));
    }
    if mistakes.is_empty() { Ok(client) } else { Err(mistake(mistakes.join("\n  - "))) }
}

fn take_keys(client: &mut Client, keys: &KeyArgs, settings: &Settings) -> Result<(), Problem> {
    if let Some(path) = &keys.jwks {
        let set: Value = serde_json::from_slice(&read(path)?)
            .map_err(|error| mistake(format!("{} is not JSON: {error}", path.display())))?;
        KeySet::parse(&set).map_err(|reason| mistake(format!("{} {reason}.", path.display())))?;
        (client.keys, client.keys_url) = (set.to_string(), String::new());
    }
    if let Some(url) = &keys.jwks_url {
        check_url(url, settings.access_local_key_urls).map_err(|reason| mistake(format!("The key URL {reason}.")))?;
        (client.keys, client.keys_url) = (String::new(), url.clone());
    }
    if let Some(path) = &keys.certificate {
        client.certificate = access::thumbprint(&read(path)?)
            .map_err(|_| mistake(format!("{} is not a certificate in PEM.", path.display())))?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    std::fs::read(path).map_err(|error| mistake(format!("{} cannot be read: {error}", path.display())))
}

/// The audit record of a change by the person who runs the command.
fn record(interaction: &str, client: &str, clock: &Clock) -> AuditRecord {
    AuditRecord {
        recorded: clock.now(),
        interaction: interaction.to_owned(),
        status: 200,
        request_id: clock.new_id(),
        client: "kith client".to_owned(),
        user: std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_default(),
        resource_id: client.to_owned(),
        address: "local".to_owned(),
        ..AuditRecord::default()
    }
}

async fn add(store: &Store, mut client: Client, clock: &Clock) -> Result<String, Problem> {
    client.created = clock.now();
    client.updated = client.created;
    let record = record("client-add", &client.id, clock);
    let text = format!("Client {} may now ask for access tokens.", client.id);
    store
        .write(move |tx| {
            let (client, record) = (client.clone(), record.clone());
            Box::pin(async move {
                tx.add_client(&client).await?;
                Ok(((), vec![record]))
            })
        })
        .await?;
    Ok(text)
}

async fn change(
    store: &Store,
    id: &str,
    interaction: &str,
    clock: &Clock,
    with: impl FnOnce(&mut Client) -> Result<(), Problem>,
) -> Result<String, Problem> {
    let mut client = store.client(id).await?.ok_or_else(|| mistake("There is no client of this id."))?;
    with(&mut client)?;
    let before = client.updated;
    client.updated = clock.now().max(before + 1);
    let record = record(interaction, id, clock);
    let text = format!("Client {id} is {} now.", if client.disabled { "disabled" } else { "registered so" });
    store
        .write(move |tx| {
            let (client, record) = (client.clone(), record.clone());
            Box::pin(async move {
                tx.change_client(&client, before).await?;
                Ok(((), vec![record]))
            })
        })
        .await?;
    Ok(text)
}

fn list(clients: &[Client], as_json: bool) -> String {
    let line = |client: &Client| {
        let keys = if client.keys_url.is_empty() { "registered" } else { client.keys_url.as_str() };
        if as_json {
            json!({
                "id": client.id, "name": client.name, "organisation": client.organisation, "role": client.role,
                "scope": client.scopes, "keys": keys, "certificate": client.certificate, "device": client.device,
                "endpoint": client.endpoint, "disabled": client.disabled,
            })
            .to_string()
        } else {
            let state = if client.disabled { "disabled" } else { "active" };
            let Client { id, name, organisation, role, scopes, .. } = client;
            let stands_for = [&client.device, &client.endpoint].map(|reference| format!(" {reference}")).concat();
            let stands_for = stands_for.trim();
            let stands_for = if stands_for.is_empty() { String::new() } else { format!("; {stands_for}") };
            format!("{id:24} {state:9} {role:13} {organisation}\n    {name}; {scopes}; keys {keys}{stands_for}")
        }
    };
    if clients.is_empty() && !as_json {
        return "No client is registered. Add one: kith client add --help".to_owned();
    }
    clients.iter().map(line).collect::<Vec<_>>().join("\n")
}
