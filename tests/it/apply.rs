//! The Terraform root → an account, and what its functions do there with what is put into stream and bucket.
//!
//! Nothing is called by hand: a setting, a mapping or a notification that the root lacks is a lake that stays empty. So is
//! a permission for what a function calls itself, S3 and `DynamoDB`; of the key, and of what mappings read and rules send,
//! the emulator asks nobody.

use std::{collections::BTreeMap, fmt::Debug, time::Duration};

use headgate::store::Store;
use headgate_aws::{Aws, Endpoint, S3Store};
use headgate_tests::ministack::Ministack;
use serde_json::json;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::landed::Landed;
use root::Root;

mod package;
mod root;
mod stream;
mod table;

const NAME: &str = "headgate-try";
/// The emulator's account has the number 0.
const BUCKET: &str = "headgate-try-lake-000000000000";

/// What a plan would change of what it has just made: resource type → attributes.
type Forgotten = (&'static str, &'static [&'static str]);

/// What the emulator does not tell of what it was given.
const OF_ALARMS: Forgotten = (
    "aws_cloudwatch_metric_alarm",
    &[
        "actions_enabled",
        "alarm_actions",
        "alarm_description",
        "dimensions",
        "ok_actions",
        "period",
        "statistic",
        "treat_missing_data",
    ],
);
/// What it tells where nobody gave it.
const OF_INVOCATIONS: Forgotten = ("aws_lambda_function_event_invoke_config", &["maximum_event_age_in_seconds"]);

/// The root with one dataset of `infra/datasets`, applied.
struct Applied {
    root: Root,
    aws: Aws,
    lake: Landed<S3Store>,
    _server: Ministack,
    _folder: TempDir,
}

impl Applied {
    /// `None`, with a loud message, where this machine has no Python, Terraform or provider.
    async fn new(source: &str, dataset: &str, function: &str) -> Option<Self> {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let server = Ministack::deployed_to(folder.path())?;
        let root = Root::new(&server, folder.path())?;
        let package = package::build(function, dataset, folder.path());
        root.apply(&json!({
            "datasets_dir": package.datasets,
            "functions": {"architecture": package::ARCHITECTURE},
            "lake": {"force_destroy": true},
            "name": NAME,
            "offline": true,
            "packages_dir": package.folder,
            "region": "us-east-1",
            "secrets": {"mask_key": "0123456789abcdef0123456789abcdef"},
            "sources": [source],
            "streams": {},
        }));
        let aws = Aws::connect(Endpoint::Emulator(server.url())).await;
        let lake = Landed { store: S3Store::new(&aws, BUCKET, "") };
        Some(Self { root, aws, lake, _server: server, _folder: folder })
    }

    /// A second plan changes what the emulator forgot, all of it, and nothing else.
    fn rests(&self, forgotten: &[Forgotten]) {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let forgotten = forgotten.iter().map(|(kind, attributes)| ((*kind).to_owned(), names(attributes)));
        assert_eq!(self.root.changes(), forgotten.collect::<BTreeMap<_, _>>());
    }

    /// Destroyed, it is gone with all that was in the lake.
    async fn goes(self) {
        self.root.destroy();
        assert!(self.lake.store.list("", None).await.is_err(), "the bucket is there");
    }
}

/// Waits until what is seen is what is meant.
async fn comes_to_be<T: PartialEq + Debug>(see: impl AsyncFn() -> T, meant: T) {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let seen = see().await;
        if seen == meant || Instant::now() > deadline {
            assert_eq!(seen, meant);
            return;
        }
        sleep(Duration::from_millis(200)).await;
    }
}
