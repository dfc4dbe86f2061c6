//! Lines of a topic's records → rows of a table.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use headgate::{
    Error,
    clock::Timestamp,
    decode::Refusal,
    fate::Fates,
    landing::{Attempt, Mark, Object},
    quarantine::{Line, Part},
};
use headgate_columnar::{
    replay::{Cause, Kind, Outlook, Read, SOURCE, Taking},
    stream::{Body, Source},
};

use super::{records, with_item};
use crate::{
    rows::{self, Taking as Rest},
    schemas::{Known, Schemas},
};

/// A table whose records come by Kafka.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// The table.
    pub rows: &'a rows::Rows,
    /// What Avro records were written with.
    pub schemas: &'a Schemas,
}

#[async_trait]
impl Kind for Rows<'_> {
    type Known = Known;

    fn dataset(&self) -> &str {
        &self.rows.stream.name
    }

    fn records(&self, object: &[u8]) -> Result<Vec<Read>, Error> {
        records(object, self.dataset())
    }

    fn lands_in_parts(&self) -> bool {
        true
    }

    async fn look(&self, line: &Line, data: &Bytes, _: &Cause) -> Result<Outlook<Known>, Error> {
        // A line that is none is refused when it is taken.
        let ids = with_item(line, data, &Mark::from(0), |item| match &item.read {
            Ok(record) if line.part != Part::Document => self.rows.schemas(record),
            _ => [None, None],
        });
        let ids = ids.unwrap_or_default().into_iter().flatten().collect();
        Ok(Outlook::Known(self.schemas.find(ids).await?))
    }

    fn taking(&self) -> Box<dyn Taking<Known> + '_> {
        Box::new(Lines(Rest::new(self.rows)))
    }
}

struct Lines<'a>(Rest<'a>);

impl Taking<Known> for Lines<'_> {
    fn take(&mut self, line: &Line, data: &Bytes, known: &Known, mark: &Mark) {
        let Self(taking) = self;
        // Of an event nothing was set aside but itself: what is now, is as the function would have it.
        taking.within((line.part != Part::Event).then(|| line.identity()));
        let taken = with_item(line, data, mark, |item| match line.part {
            Part::Document => taking.take_document(item),
            Part::Record | Part::Event => taking.take_item(item, known),
        });
        if let Err(Refusal { code, reason }) = taken {
            let position = || line.position.clone();
            let body = Body::new(&position, mark, Timestamp(line.arrived), data.clone());
            taking.refused(&body, code, &reason);
        }
    }

    fn fates(&self) -> &Fates {
        self.0.intake().fates()
    }

    fn rows(&self) -> BTreeMap<&str, u64> {
        self.0.intake().partitions()
    }

    fn refusal(&self) -> Option<&Line> {
        self.0.intake().refusals().next()
    }

    fn memory(&self) -> usize {
        self.0.intake().memory()
    }

    fn finish(self: Box<Self>, log: &str) -> Result<Vec<Object>, Error> {
        Ok(self.0.into_intake().finish(&Source { stream: SOURCE, shard: log, attempt: Attempt::fresh() })?.0)
    }
}
