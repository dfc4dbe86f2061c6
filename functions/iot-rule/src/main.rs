//! The process → [`iot_rule::handler`].

use headgate::{
    Error,
    config::process_environment,
    runtime::{self, Event},
};
use iot_rule::{
    config::Config,
    handler::{Ports, handle},
};

/// Each message reads and writes its device's item, in many small pieces: jemalloc keeps and reuses them.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> Result<(), Error> {
    runtime::start();
    let ports = Ports::open(Config::read(process_environment)?).await?;
    runtime::run(async move |event: Event| handle(&event, &ports).await).await
}
