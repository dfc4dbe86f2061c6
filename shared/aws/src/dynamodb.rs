//! The port [`State`] → one `DynamoDB` table.
//!
//! Key `pk` (S); attributes `value` (S: JSON), `version` (S) and `expires_at` (N: the table's time-to-live
//! attribute, epoch seconds). `DynamoDB` removes an item days after its time; here it is over at once. The table is
//! never scanned.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::put_item::PutItemError,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure::AllOld},
};
use headgate::{
    clock::{Clock, Timestamp},
    state::{Expected, Item, Result, State, StateError, Version},
};
use serde_json::Value;

use crate::{Aws, failure::Failure};

const KEY: &str = "pk";
const VALUE: &str = "value";
const VERSION: &str = "version";
const EXPIRES_AT: &str = "expires_at";

type Attributes = HashMap<String, AttributeValue>;

/// A [`State`] in a `DynamoDB` table.
#[derive(Debug, Clone)]
pub struct DynamoState {
    client: Client,
    table: String,
    clock: Arc<dyn Clock>,
}

impl DynamoState {
    /// The items of `table`, which end by `clock`.
    #[must_use]
    pub fn new(aws: &Aws, table: &str, clock: Arc<dyn Clock>) -> Self {
        Self { client: aws.dynamodb(), table: table.to_owned(), clock }
    }

    fn error(&self, key: &str, failure: Failure) -> StateError {
        let (key, place) = (key.to_owned(), format!("table {}", self.table));
        match failure {
            Failure::Condition => StateError::Changed { key },
            Failure::Unavailable(told) => StateError::Unavailable { key, reason: format!("{place}: {told}") },
            Failure::Refused(told) => StateError::Refused { key, reason: format!("{place}: {told}") },
            Failure::Missing | Failure::UploadGone => {
                StateError::Refused { key, reason: format!("{place}: 404; correct AWS_ENDPOINT_URL") }
            }
        }
    }

    fn foreign(&self, key: &str) -> StateError {
        let told = "the item was not written by this software; remove it, or use a table of its own";
        self.error(key, Failure::Refused(told.to_owned()))
    }
}

#[async_trait]
impl State for DynamoState {
    async fn get(&self, key: &str) -> Result<Option<Item>> {
        let request = self.client.get_item().table_name(&self.table).key(KEY, text(key)).consistent_read(true);
        let answer = request.send().await.map_err(|error| self.error(key, Failure::of(&error)))?;
        let Some(attributes) = answer.item() else { return Ok(None) };
        let item = item(attributes).ok_or_else(|| self.foreign(key))?;
        Ok(item.lives(self.clock.now()).then_some(item))
    }

    /// The end of `ttl` is rounded up to a whole second.
    async fn put_if(&self, key: &str, value: Value, expected: Expected, ttl: Option<Duration>) -> Result<Version> {
        let now = self.clock.now();
        let item = Item::new(value, now, ttl);
        let condition = Condition::of(&expected, now);
        let request = self.client.put_item().table_name(&self.table).set_item(Some(attributes(key, &item)));
        let request = request
            .set_condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names)
            .set_expression_attribute_values(condition.values)
            .return_values_on_condition_check_failure(AllOld);
        match request.send().await {
            Ok(_) => Ok(item.version),
            // A repeated request fails on the effect of its own first attempt, whose answer was lost.
            Err(error) if there(&error).as_ref() == Some(&item.version) => Ok(item.version),
            Err(error) => Err(self.error(key, Failure::of(&error))),
        }
    }

    /// After a lost answer the repeated request may tell [`StateError::Changed`] of an item that it removed itself.
    async fn delete_if(&self, key: &str, expected: Expected) -> Result<()> {
        let condition = Condition::of(&expected, self.clock.now());
        let request = self.client.delete_item().table_name(&self.table).key(KEY, text(key));
        let request = request
            .set_condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names)
            .set_expression_attribute_values(condition.values);
        request.send().await.map(|_| ()).map_err(|error| self.error(key, Failure::of(&error)))
    }
}

/// [`Expected`] as `DynamoDB` wants it. Names are placeholders because `value` is a reserved word.
#[derive(Debug, Default, PartialEq)]
struct Condition {
    expression: Option<String>,
    names: Option<HashMap<String, String>>,
    values: Option<Attributes>,
}

impl Condition {
    fn of(expected: &Expected, now: Timestamp) -> Self {
        // With whole seconds, `end > floor(now)` says the same as `end > now`.
        let now = (":now", AttributeValue::N(now.0.div_euclid(1000).to_string()));
        match expected {
            Expected::Any => Self::default(),
            Expected::Absent => {
                Self::new("attribute_not_exists(#pk) OR #end <= :now", &[("#pk", KEY), ("#end", EXPIRES_AT)], [now])
            }
            Expected::Version(version) => Self::new(
                "#version = :version AND (attribute_not_exists(#end) OR #end > :now)",
                &[("#version", VERSION), ("#end", EXPIRES_AT)],
                [now, (":version", text(&version.0))],
            ),
        }
    }

    fn new<const N: usize>(
        expression: &str,
        names: &[(&str, &str)],
        values: [(&'static str, AttributeValue); N],
    ) -> Self {
        Self {
            expression: Some(expression.to_owned()),
            names: Some(names.iter().map(|&(name, attribute)| (name.to_owned(), attribute.to_owned())).collect()),
            values: Some(values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        }
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn attributes(key: &str, item: &Item) -> Attributes {
    let mut attributes = Attributes::from([
        (KEY.to_owned(), text(key)),
        (VALUE.to_owned(), AttributeValue::S(item.value.to_string())),
        (VERSION.to_owned(), text(&item.version.0)),
    ]);
    if let Some(Timestamp(end)) = item.expires_at {
        let seconds = end.saturating_add(999).div_euclid(1000);
        attributes.insert(EXPIRES_AT.to_owned(), AttributeValue::N(seconds.to_string()));
    }
    attributes
}

/// The item, or `None` where the attributes are not ours.
fn item(attributes: &Attributes) -> Option<Item> {
    let expires_at = match attributes.get(EXPIRES_AT) {
        None => None,
        Some(end) => Some(Timestamp(end.as_n().ok()?.parse::<i64>().ok()?.checked_mul(1000)?)),
    };
    let value = serde_json::from_str(attributes.get(VALUE)?.as_s().ok()?).ok()?;
    Some(Item { version: version(attributes)?, value, expires_at })
}

fn version(attributes: &Attributes) -> Option<Version> {
    attributes.get(VERSION)?.as_s().ok().cloned().map(Version)
}

/// The version that a failed condition was checked against.
fn there(error: &SdkError<PutItemError>) -> Option<Version> {
    match error.as_service_error()? {
        PutItemError::ConditionalCheckFailedException(failed) => version(failed.item()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn items_survive_the_table() {
        for ttl in [None, Some(Duration::from_mins(1))] {
            let written = Item::new(json!({"position": [1, null, "a"]}), Timestamp(5000), ttl);
            assert_eq!(item(&attributes("k", &written)), Some(written));
        }
    }

    #[test]
    fn an_end_is_rounded_up() {
        let written = Item::new(json!(1), Timestamp(1), Some(Duration::from_secs(1)));
        assert_eq!(item(&attributes("k", &written)).and_then(|item| item.expires_at), Some(Timestamp(2000)));
    }

    #[test]
    fn a_foreign_item_is_none() {
        assert_eq!(item(&Attributes::from([(KEY.to_owned(), text("k"))])), None);
    }
}
