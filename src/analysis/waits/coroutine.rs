//! Switches between a goroutine and an iterator that `iter.Pull` runs as another. The trace has neither a reason nor a
//! stack for most of them: the goroutines tell, and the line that called `iter.Pull` is that which created the iterator.

use crate::base::{GoIdx, GroupId, StackId, StringId};
use crate::model::ownership::is_iterator;
use crate::model::places::{PlaceId, Places};
use crate::model::reasons::{ReasonId, Reasons};
use crate::model::{Index, Waker};

/// Whether a wait is for the other side of an iterator: a switch has no reason, and who switches to one no stack either.
/// `waker` is the group of the goroutine that ended it, if one did.
pub fn is_switch(index: &Index, waiter: GroupId, waker: Option<GroupId>, (reason, stack): (StringId, StackId)) -> bool {
    let iterator = |g: GroupId| is_iterator(index.group_name(g));
    !reason.is_some() && (iterator(waiter) || !stack.is_some() && waker.is_some_and(iterator))
}

/// What a wait of a goroutine was for, in which a switch is known as one.
pub fn refine(
    index: &Index,
    reasons: &Reasons,
    go: GoIdx,
    wait: (StringId, StackId),
    (waker, waker_stack): (Waker, StackId),
) -> ReasonId {
    match is_switch(index, group(index, go), by(index, waker), wait) {
        true => reasons.coroutine(&index.dict),
        false => reasons.refine_ended(&index.dict, wait, (waker, waker_stack)),
    }
}

/// The line at which a goroutine waited; for a switch without a stack, that which called `iter.Pull`.
pub fn line(index: &Index, places: &Places, go: GoIdx, wait: (StringId, StackId), waker: Waker) -> PlaceId {
    let at = places.user(wait.1);
    if at != PlaceId::NONE || !is_switch(index, group(index, go), by(index, waker), wait) {
        return at;
    }
    let iterator = |g: &GoIdx| is_iterator(index.group_name(group(index, *g)));
    let other = if let Waker::Go(g) = waker { Some(g) } else { None };
    let pulled = [Some(go), other].into_iter().flatten().find(iterator).and_then(|g| index.goroutine(g));
    pulled.map_or(PlaceId::NONE, |g| places.user(g.created_at))
}

/// The line that called `iter.Pull` for the iterators among two groups, if one did for all of them.
pub fn line_of_all(index: &Index, places: &Places, waiter: GroupId, waker: Option<GroupId>) -> PlaceId {
    let iterator = |g: &GroupId| is_iterator(index.group_name(*g));
    let Some(group) = [Some(waiter), waker].into_iter().flatten().find(iterator) else { return PlaceId::NONE };
    let members = index.groups.get(group.0 as usize).map_or(&[][..], |g| &g.members);
    let mut lines = members.iter().map(|&m| index.goroutine(m).map_or(PlaceId::NONE, |g| places.user(g.created_at)));
    let first = lines.next().unwrap_or(PlaceId::NONE);
    if lines.all(|l| l == first) { first } else { PlaceId::NONE }
}

fn group(index: &Index, go: GoIdx) -> GroupId {
    index.goroutine(go).map_or(GroupId::NONE, |g| g.group)
}

fn by(index: &Index, waker: Waker) -> Option<GroupId> {
    if let Waker::Go(g) = waker { Some(group(index, g)) } else { None }
}
