//! Built functions and dataset files → zips, by `infra/package`: their bytes depend on what is in them alone.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use headgate_tests::python;
use serde_json::Value;
use tempfile::TempDir;

const ARM64: u8 = 0xB7;
const X86_64: u8 = 0x3E;

/// What a linker would leave: enough of a header to be told from what is no program.
fn program(machine: u8, code: &str) -> Vec<u8> {
    let mut program = b"\x7fELF\x02\x01\x01".to_vec();
    program.resize(18, 0);
    program.extend([machine, 0]);
    program.extend(code.as_bytes());
    program
}

fn write(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// The folders of one deployment: what is built, the dataset files, the packages.
struct Scene(TempDir);

impl Scene {
    /// Two functions and two datasets. `None`, and told, where this machine has no Python.
    fn new() -> Option<Self> {
        python::is_there("of packages").then(|| {
            let scene = Self(tempfile::tempdir().unwrap());
            scene.dataset("orders.json", r#"{"name": "orders"}"#);
            scene.dataset("clicks.json", r#"{"name": "clicks"}"#);
            scene.dataset("dataset.schema.json", "{}");
            scene.binary("dms-merge", &program(ARM64, "merge"));
            scene.binary("api-ingest", &program(ARM64, "ingest"));
            scene
        })
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.0.path().join(path)
    }

    fn dataset(&self, name: &str, text: &str) {
        write(&self.path("datasets").join(name), text.as_bytes());
    }

    fn binary(&self, function: &str, program: &[u8]) {
        write(&self.path("lambda").join(function).join("bootstrap"), program);
    }

    /// The binary as the other form of a build has it: in a zip of its own.
    fn zip_binary(&self, function: &str) {
        let folder = self.path("lambda").join(function);
        let zip = ["-m", "zipfile", "-c", "bootstrap.zip", "bootstrap"];
        assert!(Command::new("python3").current_dir(&folder).args(zip).status().unwrap().success());
    }

    fn run(&self) -> Output {
        self.run_under("true")
    }

    /// As after `setting`, of the shell.
    fn run_under(&self, setting: &str) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/package");
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{setting}; exec python3 \"$@\""), "sh"]).arg(script);
        for (option, folder) in [("--binaries", "lambda"), ("--datasets", "datasets"), ("--out", "packages")] {
            command.arg(option).arg(self.path(folder));
        }
        command.output().unwrap()
    }

    /// The packages, of `dms-merge` and `api-ingest`.
    fn packages(&self) -> [Vec<u8>; 2] {
        let output = self.run();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        ["dms-merge", "api-ingest"].map(|name| fs::read(self.path(&format!("packages/{name}/bootstrap.zip"))).unwrap())
    }

    /// What it says where it makes none.
    fn refusal(&self) -> String {
        let output = self.run();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

/// Makes a file older.
fn age(path: &Path, seconds: u64) {
    let file = File::open(path).unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    file.set_modified(modified - Duration::from_secs(seconds)).unwrap();
}

#[test]
fn what_was_built_again_is_the_same_package() {
    let (Some(first), Some(second)) = (Scene::new(), Scene::new()) else { return };
    for file in ["lambda/dms-merge/bootstrap", "datasets/orders.json"] {
        age(&second.path(file), 100_000_000);
        fs::set_permissions(second.path(file), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let packages = first.packages();
    assert_eq!(packages, second.packages(), "times and modes of files are in a package");
    assert_ne!(packages[0], packages[1]);
    assert_eq!(packages, first.packages(), "packed once more");

    // A build leaves a zip where it was asked for one.
    second.zip_binary("dms-merge");
    fs::remove_file(second.path("lambda/dms-merge/bootstrap")).unwrap();
    fs::remove_dir_all(second.path("packages")).unwrap();
    assert_eq!(packages, second.packages(), "the form of the build is in a package");
}

#[test]
fn code_and_datasets_are_what_changes_a_package() {
    let Some(scene) = Scene::new() else { return };
    let [merge, ingest] = scene.packages();

    scene.dataset("dataset.schema.json", r#"{"description": "of dataset files"}"#);
    scene.dataset("presets/contact.json", "{}");
    assert_eq!(scene.packages(), [merge.clone(), ingest.clone()], "what no function reads");

    scene.binary("dms-merge", &program(ARM64, "merge, better"));
    let [better, same] = scene.packages();
    assert_ne!(better, merge);
    assert_eq!(same, ingest);

    scene.dataset("orders.json", r#"{"name": "orders" }"#);
    let [changed, too] = scene.packages();
    assert!(changed != better && too != ingest);

    scene.dataset("refunds.json", "{}");
    assert!(scene.packages() != [changed, too]);
}

#[test]
fn the_newest_build_is_packed() {
    let Some(scene) = Scene::new() else { return };
    scene.zip_binary("dms-merge");
    let [old, _] = scene.packages();
    scene.binary("dms-merge", &program(ARM64, "merge, better"));
    age(&scene.path("lambda/dms-merge/bootstrap.zip"), 60);
    let [new, _] = scene.packages();
    assert_ne!(old, new);
    age(&scene.path("lambda/dms-merge/bootstrap"), 120);
    assert_eq!(scene.packages()[0], old);
}

#[test]
fn a_package_holds_what_lambda_and_the_function_look_for() {
    let Some(scene) = Scene::new() else { return };
    scene.packages();
    let list = "import sys, zipfile\nfor entry in zipfile.ZipFile(sys.argv[1]).infolist():\n    \
                print(f'{entry.external_attr >> 16:o} {entry.filename} {entry.date_time[0]}')";
    let zip = scene.path("packages/dms-merge/bootstrap.zip");
    let output = Command::new("python3").args(["-c", list]).arg(&zip).output().unwrap();
    let expected =
        "100755 bootstrap 1980\n100644 infra/datasets/clicks.json 1980\n100644 infra/datasets/orders.json 1980\n";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);

    // What Terraform compares with its dataset files, its functions' machine, and the packages.
    let told: Value = serde_json::from_slice(&fs::read(scene.path("packages/packages.json")).unwrap()).unwrap();
    let keys = |of: &str| told[of].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(told["architecture"], "arm64");
    assert_eq!(keys("datasets"), ["clicks.json", "orders.json"]);
    let orders = "1e4313948accd510aac16b759ba1c1727af814e34b105d74bff8f8cf0a760ade";
    assert_eq!(told["datasets"]["orders.json"], orders);
    assert_eq!(keys("functions"), ["api-ingest", "dms-merge"]);
    let mut hash = Command::new("python3");
    hash.args(["-c", "import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], 'rb').read()).hexdigest(), end='')"])
        .arg(zip);
    assert_eq!(told["functions"]["dms-merge"], String::from_utf8(hash.output().unwrap().stdout).unwrap());
}

#[test]
fn a_package_of_another_time_is_told_and_not_listed() {
    let Some(scene) = Scene::new() else { return };
    scene.packages();
    fs::remove_dir_all(scene.path("lambda/api-ingest")).unwrap();
    scene.dataset("orders.json", r#"{"name": "orders" }"#);
    let output = scene.run();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && told.contains("api-ingest") && told.contains("not built"), "{told}");
    let manifest: Value = serde_json::from_slice(&fs::read(scene.path("packages/packages.json")).unwrap()).unwrap();
    assert_eq!(manifest["functions"].as_object().unwrap().keys().collect::<Vec<_>>(), ["dms-merge"]);
}

/// What may read them is what the umask says, of the folders and the files alike.
#[test]
fn packages_have_the_modes_of_new_files() {
    let Some(scene) = Scene::new() else { return };
    let output = scene.run_under("umask 077");
    assert!(output.status.success(), "{output:?}");
    let mode = |path: &str| fs::metadata(scene.path(path)).unwrap().permissions().mode() & 0o777;
    let modes =
        ["packages", "packages/dms-merge", "packages/dms-merge/bootstrap.zip", "packages/packages.json"].map(mode);
    assert_eq!(modes, [0o700, 0o700, 0o600, 0o600]);
}

#[test]
fn what_cannot_run_is_refused() {
    let check = |spoil: fn(&Scene), told: &[&str]| {
        let Some(scene) = Scene::new() else { return };
        scene.packages();
        let before = fs::read(scene.path("packages/dms-merge/bootstrap.zip")).unwrap();
        spoil(&scene);
        let refusal = scene.refusal();
        assert!(told.iter().all(|told| refusal.contains(told)), "{told:?} in {refusal}");
        assert_eq!(fs::read(scene.path("packages/dms-merge/bootstrap.zip")).unwrap(), before, "a package was made");
    };
    check(|scene| scene.binary("dms-merge", b"#!/bin/sh"), &["dms-merge is no program", "cargo lambda build"]);
    check(|scene| scene.binary("dms-merge", &program(X86_64, "m")), &["two builds", "dms-merge for x86_64"]);
    check(|scene| scene.dataset("orders.json", "{"), &["orders.json is not JSON"]);
    check(|scene| fs::remove_dir_all(scene.path("datasets")).unwrap(), &["no dataset file", "--datasets"]);
    check(|scene| fs::remove_dir_all(scene.path("lambda")).unwrap(), &["<function>/bootstrap", "Build first", "-p /"]);
    let half = |scene: &Scene| {
        scene.zip_binary("dms-merge");
        fs::remove_file(scene.path("lambda/dms-merge/bootstrap")).unwrap();
        write(&scene.path("lambda/dms-merge/bootstrap.zip"), b"PK half");
    };
    check(half, &["dms-merge/bootstrap.zip is no zip", "Build it again"]);
}
