//! The process → [`firehose_transform::handler`].

use firehose_transform::{
    config::Config,
    handler::{Ports, handle},
};
use headgate::{
    Error,
    config::process_environment,
    runtime::{self, Event},
};

/// One thread: nothing is waited for but the next event, and a pool of threads would cost the first one time.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::start();
    let ports = Ports::open(Config::read(process_environment)?).await?;
    runtime::run(async move |event: Event| handle(&event.body, event.deadline, &ports).await).await
}
