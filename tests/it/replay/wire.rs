//! The same over S3's wire protocol: answers that are lost after the call had its effect.

use std::collections::BTreeMap;

use headgate::store::{Condition, Store};
use headgate_aws::{Aws, Endpoint, S3Store};
use headgate_columnar::{
    replay::{Options, Target, replay},
    rows,
};
use headgate_tests::ministack::{Fault, Ministack, Proxy};

use super::scene::{adds_up, apply, lenient, objects, refused};

async fn ids(store: &dyn Store) -> BTreeMap<String, u64> {
    let mut ids = BTreeMap::new();
    for object in store.list("raw/", None).await.unwrap().objects {
        let (_, file) = store.get(&object.key).await.unwrap().unwrap();
        for row in rows::read(file, None).unwrap().rows {
            *ids.entry(row[0].clone().unwrap()).or_default() += 1;
        }
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_are_made_good() {
    let Some(server) = Ministack::shared() else { return };
    server.create_bucket("replay");
    let proxy = Proxy::before(server);
    let store = S3Store::new(&Aws::connect(Endpoint::Emulator(proxy.url())).await, "replay", "lake");
    let lake = refused().await;
    for (key, body) in objects(&lake, "quarantine/").await {
        store.put(&key, body, Condition::Always).await.unwrap();
    }
    let rules = lenient("hour");
    let target = Target { store: &store, state: &lake.state, kind: &rules.kind() };
    proxy.fail("PUT", "_headgate/replay/", Fault::LoseAnswer);
    proxy.fail("PUT", "raw/clickstream/", Fault::LoseAnswer);
    for (most, replayed, repeated) in [(0, 4, 0), (64 << 20, 0, 4)] {
        let report = replay(target, &Options { most, ..apply() }, &|_, _| {}).await;
        adds_up(&report);
        assert_eq!((report.replayed, report.repeated), (replayed, repeated));
        let each = [1, 2, 4, 5].map(|number| (format!("e{number}"), 1));
        assert_eq!(ids(&store).await, BTreeMap::from(each));
    }
}
