//! The workspace → the rules of the house, held.
//!
//! Nothing here runs the software: manifests, the dependency tree and the files' own text are all that is looked at.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use headgate::config::process_environment;
use serde_json::Value;

const FOLDERS: [&str; 5] = ["events", "functions", "infra", "shared", "tests"];
const FILES: [&str; 6] = ["Cargo.lock", "Cargo.toml", "LICENSE", "README.md", "clippy.toml", "rustfmt.toml"];
/// Where cargo and the tests put what they make.
const MADE: &str = "target";
const LINES: usize = 400;
/// Files that are longer, each with what becomes of it. One that no longer is fails too.
const LONG: [(&str, &str); 0] = [];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = process_environment("CARGO").unwrap_or_else(|| "cargo".to_owned());
    let output = Command::new(cargo).current_dir(root()).args(arguments).args(["--locked", "--offline"]).output();
    let output = output.unwrap();
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The names of the packages that `packages` link or build with, without what they link only below `prune`.
fn linked(packages: &[&str], edges: &str, prune: &[&str]) -> BTreeSet<String> {
    let prune = prune.iter().flat_map(|package| ["--prune", package]);
    let what: Vec<_> = ["tree", "--prefix", "none", "--format", "{p}", "--edges", edges]
        .into_iter()
        .chain(packages.iter().copied())
        .chain(prune)
        .collect();
    cargo(&what).lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn only(packages: BTreeSet<String>, is_meant: fn(&str) -> bool) -> Vec<String> {
    packages.into_iter().filter(|name| is_meant(name)).collect()
}

fn is_arrow(name: &str) -> bool {
    name == "arrow" || name == "parquet" || name.starts_with("arrow-") || name.starts_with("parquet_")
}

fn is_sdk(name: &str) -> bool {
    let prefixes = ["aws-config", "aws-credential-types", "aws-runtime", "aws-sdk-", "aws-sigv4", "aws-smithy-"];
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// The members of the workspace: their manifests and what these say.
fn members() -> Vec<Value> {
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// All files of the repository, below the root.
fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders: Vec<_> = FOLDERS.iter().map(|folder| root().join(folder)).collect();
    folders.extend([root().join(".cargo"), root().join(".ci")]);
    files.extend(FILES.iter().map(|file| root().join(file)));
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true if path.ends_with(MADE) || path.ends_with(".terraform") => {}
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.into_iter().map(|path| path.strip_prefix(root()).unwrap().to_owned()).collect()
}

fn rust_files() -> Vec<(PathBuf, String)> {
    let files = files().into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files.map(|path| (path.clone(), fs::read_to_string(root().join(path)).unwrap())).collect()
}

/// Fails with the files of which `wrong` says something.
fn check(files: &[(PathBuf, String)], rule: &str, wrong: impl Fn(&Path, &str) -> Option<String>) {
    let told = files.iter().filter_map(|(path, text)| Some(format!("{}: {}", path.display(), wrong(path, text)?)));
    let told: Vec<_> = told.collect();
    assert!(told.is_empty(), "{rule}:\n{}", told.join("\n"));
}

#[test]
fn arrow_and_parquet_are_linked_through_columnar_only() {
    let others = ["--workspace", "--exclude", "headgate-columnar"];
    assert!(!only(linked(&others, "all", &[]), is_arrow).is_empty(), "the test no longer sees arrow");
    assert_eq!(only(linked(&others, "all", &["headgate-columnar"]), is_arrow), [""; 0]);
}

/// The packages below `headgate-aws` that hold the client of one more service, each with the functions that link it.
const SERVICES: [(&str, &str, &[&str]); 4] = [
    ("headgate-appflow", "aws-sdk-appflow", &["appflow-process"]),
    ("headgate-glue", "aws-sdk-glue", &["msk-consumer"]),
    ("headgate-iot", "aws-sdk-iot", &["iot-provision"]),
    ("headgate-sns", "aws-sdk-sns", &["iot-provision", "iot-rule"]),
];

#[test]
fn the_aws_sdk_is_linked_through_aws_only() {
    let packages: Vec<_> = ["headgate-aws"].into_iter().chain(SERVICES.map(|(package, ..)| package)).collect();
    let others: Vec<_> =
        ["--workspace"].into_iter().chain(packages.iter().flat_map(|package| ["--exclude", package])).collect();
    assert!(!only(linked(&others, "all", &[]), is_sdk).is_empty(), "the test no longer sees the SDK");
    assert_eq!(only(linked(&others, "all", &packages), is_sdk), [""; 0]);
}

#[test]
fn the_client_of_one_more_service_is_linked_where_it_is_needed_alone() {
    for (package, client, functions) in SERVICES {
        let others: Vec<_> = ["--workspace", "--exclude", package]
            .into_iter()
            .chain(functions.iter().flat_map(|function| ["--exclude", function]))
            .collect();
        let of = |packages: &[&str]| linked(packages, "normal,build", &[]).contains(client);
        assert!(!of(&others), "{client} is linked by others than {functions:?}");
        for function in functions {
            assert!(of(&["--package", function]), "{function} no longer links {client}");
        }
    }
}

#[test]
fn the_domain_links_neither() {
    let domain = linked(&["--package", "headgate"], "normal,build", &[]);
    assert_eq!(only(domain, |name| is_arrow(name) || is_sdk(name)), [""; 0]);
}

#[test]
fn functions_that_write_no_parquet_link_no_arrow() {
    for function in ["api-ingest", "firehose-transform", "iot-provision", "iot-rule"] {
        assert_eq!(only(linked(&["--package", function], "normal,build", &[]), is_arrow), [""; 0], "{function}");
    }
}

#[test]
fn a_function_depends_on_the_shared_packages_and_no_other_function() {
    let members = members();
    let is_function = |member: &Value| text(&member["manifest_path"]).contains("/functions/");
    assert!(members.iter().any(is_function), "no functions");
    for function in members.iter().filter(|member| is_function(member)) {
        let own =
            function["dependencies"].as_array().unwrap().iter().filter(|dependency| dependency["path"].is_string());
        let others: Vec<_> = own.map(|own| text(&own["name"])).filter(|name| !name.starts_with("headgate")).collect();
        assert!(others.is_empty(), "{} depends on {others:?}", function["name"]);
    }
}

#[test]
fn versions_and_features_are_the_workspaces_alone() {
    for member in members() {
        assert_eq!(member["features"], serde_json::json!({}), "{} has features of its own", member["name"]);
        let manifest = fs::read_to_string(text(&member["manifest_path"])).unwrap();
        let mut section = "";
        for line in manifest.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            section = if line.starts_with('[') { line } else { section };
            let inherits = section == line || !section.ends_with("dependencies]") || line.contains("workspace = true");
            assert!(inherits, "{}: {line}", member["name"]);
        }
    }
}

#[test]
fn the_root_holds_what_it_should() {
    let entries = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let strange = entries.filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let known = if path.is_dir() { FOLDERS.contains(&&*name) || name == MADE } else { FILES.contains(&&*name) };
        !known && !name.starts_with('.')
    });
    let strange: Vec<_> = strange.collect();
    assert!(strange.is_empty(), "not in their place: {strange:?}");
}

