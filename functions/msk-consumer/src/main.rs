//! The process → [`msk_consumer::handler`].

use headgate::{
    Error,
    config::process_environment,
    runtime::{self, LambdaEvent},
};
use msk_consumer::{
    config::Config,
    handler::{Ports, handle},
};
use serde_json::value::RawValue;

/// Each batch allocates the columns of all its rows and frees them again: jemalloc keeps and reuses them.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> Result<(), Error> {
    runtime::start();
    let ports = Ports::open(Config::read(process_environment)?).await?;
    runtime::run(async move |event: LambdaEvent<Box<RawValue>>| {
        let deadline = runtime::deadline(&event.context);
        handle(event.payload.get(), deadline, &ports).await
    })
    .await
}
