//! Writers in processes of their own, killed at random instants: nothing torn, nothing lost, nobody waits for ever.

use std::{
    collections::hash_map::RandomState,
    fs::{self, File},
    hash::{BuildHasher, Hasher},
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
};

use bytes::Bytes;

use crate::{
    config::process_environment,
    store::{Condition, Store, StoreError, directory::DirectoryStore},
};

const SETTING: &str = "HEADGATE_KILL_TEST_FOLDER";
const WORKERS: usize = 4;
const KILLS: usize = 40;

fn random(below: usize) -> usize {
    RandomState::new().build_hasher().finish() as usize % below
}

/// A content that tells from any part of it how long it must be.
fn blob() -> Bytes {
    let kind = random(40);
    Bytes::from(vec![kind as u8; 5000 * (kind + 1)])
}

fn assert_whole(body: &[u8]) {
    let kind = body[0];
    assert!(body.len() == 5000 * (usize::from(kind) + 1) && body.iter().all(|byte| *byte == kind), "a torn object");
}

/// The process that gets killed: extends the chain by one link after the other and notes each it was told is in.
#[test]
#[ignore = "run by the test below, in a process of its own"]
fn worker() {
    let Some(folder) = process_environment(SETTING) else { return };
    let store = DirectoryStore::new(Path::new(&folder).join("lake"));
    let me = format!("{}-{}", std::process::id(), random(1 << 30));
    let mut told = File::create(Path::new(&folder).join("told").join(&me)).unwrap();
    let work = async {
        loop {
            let chain = store.get("chain").await.unwrap();
            let (condition, mut body) = match chain {
                None => (Condition::Absent, Vec::new()),
                Some((etag, body)) => (Condition::Matches(etag), body.to_vec()),
            };
            let link = format!("{} {me}\n", body.split(|byte| *byte == b'\n').count() - 1);
            body.extend_from_slice(link.as_bytes());
            match store.put("chain", Bytes::from(body), condition).await {
                Ok(_) => told.write_all(link.as_bytes()).unwrap(),
                Err(StoreError::Changed { .. }) => {}
                Err(other) => panic!("{other}"),
            }
            disturb(&store).await;
        }
    };
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work);
}

/// Writes and removes an object in each way there is.
async fn disturb(store: &DirectoryStore) {
    let done = match random(4) {
        0 => store.delete("deep/blob").await,
        1 => store.put("deep/blob", blob(), Condition::Absent).await.map(|_| ()),
        2 => store.put("deep/blob", blob(), Condition::Always).await.map(|_| ()),
        _ => {
            let (whole, mut upload) = (blob(), store.upload("deep/blob").await.unwrap());
            for half in [whole.slice(..whole.len() / 2), whole.slice(whole.len() / 2..)] {
                upload.append(half).await.unwrap();
            }
            upload.complete(Condition::Always).await.map(|_| ())
        }
    };
    assert!(matches!(done, Ok(()) | Err(StoreError::Changed { .. })), "{done:?}");
}

fn spawn(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::directory::tests::kill::worker", "--ignored", "--nocapture"])
        .env(SETTING, folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

async fn chain(store: &DirectoryStore) -> Vec<String> {
    let body = store.get("chain").await.unwrap().map(|(_, body)| body).unwrap_or_default();
    String::from_utf8(body.to_vec()).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_kill_at_any_instant_tears_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("told")).unwrap();
    let store = DirectoryStore::new(folder.path().join("lake"));
    let mut workers: Vec<Child> = (0..WORKERS).map(|_| spawn(folder.path())).collect();
    for _ in 0..KILLS {
        let (until, victim) = (chain(&store).await.len() + 1 + random(12), random(WORKERS));
        while chain(&store).await.len() < until {
            if let Some((_, body)) = store.get("deep/blob").await.unwrap() {
                assert_whole(&body);
            }
            assert!(workers.iter_mut().all(|worker| worker.try_wait().unwrap().is_none()), "a worker gave up");
        }
        workers[victim].kill().unwrap();
        workers[victim].wait().unwrap();
        workers[victim] = spawn(folder.path());
    }
    for mut worker in workers {
        worker.kill().unwrap();
        worker.wait().unwrap();
    }
    let links = chain(&store).await;
    for (number, link) in links.iter().enumerate() {
        assert!(link.starts_with(&format!("{number} ")), "link {number} is {link:?}");
    }
    for entry in fs::read_dir(folder.path().join("told")).unwrap() {
        for link in fs::read_to_string(entry.unwrap().path()).unwrap().lines() {
            assert!(links.iter().any(|there| there == link), "{link:?} was acknowledged and is lost");
        }
    }
    store.put("chain", Bytes::new(), Condition::Always).await.unwrap();
}
