//! The built-in incident: what gotrail opens when it is given no file. It is the sample in `sample-traces`, with its CPU
//! profile and its sources.

use crate::source::BuiltIn;

/// The trace, packed.
pub(super) static TRACE: &[u8] = include_bytes!("../../assets/demo.trace.gz");
/// The CPU profile of the same seconds, and its name.
pub(super) static PROFILE: (&str, &[u8]) = ("cpu.pb.gz", include_bytes!("../../assets/demo.cpu.pb.gz"));

/// A file by the name that `go build -trimpath` gave it.
macro_rules! source {
    ($($name:literal)*) => {
        &[$((concat!("paycore/", $name), include_str!(concat!("../../sample-traces/paycore/", $name)))),*]
    };
}

/// The program's sources.
pub(super) static SOURCES: BuiltIn = BuiltIn {
    files: source! {
        "main.go" "gateway.go" "shop.go" "payment/core.go" "payment/fraud.go" "payment/ledger.go"
        "payment/order_cache.go" "payment/settlement.go" "payment/sharded_cache.go"
    },
    hint: &[
        ("/mapassign Enter n", "the line that burns the CPU"),
        ("L  6", "the lock around it; what its maps cost"),
        ("?  q", "what the keys of a view do; leave"),
    ],
};
