//! The process → [`api_ingest::handler`].

use api_ingest::{
    config::Config,
    handler::{Ports, handle},
};
use headgate::{
    Error,
    config::process_environment,
    runtime::{self, LambdaEvent},
};
use serde_json::value::RawValue;

#[tokio::main]
async fn main() -> Result<(), Error> {
    runtime::start();
    let ports = Ports::open(Config::read(process_environment)?).await;
    runtime::run(async move |event: LambdaEvent<Box<RawValue>>| {
        let deadline = runtime::deadline(&event.context);
        handle(event.payload.get().as_bytes(), deadline, &ports).await
    })
    .await
}
