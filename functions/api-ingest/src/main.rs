//! The process → [`api_ingest::handler`].

use api_ingest::{
    config::Config,
    handler::{Ports, handle},
};
use headgate::{
    Error,
    config::process_environment,
    runtime::{self, Event},
};

#[tokio::main]
async fn main() -> Result<(), Error> {
    runtime::start();
    let ports = Ports::open(Config::read(process_environment)?).await;
    runtime::run(async move |event: Event| handle(&event.body, event.deadline, &ports).await).await
}
