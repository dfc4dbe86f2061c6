//! Any batch: each record has one answer, the answer fits, and nothing goes round for ever.

use headgate::dataset::stream::Condition;
use proptest::prelude::*;

use super::*;

const BUDGET: usize = 20_000;

fn any_body() -> impl Strategy<Value = Vec<u8>> {
    let good = |page: usize| format!("{{\"id\":1,\"page\":\"{}\"}}", "x".repeat(page)).into_bytes();
    let many = |pages: Vec<u8>| {
        let document = |page: &u8| format!("{{\"id\":1,\"country\":\"{}\"}}\n", page % 2);
        pages.iter().map(document).collect::<String>().into_bytes()
    };
    prop_oneof![
        6 => (0_usize..6_000).prop_map(good),
        1 => (10_000_usize..60_000).prop_map(good),
        2 => prop::collection::vec(any::<u8>(), 0..4).prop_map(many),
        1 => any::<Vec<u8>>(),
        1 => Just(b"[]".to_vec()),
    ]
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn each_record_is_answered_once(
        bodies in prop::collection::vec(any_body(), 0..30),
        from_kinesis: bool,
        filtered: bool,
        refused in prop::collection::vec(1_u64..20, 0..5),
    ) {
        let (arn, limits) = if from_kinesis { (STREAM, Limits::KINESIS) } else { (DELIVERY, Limits::FIREHOSE) };
        let (mut ports, stream) = reingesting(BUDGET, arn, limits);
        if filtered {
            let (column, one_of) = ("country".to_owned(), vec![json!("1")]);
            ports.dataset.filter = vec![Condition { column, one_of, not: true, null: true, ..Condition::default() }];
            ports.contract = Contract::new(&ports.dataset, None).unwrap();
        }
        for number in refused {
            stream.refuse(number, headgate::stream::Reason::Rejected);
        }
        let event = if from_kinesis { kinesis(&bodies) } else { direct(&bodies) };
        let response = runtime().block_on(answered(&event, &ports));
        let ids: Vec<_> = response.answers().unwrap().iter().map(|(id, _)| id.clone()).collect();
        prop_assert_eq!(ids, (0..bodies.len()).map(|at| format!("r{at}")).collect::<Vec<_>>());
        let count = |name: &str| figures(&ports, name)[0].1;
        let ends = ["RecordsOk", "RecordsDropped", "RecordsFailed", "RecordsReingested"].map(count);
        prop_assert_eq!(ends.iter().sum::<u64>(), count("Records"));
        prop_assert_eq!(count("Records"), bodies.len() as u64);
        let answers = |is: fn(&Outcome<'_>) -> bool| {
            response.answers().unwrap().iter().filter(|(_, outcome)| is(outcome)).count() as u64
        };
        let told = [
            answers(|outcome| matches!(outcome, Outcome::Ok { .. })),
            answers(|outcome| *outcome == Outcome::Dropped),
            answers(|outcome| matches!(outcome, Outcome::ProcessingFailed)),
        ];
        prop_assert_eq!(told, [ends[0], ends[1] + ends[3], ends[2]]);
        prop_assert_eq!(stream.records().len() as u64, ends[3]);
        let unwanted = lines(&response).iter().filter(|line| line.contains("country=1/")).count();
        prop_assert!(!filtered || unwanted == 0);
        for record in stream.records() {
            prop_assert!(bodies.iter().any(|body| *body == record.data));
        }
    }

    #[test]
    fn what_goes_round_comes_to_an_end(pages in prop::collection::vec(0_usize..14_000, 1..20)) {
        let mut left: Vec<_> = (0..).zip(&pages).map(|(id, page)| {
            format!("{{\"id\":{id},\"page\":\"{}\"}}", "x".repeat(*page)).into_bytes()
        }).collect();
        let (mut rounds, mut delivered, mut failed) = (0, Vec::new(), 0);
        while !left.is_empty() {
            rounds += 1;
            let (ports, stream) = reingesting(BUDGET, STREAM, Limits::KINESIS);
            let response = runtime().block_on(answered(&kinesis(&left), &ports));
            for (_, outcome) in response.answers().unwrap() {
                match outcome {
                    Outcome::Ok { data, .. } => delivered.push(data),
                    Outcome::Dropped => {}
                    Outcome::ProcessingFailed => failed += 1,
                }
            }
            let next: Vec<_> = stream.records().iter().map(|record| record.data.to_vec()).collect();
            prop_assert!(next.len() < left.len());
            left = next;
        }
        prop_assert!(rounds <= pages.len());
        prop_assert_eq!(delivered.len() + failed, pages.len());
        delivered.sort();
        delivered.dedup();
        prop_assert_eq!(delivered.len() + failed, pages.len(), "a record was delivered twice");
    }
}
