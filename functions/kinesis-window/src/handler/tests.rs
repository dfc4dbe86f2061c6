//! A shard's windows as Lambda delivers them → what is in lake and state, however they are cut and repeated.

mod events;
mod faults;
mod property;
mod rules;
mod scene;