#[test]
fn modules_are_files_of_their_own_name_and_say_what_they_are() {
    check(&rust_files(), "files of a module", |path, text| {
        let named =
            path.file_name().is_some_and(|name| name == "mod.rs").then(|| "is foo/mod.rs, not foo.rs".to_owned());
        named.or_else(|| (!text.starts_with("//!")).then(|| "does not begin with `//!`".to_owned()))
    });
}

/// Lambda takes an answer with `batchItemFailures` for a success where the mapping does not ask for it.
#[test]
fn mappings_ask_for_partial_batches_where_functions_answer_so() {
    let instances = fs::read_to_string(root().join("infra/instances.tf")).unwrap();
    let mut seen = 0;
    for line in instances.lines() {
        let Some((function, said)) = line.split_once("= { partial_batches = ") else { continue };
        let answers = fs::read_dir(root().join("tests/it/snapshots").join(function.trim())).unwrap();
        let text = |answer: std::io::Result<fs::DirEntry>| fs::read_to_string(answer.unwrap().path()).unwrap();
        let answers_so = answers.map(text).any(|answer| answer.contains("batchItemFailures"));
        assert_eq!(said.starts_with("true"), answers_so, "partial_batches of {function}in infra/instances.tf");
        seen += 1;
    }
    assert_ne!(seen, 0, "infra/instances.tf no longer says partial_batches a function a line");
}

/// `cargo lambda deploy` sets what the manifest says, and the next `terraform apply` what infra says.
#[test]
fn manifests_size_functions_as_infra_does() {
    let instances = fs::read_to_string(root().join("infra/instances.tf")).unwrap();
    let members = members();
    let number = |said: &str, name: &str| -> u64 {
        let (_, after) = said.split_once(&format!("{name} = ")).unwrap();
        after.split(|sign: char| !sign.is_ascii_digit()).next().unwrap().parse().unwrap()
    };
    let mut seen = 0;
    for (function, said) in instances.lines().filter_map(|line| line.split_once("= { partial_batches = ")) {
        let member = members.iter().find(|member| member["name"] == function.trim()).unwrap();
        let deploy = &member["metadata"]["lambda"]["deploy"];
        let wanted = (number(said, "memory_mb"), number(said, "timeout_seconds"));
        let found = (deploy["memory"].as_u64(), deploy["timeout"].as_u64());
        let place = format!("[package.metadata.lambda.deploy] of functions/{}/Cargo.toml", function.trim());
        assert_eq!(found, (Some(wanted.0), Some(wanted.1)), "memory and timeout in {place}");
        seen += 1;
    }
    assert_ne!(seen, 0, "infra/instances.tf no longer says the sizes a function a line");
}

#[test]
fn files_are_short() {
    check(&rust_files(), "files that ask for a split, or no longer", |path, text| {
        let lines = text.lines().count();
        let known = LONG.iter().any(|(long, _)| Path::new(long) == path);
        ((lines > LINES) != known).then(|| format!("{lines} lines"))
    });
}

#[test]
fn no_file_names_a_place_on_somebodys_machine() {
    // In pieces, or this file would be the first.
    let places = ["work", "farm", "root", "home", "Users"].map(|folder| format!("/{folder}/"));
    let read = |path: PathBuf| {
        let bytes = fs::read(root().join(&path)).unwrap();
        (path, String::from_utf8_lossy(&bytes).into_owned())
    };
    let files: Vec<_> = files().into_iter().map(read).collect();
    check(&files, "places on a machine", |_, text| {
        let begins =
            |at: usize| !text[..at].ends_with(|before: char| before.is_alphanumeric() || "._-}*".contains(before));
        let found = places.iter().find(|place| text.match_indices(*place).any(|(at, _)| begins(at)));
        found.cloned()
    });
}
