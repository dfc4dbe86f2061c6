//! A failure at every call of a replay, and another replay before every call: whatever happens, the next one cures it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use headgate::{Code, state::memory::MemoryState, store::memory::MemoryStore};
use headgate_columnar::replay::{Options, Report};

use crate::{
    faults::{plans, revive},
    landed::Landed,
    replay::scene::{adds_up, apply},
};

/// A lake with lines that can be replayed.
pub trait Scene: Sized {
    async fn new() -> Self;

    fn landed(&self) -> &Landed;

    fn state(&self) -> &MemoryState;

    /// A replay of this lake, also in another thread.
    fn replayer(&self) -> impl AsyncFnOnce(&Options) -> Report + Send + use<Self> + 'static;

    /// All that is there, where the replay was well.
    async fn check(&self, told: &str);

    async fn replay(&self, options: &Options) -> Report {
        self.replayer()(options).await
    }
}

/// One line a batch, and all in one.
fn sizes() -> [Options; 2] {
    [Options { most: 0, ..apply() }, apply()]
}

async fn completes<S: Scene>(scene: &S, lines: u64, told: &str) {
    let report = scene.replay(&apply()).await;
    adds_up(&report);
    assert_eq!(report.replayed + report.repeated, lines, "{told}");
    scene.check(told).await;
    let all = scene.landed().objects("").await;
    let report = scene.replay(&apply()).await;
    assert_eq!((report.repeated, report.written, report.completed), (lines, 0, 0), "{told}");
    assert!(scene.landed().objects("").await == all, "{told}: nothing is left to do");
    let entries = scene.landed().objects("_headgate/").await;
    assert!(entries.iter().all(|(_, entry)| entry.ends_with(b"]}\n")), "{told}: an entry holds what it wrote");
}

/// How many calls a replay makes of the lake and of the state, and how many lines it replays.
async fn calls<S: Scene>(options: &Options) -> (u64, u64, u64) {
    let scene = S::new().await;
    let before = (scene.landed().store.faults().total(), scene.state().faults().total());
    let report = scene.replay(options).await;
    adds_up(&report);
    assert!(report.replayed > 1, "{report:#?}");
    scene.check("untroubled").await;
    let of_store = scene.landed().store.faults().total() - before.0;
    (of_store, scene.state().faults().total() - before.1, report.replayed)
}

pub async fn fails_anywhere<S: Scene>() {
    for options in sizes() {
        let (of_store, of_state, lines) = calls::<S>(&options).await;
        for plan in plans(of_store.max(of_state)) {
            let scene = S::new().await;
            let before = scene.landed().objects("quarantine/").await;
            plan.set(&scene.landed().store, scene.state());
            let report = scene.replay(&options).await;
            revive(&scene.landed().store, scene.state());
            let told = format!("{plan:?}, {} bytes: {report:?}", options.most);
            assert!(scene.landed().objects("quarantine/").await == before, "{told}: quarantine stays as it is");
            completes(&scene, lines, &told).await;
        }
    }
}

/// Another replay begins and ends before call `number` of the first.
async fn race<S: Scene>(options: &Options, number: u64, lines: u64) -> Report {
    let scene = S::new().await;
    let begun = Arc::new(AtomicBool::new(false));
    let at = scene.landed().store.faults().total() + number;
    let other = std::sync::Mutex::new(Some(scene.replayer()));
    scene.landed().store.faults().hook(Box::new(move |call| {
        if call.number == at && !begun.swap(true, Ordering::SeqCst) {
            let other = other.lock().unwrap().take().unwrap();
            let other = thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(other(&apply()))
            });
            assert_eq!(other.join().unwrap().error, None);
        }
    }));
    let report = scene.replay(options).await;
    scene.landed().store.faults().unhook();
    completes(&scene, lines, &format!("call {number}: {report:?}")).await;
    report
}

pub async fn races<S: Scene>() {
    for options in sizes() {
        let (of_store, _, lines) = calls::<S>(&options).await;
        let mut lost = 0;
        for number in 1..=of_store {
            if let Some(error) = race::<S>(&options, number, lines).await.error {
                assert_eq!(error.code, Code::Contended, "{error}");
                assert!(error.message.contains("run it again"), "{error}");
                lost += 1;
            }
        }
        assert!(lost > 0, "none lost the race");
    }
}

pub async fn looks<S: Scene>() {
    let scene = S::new().await;
    let before = scene.landed().objects("").await;
    let seen = scene.replay(&Options { apply: false, ..apply() }).await;
    adds_up(&seen);
    assert!(scene.landed().objects("").await == before, "nothing is written");
    let done = scene.replay(&apply()).await;
    assert_eq!(seen, Report { applied: false, written: 0, ..done });
}

/// The parts of a lake in memory that are handed to another thread.
pub fn ports(scene: &impl Scene) -> (MemoryStore, MemoryState) {
    (scene.landed().store.clone(), scene.state().clone())
}
