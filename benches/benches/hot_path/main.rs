//! What one probe runs through, piece by piece and whole, with its allocations: `cargo bench -p rdprobe-benches`.

mod diagnosis;
mod fixtures;
mod probe;
mod protocol;
mod render;

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}
