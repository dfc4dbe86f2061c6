//! The process → [`iot_provision::handler`].

use headgate::{
    Error,
    config::process_environment,
    runtime::{self, Event},
};
use iot_provision::{
    config::Config,
    handler::{Ports, handle},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::start();
    let ports = Ports::open(Config::read(process_environment)?).await;
    runtime::run(async move |event: Event| handle(&event.body, event.deadline, &ports).await).await
}
