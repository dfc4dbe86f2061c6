//! A dataset file → what becomes of its topic's records, or why the function does not start.

use std::{fs, path::Path};

use headgate_kafka::Target;
use msk_consumer::{config::Config, handler::Ports};
use serde_json::{Value, json};

async fn check(file: &str, dataset: &Value, expected: Result<&str, &str>) {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("msk-consumer").join(file);
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join(format!("{file}.json")), dataset.to_string()).unwrap();
    let lookup = |name: &str| match name {
        "LAKE" | "STATE" => Some(place.join(name).display().to_string()),
        "DATASETS_DIR" => Some(place.display().to_string()),
        "DATASET" => Some(file.to_owned()),
        _ => None,
    };
    let opened = Ports::open(Config::read(lookup).unwrap()).await;
    let told = opened.map(|ports| match ports.target {
        Target::Rows(_) => "rows",
        Target::Changes(_) => "changes",
    });
    match (told, expected) {
        (Ok(told), Ok(expected)) => assert_eq!(told, expected, "{file}"),
        (Err(error), Err(expected)) => assert!(error.message.contains(expected), "{file}: {error}"),
        (told, expected) => panic!("{file}: {told:?}, not {expected:?}"),
    }
}

#[tokio::test]
async fn the_kind_of_the_dataset_decides() {
    let table = |name: &str, format: &str| {
        json!({"name": name, "kind": "cdc", "primary_key": ["id"], "source": {"format": format, "prefix": "cdc/shop/"},
            "target": {"snapshot": "curated/shop/snapshot.parquet"}})
    };
    let stream = |format: &str| {
        json!({"name": "stream", "kind": "stream", "source": {"type": "kafka", "format": format},
            "columns": [{"name": "id", "type": "int64"}], "target": {"prefix": "raw/stream/"}})
    };
    check("table", &table("table", "debezium_json"), Ok("changes")).await;
    check("stream", &stream("json"), Ok("rows")).await;
    check("stream", &stream("avro"), Err("Avro needs schemas: set REGISTRY or SCHEMAS_DIR")).await;
    check("parquet", &table("parquet", "parquet"), Err("$.source.format: must be `debezium_json`")).await;
    check("other", &table("table", "debezium_json"), Err("$.name: is `table`: the file and the dataset")).await;
}
