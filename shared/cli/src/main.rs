//! The process → [`headgate_cli::run`].

/// A merge allocates from several threads at once; mimalloc does that better than the C library.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    headgate_cli::run(std::env::args_os(), headgate::config::process_environment)
}
