//! The process → [`kinesis_window::handler`].

use headgate::{
    Error,
    config::process_environment,
    runtime::{self, Event},
};
use kinesis_window::{
    config::Config,
    handler::{Ports, handle},
};

/// Each batch allocates the groups of its window and frees them again: jemalloc keeps and reuses them.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> Result<(), Error> {
    runtime::start();
    let ports = Ports::open(Config::read(process_environment)?).await?;
    runtime::run(async move |event: Event| handle(&event.body, event.deadline, &ports).await).await
}
