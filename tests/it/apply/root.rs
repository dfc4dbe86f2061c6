//! A copy of `infra` and variables → what Terraform makes of them in an account.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use headgate::config::process_environment;
use headgate_tests::{ministack::Ministack, shout};
use serde_json::Value;

/// What Terraform is told of this machine. Nothing else: no profile, endpoint or token that a person has set leads it to
/// an account of theirs.
const MACHINE: [&str; 5] = ["HOME", "PATH", "TF_CLI_ARGS_init", "TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR"];
/// What it says where it has no provider and cannot get one.
const NO_PROVIDER: [&str; 2] = ["Failed to query available provider packages", "Failed to install provider"];

/// The root, initialized.
pub struct Root {
    folder: PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl Root {
    /// The root for this server's account. `None`, with a loud message, where this machine has no Terraform, or no provider
    /// and no way to get one.
    pub fn new(server: &Ministack, folder: &Path) -> Option<Self> {
        let folder = folder.join("root");
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra"), &folder);
        let machine = MACHINE.into_iter().filter_map(|name| Some((name, process_environment(name)?)));
        let environment = machine.chain(server.environment()).collect();
        let root = Self { folder, environment };
        let skipped = |why: &str| {
            shout(&format!("SKIPPED: {why}, so nothing was deployed"));
            None
        };
        let Some(output) = root.terraform(&["init", "-input=false"]) else {
            return skipped("no terraform on this machine");
        };
        if NO_PROVIDER.iter().any(|words| told(&output).contains(words)) {
            return skipped(
                "no provider hashicorp/aws on this machine (TF_CLI_ARGS_init=-plugin-dir=… names its folder)",
            );
        }
        assert!(output.status.success(), "{}", told(&output));
        Some(root)
    }

    pub fn apply(&self, variables: &Value) {
        fs::write(self.folder.join("terraform.tfvars.json"), variables.to_string()).unwrap();
        self.run(&["apply", "-auto-approve", "-input=false", "-parallelism=30"]);
    }

    /// What a plan would change: of resources that it would update, the attributes by their type; else, by their address,
    /// what it would do to them.
    pub fn changes(&self) -> BTreeMap<String, BTreeSet<String>> {
        self.run(&["plan", "-input=false", "-out=plan"]);
        let plan: Value = serde_json::from_slice(&self.run(&["show", "-json", "plan"]).stdout).unwrap();
        let mut changes: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for resource in plan["resource_changes"].as_array().unwrap() {
            let change = &resource["change"];
            let actions = change["actions"].as_array().unwrap().iter().map(|action| text(action).to_owned());
            match actions.collect::<Vec<_>>().as_slice() {
                [one] if one == "no-op" => {}
                [one] if one == "update" => {
                    changes.entry(text(&resource["type"]).to_owned()).or_default().extend(attributes(change));
                }
                actions => changes.entry(text(&resource["address"]).to_owned()).or_default().extend(actions.to_vec()),
            }
        }
        changes
    }

    pub fn destroy(&self) {
        self.run(&["destroy", "-auto-approve", "-input=false", "-parallelism=30"]);
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let output = self.terraform(arguments).unwrap();
        assert!(output.status.success(), "terraform {arguments:?}: {}", told(&output));
        output
    }

    /// `None` where there is no Terraform.
    fn terraform(&self, arguments: &[&str]) -> Option<Output> {
        let mut command = Command::new("terraform");
        command.args(arguments).current_dir(&self.folder).env_clear().envs(self.environment.iter().cloned());
        command.env("TF_CLI_ARGS", "-no-color").output().ok()
    }
}

/// Which attributes differ, or are not known yet.
fn attributes(change: &Value) -> impl Iterator<Item = String> {
    let (before, after, unknown) = (&change["before"], &change["after"], &change["after_unknown"]);
    let names = [before, after, unknown].into_iter().filter_map(Value::as_object).flat_map(|object| object.keys());
    let names: BTreeSet<_> = names.cloned().collect();
    names.into_iter().filter(move |name| before[name] != after[name] || unknown[name] == true)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn told(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text)).concat()
}

/// The Terraform files below `from`, without a backend, what is hidden, and tests.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name());
        let hidden = name.to_string_lossy().starts_with('.');
        if path.is_dir() && !hidden && name != "tests" {
            copy(&path, &to.join(&name));
        } else if path.extension() == Some(OsStr::new("tf")) && name != "backend.tf" {
            fs::copy(&path, to.join(&name)).unwrap();
        }
    }
}
