//! Functions and dataset files → the zips that are deployed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use headgate::config::process_environment;

/// This machine's, as Lambda calls it.
pub const ARCHITECTURE: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };

/// Quickly, and not as small as can be.
const ZIP: &str = "
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED, compresslevel=1) as zip:
    for path in sys.argv[2:]:
        zip.write(path)
";

/// What is deployed.
pub struct Package {
    /// Has `<function>/bootstrap.zip`.
    pub folder: PathBuf,
    /// The files of the datasets that are served.
    pub datasets: PathBuf,
}

/// Builds a function and packs it with the dataset's file, by its path from the repository's root.
pub fn build(function: &str, dataset: &str, folder: &Path) -> Package {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let content = folder.join("content");
    let package = Package { folder: folder.join("packages"), datasets: content.join("infra/datasets") };
    fs::create_dir_all(&package.datasets).unwrap();
    fs::create_dir_all(package.folder.join(function)).unwrap();
    let file = format!("{dataset}.json");
    fs::copy(repository.join("infra/datasets").join(&file), package.datasets.join(&file)).unwrap();
    // Lambda takes no package that is as large as a binary with what debuggers need.
    run(Command::new("strip").arg("-o").arg(content.join("bootstrap")).arg(binary(function, repository)));
    let zip = package.folder.join(function).join("bootstrap.zip");
    let zipped = ["bootstrap".to_owned(), format!("infra/datasets/{file}")];
    run(Command::new("python3").args(["-c", ZIP]).arg(zip).args(zipped).current_dir(&content));
    package
}

/// The function's binary, built in the profile of this test.
fn binary(function: &str, repository: &Path) -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let folder = this.parent().and_then(Path::parent).unwrap();
    let profile = if folder.ends_with("debug") { "dev" } else { "release" };
    let cargo = process_environment("CARGO").unwrap_or_else(|| "cargo".to_owned());
    // Naming this test has cargo unify features as it did for it, so that what both link is not built again.
    let arguments = ["build", "--quiet", "--locked", "--profile", profile, "--test", "it", "--bin", function];
    let target = folder.parent().unwrap();
    run(Command::new(cargo).args(arguments).arg("--target-dir").arg(target).current_dir(repository));
    folder.join(function)
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
