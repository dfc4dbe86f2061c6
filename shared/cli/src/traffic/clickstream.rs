//! A draw → what a web shop's page tells of its visitors.

use super::{
    Flaws, Scene,
    draw::Draw,
    object::{Flaw, Object, rfc3339},
};

pub(super) const FLAWS: Flaws =
    Flaws { required: "user_id", wrong_type: ("user_id", "\"unknown\""), out_of_range: ("duration_ms", "2147483648") };

const USERS: u64 = 5_000_000;
/// Page views are most of it.
const TYPES: [&str; 12] = [
    "page_view",
    "page_view",
    "page_view",
    "page_view",
    "click",
    "click",
    "search",
    "add_to_cart",
    "remove_from_cart",
    "purchase",
    "login",
    "logout",
];
const PAGES: [&str; 8] = ["/home", "/search", "/cart", "/checkout", "/account/orders", "/help", "/deals", "/wishlist"];
const PLACES: [(&str, &str); 10] = [
    ("BR", "São Paulo"),
    ("DE", "Köln"),
    ("FR", "Lyon"),
    ("GB", "Leeds"),
    ("IN", "Mumbai"),
    ("JP", "京都"),
    ("NL", "Utrecht"),
    ("PL", "Łódź"),
    ("US", "New York"),
    ("US", "San José"),
];
const TAGS: [&str; 10] = [
    "new_visitor",
    "mobile",
    "promo_summer",
    "vip",
    "experiment_7b",
    "organic",
    "paid_search",
    "newsletter",
    "retarget",
    "beta",
];
const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36 \
     Edg/143.0.0.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 \
     Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9 Build/BP1A.250505.005; wv) AppleWebKit/537.36 (KHTML, like Gecko) \
     Version/4.0 Chrome/143.0.7499.34 Mobile Safari/537.36 Shop/8.12.1",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
];

/// The user is the key.
pub(super) fn record(draw: &mut Draw, scene: &Scene, flaw: Option<Flaw>) -> (String, Vec<u8>) {
    let user = 1 + draw.member(USERS, scene.skew);
    let kind = draw.one_of(&TYPES);
    let mut event = Object::new(flaw);
    event.text("event_id", &draw.uuid());
    event.plain("user_id", user);
    match draw.below(40) {
        0 => event.plain("email", "null"),
        1 => {}
        _ => event.text("email", &format!("user{user}@{}.example", draw.one_of(&["mail", "post", "work"]))),
    }
    event.text("event_type", kind);
    event.text("page", &page(draw, kind));
    event.text("ts", &rfc3339(scene.time));
    event.text("session", &draw.letters(44));
    event.object("geo", geo(draw));
    event.texts("tags", &tags(draw));
    event.text("ua", draw.one_of(&AGENTS));
    event.plain("duration_ms", 5 + draw.below(60_000));
    event.plain("is_bot", draw.chance(0.03));
    if matches!(kind, "purchase" | "add_to_cart") {
        event.plain("value", format_args!("{:.2}", draw.between(1.0, 500.0)));
        event.text("currency", draw.one_of(&["EUR", "GBP", "JPY", "USD"]));
    }
    match draw.below(4) {
        0 => event.plain("referrer", "null"),
        1 => {}
        _ => event.text("referrer", &referrer(draw)),
    }
    (user.to_string(), event.end())
}

fn page(draw: &mut Draw, kind: &str) -> String {
    let (page, length) = (draw.one_of(&PAGES), 12 + draw.below(36));
    if kind == "search" {
        return format!("/search?q={}&page={}", draw.letters(length), draw.below(9) + 1);
    }
    format!("{page}/{}/p/{}", draw.letters(length).to_lowercase(), draw.below(100_000))
}

fn geo(draw: &mut Draw) -> Object {
    let (country, city) = draw.one_of(&PLACES);
    let mut geo = Object::new(None);
    geo.text("country", country);
    if draw.chance(0.05) {
        geo.plain("city", "null");
    } else {
        geo.text("city", city);
    }
    geo.plain("lat", format_args!("{:.5}", draw.between(-60.0, 70.0)));
    geo.plain("lon", format_args!("{:.5}", draw.between(-180.0, 180.0)));
    geo
}

/// Up to eight different ones, in the order of the list.
fn tags(draw: &mut Draw) -> Vec<&'static str> {
    let wanted = draw.below(9) as usize;
    let mut places: Vec<_> = (0..wanted).map(|_| draw.below(TAGS.len() as u64) as usize).collect();
    places.sort_unstable();
    places.dedup();
    places.into_iter().map(|place| TAGS[place]).collect()
}

fn referrer(draw: &mut Draw) -> String {
    let host = draw.one_of(&["www.search.example", "news.example", "social.example"]);
    let (path, campaign) = (32 + draw.below(64), draw.letters(16));
    format!("https://{host}/{}?utm_source={host}&utm_medium=referral&utm_campaign={campaign}", draw.letters(path))
}
