//! The same work for many items, on several threads, with the results in the order of the items.

use lucerne_codec::Result;

/// Calls `work` with consecutive shares of the items, one for each thread, and puts together what it returns.
pub(super) fn in_shares<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&[T]) -> Result<Vec<R>> + Sync,
) -> Result<Vec<R>> {
    let share = items.len().div_ceil(threads.max(1)).max(1);
    let Some((first, others)) = items.split_at_checked(share.min(items.len())) else { return Ok(Vec::new()) };
    std::thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = others
            .chunks(share)
            .map(|items| (items, std::thread::Builder::new().spawn_scoped(scope, move || work(items))))
            .collect();
        let mut results = work(first)?;
        for (items, thread) in others {
            results.extend(match thread.map(std::thread::ScopedJoinHandle::join) {
                Ok(Ok(found)) => found?,
                // A panic goes on in the thread that waits for it.
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                // The system gives no more threads.
                Err(_) => work(items)?,
            });
        }
        Ok(results)
    })
}
