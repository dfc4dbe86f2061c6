//! A function's name → its binary, built.

use std::path::PathBuf;

use tokio::process::Command;

use crate::{Failure, command::Lookup, invoke};

/// Builds the function in the profile that this program was built in, so that both are in one folder.
///
/// # Errors
/// [`Failure::Failed`] where cargo fails; it has said why by then.
pub async fn function(name: &str, lookup: Lookup) -> Result<PathBuf, Failure> {
    let binary = invoke::beside(name)?;
    let debug = binary.parent().is_some_and(|folder| folder.ends_with("debug"));
    let profile = if debug { "dev" } else { "release" };
    let cargo = lookup("CARGO").unwrap_or_else(|| "cargo".to_owned());
    // Naming both packages unifies their dependencies' features, so that what they share is built once.
    let packages = ["-p", env!("CARGO_PKG_NAME"), "-p", name, "--bin", name];
    let built = Command::new(&cargo).args(["build", "--profile", profile]).args(packages).status().await;
    match built {
        Ok(status) if status.success() => Ok(binary),
        Ok(status) => Err(Failure::Failed(format!("cargo build -p {name}: {status}"))),
        Err(error) => Err(Failure::Failed(format!("{cargo}: {error}"))),
    }
}
