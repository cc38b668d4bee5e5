//! `kith bench data`: writes made-up referrals for load runs, the same ones for the same seed. `kith load --import` brings
//! them into a server.

mod data;
mod random;
mod words;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value;

pub use data::{Data, ORGANISATIONS, PROVIDERS};

/// `kith bench …`.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Write made-up referrals as NDJSON: organisations, patients, a ServiceRequest and a Task for each referral, at every
    /// point of a referral's life. `kith load --import` brings them into a server.
    Data(DataArguments),
}

/// What `kith bench data` takes.
#[derive(Debug, Args)]
pub struct DataArguments {
    /// How many referrals; there is one patient for every five
    #[arg(long, value_name = "COUNT", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=4_000_000))]
    pub referrals: u32,
    /// The same seed makes the same data
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// A folder for one file a resource type [default: everything to standard output]
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
}

/// Runs the command. Exit code 0 all written, 2 could not write.
pub fn run(command: &BenchCommand) -> ExitCode {
    let BenchCommand::Data(arguments) = command;
    let data = Data::new(arguments.seed, arguments.referrals);
    let written = match &arguments.out {
        Some(folder) => write_folder(&data, folder),
        None => write_all(&data, &mut BufWriter::new(std::io::stdout().lock())),
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the beginning only may close the pipe.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => super::failure("The data could not be written:", &[error.to_string()]),
    }
}

/// Writes one NDJSON file a resource type into `folder`, which is made where it does not exist.
pub fn write_folder(data: &Data, folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, resources) in data.types() {
        let mut file = BufWriter::new(File::create(folder.join(format!("{name}.ndjson")))?);
        write_lines(resources, &mut file)?;
        file.flush()?;
    }
    Ok(())
}

/// Writes everything as NDJSON: what is referred to comes before what refers to it.
pub fn write_all(data: &Data, output: &mut impl Write) -> std::io::Result<()> {
    for (_, resources) in data.types() {
        write_lines(resources, output)?;
    }
    output.flush()
}

fn write_lines(resources: impl Iterator<Item = Value>, output: &mut impl Write) -> std::io::Result<()> {
    for resource in resources {
        serde_json::to_writer(&mut *output, &resource).map_err(std::io::Error::from)?;
        output.write_all(b"\n")?;
    }
    Ok(())
}
