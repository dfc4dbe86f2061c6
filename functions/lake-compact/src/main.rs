//! The process → [`lake_compact::handler`].

use headgate::{
    Error,
    config::process_environment,
    runtime::{self, Event},
};
use lake_compact::{
    config::Config,
    handler::{Ports, handle},
};

/// A compaction allocates and frees large buffers on several threads: jemalloc gives them back, at half the peak of others.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// A few arenas instead of four a core: threads that wait for the store come and go, and each arena costs memory that
/// must be touched first. And large pages where the machine allows them: the first touch of small ones took a tenth of a
/// compaction.
#[allow(unsafe_code, reason = "jemalloc reads its options from this symbol")]
#[unsafe(export_name = "_rjem_malloc_conf")]
static ALLOCATOR_OPTIONS: &[u8] = b"narenas:4,thp:always\0";

#[tokio::main]
async fn main() -> Result<(), Error> {
    runtime::start();
    let ports = Ports::open(&Config::read(process_environment)?).await?;
    runtime::run(async move |event: Event| handle(&event.body, event.deadline, &ports).await).await
}
