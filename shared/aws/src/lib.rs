//! The ports of `headgate` → AWS, over its own SDK.
//!
//! The SDK lives here and nowhere else: none of its types leaves this package, but for packages below it that hold the
//! client of one more service.

pub mod client;
pub mod dynamodb;
mod failure;
pub mod firehose;
pub mod kinesis;
pub mod lake;
pub mod s3;
pub mod state;

pub use client::{Aws, Endpoint};
pub use dynamodb::DynamoState;
pub use failure::Failure;
pub use firehose::FirehoseStream;
pub use kinesis::KinesisStream;
pub use s3::S3Store;
