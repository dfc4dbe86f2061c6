//! Where the time goes: each step alone, on the same events.

use bytes::Bytes;
use headgate::{
    contract::{Contract, Reader},
    dataset::Stream,
    event::kinesis,
};
use headgate_columnar::stream::{Rows, encode};

use super::cpu;

/// Prints the milliseconds of each step for an event.
pub fn tell(events: &[Vec<u8>], dataset: &str) {
    let stream = Stream::parse("clickstream.json", dataset).unwrap();
    let contract = Contract::new(&stream, None).unwrap();
    let mut seconds = [0.0; 3];
    for event in events {
        let mut lap = Lap(cpu(), &mut seconds);
        let records = kinesis::read(event).unwrap();
        let bodies: Vec<Bytes> = records.into_iter().map(|record| record.unwrap().data).collect();
        lap.end(0);
        let (mut rows, mut reader) = (Rows::new(&contract), Reader::new(&contract));
        for body in &bodies {
            // A bad record is part of the traffic.
            let _ = std::str::from_utf8(body).map(|text| reader.read(text, 0, &mut rows).is_ok());
        }
        lap.end(1);
        let batch = rows.finish().unwrap();
        encode(&batch, None, stream.compression, &[]).unwrap();
        lap.end(2);
    }
    let names = ["records and base64", "rows", "Parquet"];
    for (name, seconds) in names.iter().zip(seconds) {
        println!("  {name:<20}{:>6.2} ms", seconds * 1000.0 / events.len() as f64);
    }
}

struct Lap<'a>(f64, &'a mut [f64; 3]);

impl Lap<'_> {
    fn end(&mut self, step: usize) {
        self.1[step] += cpu() - self.0;
        self.0 = cpu();
    }
}
