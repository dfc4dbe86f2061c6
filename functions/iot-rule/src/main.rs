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

#[tokio::main]
async fn main() -> Result<(), Error> {
    runtime::start();
    let ports = Ports::open(Config::read(process_environment)?).await?;
    runtime::run(async move |event: Event| handle(&event, &ports).await).await
}
