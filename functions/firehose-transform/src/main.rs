//! The process → [`firehose_transform::handler`].

use firehose_transform::{
    config::Config,
    handler::{Ports, handle},
};
use headgate::{
    Error,
    config::process_environment,
    runtime::{self, LambdaEvent},
};
use serde_json::value::RawValue;

/// One thread: nothing is waited for but the next event, and a pool of threads would cost the first one time.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::start();
    let ports = Ports::open(Config::read(process_environment)?).await?;
    runtime::run(async move |event: LambdaEvent<Box<RawValue>>| {
        let deadline = runtime::deadline(&event.context);
        handle(event.payload.get(), deadline, &ports).await
    })
    .await
}
