//! Terraform → an account of its own, where policies are enforced and functions run.

use std::path::Path;

use super::{Ministack, WATCH};

/// Where AWS differs, and the functions or their policies would tell. A package is unpacked at `/var/task`, which
/// settings name; here it is where the server has room. What is asked comes over TLS, which the bucket's policy insists
/// on; here it comes over loopback.
const AS_AWS: &str = "
from ministack.services import lambda_svc
environment = lambda_svc._provided_worker_env
def unpacked(config, folder, port):
    task = '/var/task'
    return {name: folder + value[len(task):] if value.startswith(task + '/') else value
            for name, value in environment(config, folder, port).items()}
lambda_svc._provided_worker_env = unpacked
origin = app.pin_request_origin
app.pin_request_origin = lambda address, secure: origin(address, True)
";

/// Every service has to be there: what is not is a resource that cannot be made.
const SETTINGS: [(&str, &str); 1] = [("AUTH", "true")];

impl Ministack {
    /// A server of its own that Terraform can deploy to. It unpacks and runs the functions' packages, below `folder`, and
    /// lets them do what their roles' policies allow.
    ///
    /// # Panics
    /// As [`Ministack::shared`].
    #[must_use]
    pub fn deployed_to(folder: &Path) -> Option<Self> {
        Self::start_as("that is deployed", &format!("{WATCH}{AS_AWS}"), &SETTINGS, folder)
    }
}
