//! A record of a Kinesis stream → the bodies in it.

use headgate::{
    decode::{
        RefusedPart,
        kpl::{Packed, deaggregate},
    },
    event::kinesis::Record,
    landing::Mark,
};

use super::{Body, Gather, Intake};

/// Takes a record, an aggregate's sub-records one by one. `mark` is the place that the objects it goes to are named by.
pub fn take_record<R: Gather>(record: &Record<'_>, mark: &Mark, intake: &mut Intake<'_, R>) {
    let aggregate = match deaggregate(&record.data) {
        Packed::Aggregate(aggregate) => aggregate,
        Packed::Plain(data) => {
            let position = || record.position(None);
            return intake.take(&Body::new(&position, mark, record.arrived, data));
        }
    };
    if aggregate.is_empty() {
        return intake.empty();
    }
    for (index, part) in (0..).zip(aggregate.sub_records()) {
        let position = || record.position(Some(index));
        let body = |data| Body::new(&position, mark, record.arrived, data);
        match part {
            Ok(sub) => intake.take(&body(sub.data)),
            Err(RefusedPart { raw, refusal, .. }) => {
                intake.refused(&body(raw), refusal.code, &refusal.reason);
            }
        }
    }
}
