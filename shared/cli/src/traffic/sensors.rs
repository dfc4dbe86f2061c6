//! A draw → a device's measurement.

use super::{
    Flaws, Scene,
    draw::Draw,
    object::{Flaw, Object, seconds},
};

pub(super) const FLAWS: Flaws =
    Flaws { required: "device_id", wrong_type: ("value", "\"n/a\""), out_of_range: ("seq", "18446744073709551616") };

const DEVICES: u64 = 10_000;
const METRICS: [(&str, &str, f64, f64); 4] = [
    ("temperature", "°C", -25.0, 45.0),
    ("humidity", "%", 5.0, 100.0),
    ("pressure", "hPa", 950.0, 1_050.0),
    ("battery", "V", 2.7, 4.2),
];

/// The device is the key.
pub(super) fn record(draw: &mut Draw, scene: &Scene, flaw: Option<Flaw>) -> (String, Vec<u8>) {
    let id = format!("device-{:05}", draw.member(DEVICES, scene.skew));
    let (metric, unit, low, high) = draw.one_of(&METRICS);
    let mut measured = Object::new(flaw);
    measured.text("device_id", &id);
    measured.text("metric", metric);
    measured.plain("value", format_args!("{:.3}", draw.between(low, high)));
    measured.text("unit", unit);
    measured.plain("at", seconds(scene.time));
    measured.plain("seq", scene.number);
    (id, measured.end())
}
