//! Running other programs.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// `Ok(false)`: it ran and said no. `Err`: it could not run.
pub type Outcome = Result<bool, String>;

/// Runs cargo in the workspace, showing what it prints.
pub fn cargo(arguments: &[&str], environment: &[(&str, String)]) -> Outcome {
    let mut command = workspace_cargo(arguments);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    let status = command.status().map_err(|error| format!("cargo: {error}"))?;
    Ok(status.success())
}

/// Runs a program of ours through cargo and gives its exit code on; 3 when it could not be built or ended otherwise.
pub fn cargo_code(arguments: &[&str]) -> Result<u8, String> {
    let status = workspace_cargo(arguments).status().map_err(|error| format!("cargo: {error}"))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.filter(|code| *code <= 3).unwrap_or(3))
}

/// Runs cargo, showing each line it prints and handing it on.
pub fn cargo_lines(arguments: &[&str], mut each: impl FnMut(&str)) -> Outcome {
    let mut command = workspace_cargo(arguments);
    // Test runners write their summaries to stderr; one pipe keeps both in order.
    let (reader, writer) = std::io::pipe().map_err(|error| error.to_string())?;
    command.stdout(writer.try_clone().map_err(|error| error.to_string())?).stderr(writer).stdin(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("cargo: {error}"))?;
    drop(command);
    for line in BufReader::new(reader).lines() {
        let line = line.unwrap_or_default();
        println!("{line}");
        each(&line);
    }
    Ok(child.wait().map_err(|error| error.to_string())?.success())
}

/// Whether a program is on this machine.
pub fn has(program: &str, argument: &str) -> bool {
    let command = Command::new(program).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status();
    command.is_ok_and(|status| status.success())
}

/// Cargo in the workspace.
pub fn workspace_cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(arguments);
    command
}

/// The workspace. Cargo says at run time where it is: a build cache outlives the checkout that filled it.
pub fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    own.as_deref().and_then(|own| own.ancestors().nth(2)).map_or_else(|| ".".into(), Path::to_owned)
}

/// Where builds go.
pub fn target() -> PathBuf {
    let set = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    root().join(set.unwrap_or_else(|| "target".into()))
}

/// A path that means the same wherever a program runs.
pub fn whole(path: &Path) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|why| format!("{}: {why}", path.display()))
}
