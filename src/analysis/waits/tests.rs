use super::*;

#[test]
fn the_rules_are_well_formed() {
    assert!(TABLE.is_library("sync.(*Mutex).Lock"));
    assert!(!TABLE.is_library("main.main"));
    assert!(!TABLE.is_library("paycore/payment.(*Core).Pay"));
    assert!(!TABLE.is_library("timely.Do"), "a package is not its namesake's beginning");
}
