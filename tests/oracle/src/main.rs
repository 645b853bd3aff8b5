//! `oracle`: writes plant folders, good and wrong, and answers questions about them.

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use chrono::SecondsFormat;
use oracle::{Plant, Size, wrong};

const USAGE: &str = "\
oracle generate DIR --seed S [--people N --documents N]      a nasty folder
oracle generate DIR --seed S --large PEOPLE DOCUMENTS VERSIONS HISTORY
oracle answers DIR --count N --seed S [--choices] > FILE.csv  questions and answers; with --choices also
                                                              the open choices that an answer hangs on
oracle good DIR                                               the small valid folder
oracle wrong DIR > FILE.csv                                   DIR/NAME for every wrong folder, and what to expect

Example: oracle generate plant --seed 7 && oracle answers plant --count 1000 --seed 1";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["generate", folder, ref options @ ..] => generate(Path::new(folder), options),
        ["answers", folder, ref options @ ..] => answers(Path::new(folder), options),
        ["good", folder] => good(Path::new(folder)),
        ["wrong", folder] => wrongs(Path::new(folder)),
        ["--help"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => Err(Usage.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Usage>() => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("oracle: {error}");
            ExitCode::from(3)
        }
    }
}

fn generate(folder: &Path, options: &[&str]) -> Result<(), Box<dyn Error>> {
    let seed = number(options, "--seed", 0, None)?;
    let size = if options.contains(&"--large") {
        let part = |offset| number(options, "--large", offset, None).map(|part| part as usize);
        Size::large(part(0)?, part(1)?, part(2)?, part(3)?)
    } else {
        let small = Size::small();
        let people = number(options, "--people", 0, Some(small.people as u64))?;
        let documents = number(options, "--documents", 0, Some(small.documents as u64))?;
        Size::nasty(people as usize, documents as usize)
    };
    Ok(oracle::generate(folder, &size, seed)?)
}

fn answers(folder: &Path, options: &[&str]) -> Result<(), Box<dyn Error>> {
    let count = number(options, "--count", 0, None)? as usize;
    let seed = number(options, "--seed", 0, None)?;
    let with_choices = options.contains(&"--choices");
    let plant = Plant::load(folder);
    let mut out = csv::Writer::from_writer(io::stdout().lock());
    let header = ["person", "document", "at", "answer", "legacy", "version_in_force", "trained_on", "open_choices"];
    out.write_record(&header[..if with_choices { 8 } else { 7 }])?;
    for question in plant.questions(count, seed) {
        let (person, document, at) = (&question.person, &question.document, question.at);
        let answer = plant.answer(person, document, at);
        out.write_field(person)?;
        out.write_field(document)?;
        out.write_field(at.to_rfc3339_opts(SecondsFormat::AutoSi, true))?;
        out.write_field(answer.answer.to_string())?;
        out.write_field(answer.legacy.to_string())?;
        out.write_field(answer.version_in_force.unwrap_or_default())?;
        out.write_field(answer.trained_on.unwrap_or_default())?;
        if with_choices {
            out.write_field(plant.open_choices(person, document, at).join(";"))?;
        }
        out.write_record(None::<&[u8]>)?;
    }
    Ok(out.flush()?)
}

fn good(folder: &Path) -> Result<(), Box<dyn Error>> {
    wrong::good(folder);
    Ok(())
}

fn wrongs(folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout().lock();
    writeln!(out, "name,file,line,column")?;
    for wrong in wrong::all() {
        let folder = folder.join(wrong.name);
        wrong::good(&folder);
        (wrong.make)(&folder);
        let line = wrong.expect.line.map_or(String::new(), |line| line.to_string());
        writeln!(out, "{},{},{line},{}", wrong.name, wrong.expect.file, wrong.expect.column.unwrap_or(""))?;
    }
    Ok(())
}

/// The number that stands `offset` places after the one that follows `name`.
fn number(options: &[&str], name: &str, offset: usize, default: Option<u64>) -> Result<u64, Box<dyn Error>> {
    match options.iter().position(|option| *option == name) {
        Some(index) => match options.get(index + 1 + offset) {
            Some(text) => text.parse().map_err(|_| Usage.into()),
            None => Err(Usage.into()),
        },
        None => default.ok_or(Usage.into()),
    }
}

/// The command line is not one of [`USAGE`].
#[derive(Debug)]
struct Usage;

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(USAGE)
    }
}

impl Error for Usage {}
