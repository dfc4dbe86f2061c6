//! Batches, crashes, slow invocations → the lake they leave, which holds each record once.

mod faults;
mod gate;
mod holes;
mod rules;
mod scene;
mod schedule;
