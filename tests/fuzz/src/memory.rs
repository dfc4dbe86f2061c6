//! What a decoder asks of the allocator → as much as its input justifies, and no byte more.
//!
//! The first request beyond that finds no memory, and the program aborts where it asks: no input is too short a bomb.
//! What C allocates is not seen here; libFuzzer's `-rss_limit_mb` is for that.

#![expect(unsafe_code, reason = "an allocator is unsafe by its trait; this one hands everything on to the system's")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    ptr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// Far more than there is, and far from overflow.
const UNBOUNDED: usize = usize::MAX / 2;

/// Bytes that may still be asked for. The decoders run on one thread, beside which nothing allocates.
static LEFT: AtomicUsize = AtomicUsize::new(UNBOUNDED);

/// The system's allocator, with a bound.
pub struct Bounded;

/// Runs `work`, which may hold `bytes` more at any time than were held before.
pub fn bounded(bytes: usize, work: impl FnOnce()) {
    LEFT.store(bytes, Relaxed);
    work();
    unbind();
}

/// Lifts the bound: what tells of a find needs memory itself.
pub fn unbind() {
    LEFT.store(UNBOUNDED, Relaxed);
}

fn take(bytes: usize) -> bool {
    let taken = LEFT.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(bytes)).is_ok();
    if !taken {
        unbind();
    }
    taken
}

fn give_back(bytes: usize) {
    LEFT.fetch_add(bytes, Relaxed);
}

// SAFETY: every block is the system's own, of the layout that was asked for.
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !take(layout.size()) {
            return ptr::null_mut();
        }
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !take(layout.size()) {
            return ptr::null_mut();
        }
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !take(size.saturating_sub(layout.size())) {
            return ptr::null_mut();
        }
        give_back(layout.size().saturating_sub(size));
        // SAFETY: as the caller promises.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        give_back(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(block, layout) }
    }
}
