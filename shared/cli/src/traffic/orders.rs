//! A draw → an order as it is after a change.
//!
//! What an order is made of follows from its number alone, so that only its status and the time of change differ.

use std::time::Duration;

use headgate::clock::Timestamp;

use super::{
    Flaws, Scene,
    draw::Draw,
    object::{Flaw, Object, rfc3339},
};

pub(super) const FLAWS: Flaws = Flaws {
    required: "order_id",
    wrong_type: ("items", "\"3 pieces\""),
    out_of_range: ("placed_at", "9223372036854775808"),
};

const ORDERS: u64 = 1_000_000;
const CUSTOMERS: u64 = 40_000;
const DAY: u64 = 86_400_000;

/// The order is the key.
pub(super) fn record(draw: &mut Draw, scene: &Scene, flaw: Option<Flaw>) -> (String, Vec<u8>) {
    let number = draw.member(ORDERS, scene.skew);
    let id = format!("order-{number:08}");
    let mut constant = Draw::new(number);
    let (cents, items) = items(&mut constant);
    let mut order = Object::new(flaw);
    order.text("order_id", &id);
    order.text("customer_id", &format!("customer-{:05}", constant.below(CUSTOMERS)));
    order.text("status", draw.one_of(&["new", "paid", "packed", "shipped", "delivered", "returned", "cancelled"]));
    order.text("amount", &decimal(cents));
    order.text("currency", constant.one_of(&["EUR", "GBP", "PLN", "USD"]));
    order.objects("items", items);
    order.plain("placed_at", placed(&mut constant, scene.start).0);
    order.text("updated_at", &rfc3339(scene.time));
    (id, order.end())
}

/// Before any change, a late one included.
fn placed(constant: &mut Draw, start: Timestamp) -> Timestamp {
    start.minus(Duration::from_millis(3 * DAY + constant.below(30 * DAY)))
}

fn items(constant: &mut Draw) -> (u64, Vec<Object>) {
    let mut total = 0;
    let count = 1 + constant.below(6);
    let items = (0..count).map(|_| {
        let (quantity, cents) = (1 + constant.below(4), 99 + constant.below(30_000));
        total += quantity * cents;
        let mut item = Object::new(None);
        item.text("sku", &format!("SKU-{:06}", constant.below(50_000)));
        item.plain("quantity", quantity);
        item.text("price", &decimal(cents));
        item
    });
    let items = items.collect();
    (total, items)
}

fn decimal(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
