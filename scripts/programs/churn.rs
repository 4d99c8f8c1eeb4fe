//! Rust at work: threads that come and go, vectors that grow, maps, sorted strings.
//!
//! Usage: churn SECONDS
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

fn work(seed: u64) -> usize {
    let mut random = seed | 1;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let mut grown = Vec::new();
    let mut words: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for _ in 0..20_000 {
        grown.extend_from_slice(&next().to_le_bytes());
        words.entry(next() % 100).or_default().push(next().to_string());
    }
    for list in words.values_mut() {
        list.sort_by_cached_key(|word| word.chars().rev().collect::<String>());
    }
    let large = vec![next() as u8; (next() % 4_000_000) as usize];
    grown.len() + words.len() + large.len()
}

fn main() {
    let seconds = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(8);
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let mut round = 0;
    while Instant::now() < deadline {
        let threads: Vec<_> = (0..3).map(|n| thread::spawn(move || work(round * 4 + n))).collect();
        assert!(work(round * 4 + 3) > 0);
        for thread in threads {
            assert!(thread.join().is_ok_and(|bytes| bytes > 0));
        }
        thread::sleep(Duration::from_millis(20));
        round += 1;
    }
}
