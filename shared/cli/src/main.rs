//! The process → [`headgate_cli::run`].

/// A merge allocates and frees large buffers on several threads: jemalloc gives them back, at half the peak of others.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    headgate_cli::run(std::env::args_os(), headgate::config::process_environment)
}
