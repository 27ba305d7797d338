//! The frames that a legacy profiler leaves in its own profiles, which nobody wants to see: the allocator's in a heap
//! profile, the lock's in a contention profile, the signal handler's in a CPU profile.
//!
//! The newer format lets the producer say so (`drop_frames`); for the older ones pprof knows, and so do we.

use crate::profile::wire::proto::Profile;

const ALLOCATOR: &[&str] = &[
    // The C library.
    r"calloc|cfree|malloc|free|memalign|do_memalign|(__)?posix_memalign|pvalloc|valloc|realloc",
    // tcmalloc.
    r"tcmalloc::.*",
    r"tc_(calloc|cfree|malloc|free|memalign|posix_memalign|pvalloc|valloc|realloc)",
    r"tc_(new|delete|newarray|deletearray|new_nothrow|newarray_nothrow)",
    // macOS.
    r"malloc_zone_(malloc|calloc|valloc|realloc|memalign|free)",
    // Go.
    r"runtime\..*",
    // Others.
    r"BaseArena::.*|(::)?do_malloc_no_errno|(::)?do_malloc_pages|(::)?do_malloc|DoSampledAllocation",
    r"MallocedMemBlock::MallocedMemBlock|_M_allocate|__builtin_(vec_)?delete|__builtin_(vec_)?new",
    r"__gnu_cxx::new_allocator::allocate|__libc_malloc|__malloc_alloc_template::allocate|allocate|cpp_alloc",
    r"operator new(\[\])?|simple_alloc::allocate",
];

/// Go's frames that may stand between those of the user.
const ALLOCATOR_KEEP: &[&str] = &[r"runtime\.panic|runtime\.reflectcall|runtime\.call[0-9]*"];

const LOCK: &[&str] = &[
    r"RecordLockProfileData|(base::)?(RecordLockProfileData|SubmitMutexProfileData|SubmitSpinLockProfileData).*",
    r"(base::Mutex::|Mutex::)?(AwaitCommon|Unlock|UnlockSlow|ReaderUnlock).*",
    r"(base::MutexLock::|MutexLock::)?~MutexLock.*",
    r"(SpinLock::)?(Unlock|SlowUnlock).*|(SpinLockHolder::)?~SpinLockHolder.*",
];

const PROFILER: &[&str] =
    &[r"ProfileData::Add|ProfileData::prof_handler|CpuProfiler::prof_handler|__pthread_sighandler|__restore"];

/// Types of values that only a heap profile has.
const HEAP_TYPES: &[&[&str]] = &[
    &["allocations", "size"],
    &["objects", "space"],
    &["inuse_objects", "inuse_space"],
    &["alloc_objects", "alloc_space"],
    &["alloc_objects", "alloc_space", "inuse_objects", "inuse_space"],
];

/// Says in `p` which frames to drop.
pub(crate) fn add(mut p: Profile) -> Profile {
    let types: Vec<&[u8]> = p.sample_type.iter().map(|t| p.string(t.r#type).unwrap_or_default()).collect();
    let is = |names: &[&str]| types.len() == names.len() && types.iter().zip(names).all(|(t, n)| *t == n.as_bytes());
    let (drop, keep): (_, &[&str]) = if HEAP_TYPES.iter().any(|names| is(names)) {
        (ALLOCATOR, ALLOCATOR_KEEP)
    } else if is(&["contentions", "delay"]) {
        (LOCK, &[])
    } else {
        (PROFILER, &[])
    };
    p.drop_frames = p.string_table.len() as i64;
    p.string_table.push(drop.join("|").into_bytes());
    if !keep.is_empty() {
        p.keep_frames = p.string_table.len() as i64;
        p.string_table.push(keep.join("|").into_bytes());
    }
    p
}
