//! Where the functions of a flame graph stand: exact widths, and what is too small for a cell summed up.

use crate::analysis::cost::flame::Tree;

/// What stands in a stretch of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Content {
    /// A node.
    Node(usize),
    /// So many callees of one function, each smaller than a cell.
    More(usize),
}

/// A stretch of cells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block {
    /// What stands there.
    pub what: Content,
    /// First cell.
    pub from: u16,
    /// Cell after the last.
    pub to: u16,
}

/// The rows of the graph below (and with) `root`, which takes `width` cells; at most `rows` of them. A block begins and
/// ends in the cell in which its exact share of the width does.
pub fn layout(tree: &Tree, root: usize, width: u16, rows: usize) -> Vec<Vec<Block>> {
    let Some(top) = tree.nodes.get(root).filter(|n| n.total > 0 && width > 0) else { return Vec::new() };
    // Sums that are as large as there are numbers may lie beyond what they are part of.
    let cell = |at: u64| {
        let inside = at.saturating_sub(top.start).min(top.total);
        (u128::from(inside) * u128::from(width) / u128::from(top.total)) as u16
    };
    let mut out = vec![vec![Block { what: Content::Node(root), from: 0, to: width }]];
    while out.len() < rows {
        let mut row = Vec::new();
        for b in out.last().into_iter().flatten() {
            let Content::Node(i) = b.what else { continue };
            let children = &tree.nodes[i].children;
            let fits = |&c: &usize| u128::from(tree.nodes[c].total) * u128::from(width) >= u128::from(top.total);
            // The heaviest come first, so that those too small are the last.
            let (large, small) = children.split_at(children.partition_point(fits));
            for &c in large {
                let n = &tree.nodes[c];
                row.push(Block {
                    what: Content::Node(c),
                    from: cell(n.start),
                    to: cell(n.start.saturating_add(n.total)),
                });
            }
            if let (Some(&first), Some(&last)) = (small.first(), small.last()) {
                let end = tree.nodes[last].start.saturating_add(tree.nodes[last].total);
                let (from, to) = (cell(tree.nodes[first].start), cell(end));
                if to > from {
                    row.push(Block { what: Content::More(small.len()), from, to });
                }
            }
        }
        if row.is_empty() {
            break;
        }
        out.push(row);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::cost::flame::{Layout, Node, Weighed, tree};
    use crate::base::StackId;
    use crate::model::{Dict, Frame, Func};

    fn wide(weights: &[u64]) -> Tree {
        let mut d = Dict::default();
        let mut stacks = Vec::new();
        for (i, &weight) in weights.iter().enumerate() {
            let mut at = StackId::NONE;
            for n in ["main".to_string(), format!("f{i}")] {
                let name = d.string(&n);
                let func = d.func(Func { name, file: name });
                let frame = d.frame(Frame { func, line: 1, pc: 0 });
                at = d.push_frame(at, frame);
            }
            stacks.push(Weighed::new(at, weight));
        }
        tree(&d, &stacks, Layout::default(), &|_| false)
    }

    #[test]
    fn weights_beyond_all_numbers_stay_inside_their_row() {
        let most = i64::MAX as u64;
        let t = wide(&[most, most, most, 7]);
        for root in 0..t.nodes.len() {
            for b in layout(&t, root, 80, 9).into_iter().flatten() {
                assert!(b.from <= b.to && b.to <= 80, "{b:?}");
            }
        }
    }

    #[test]
    fn blocks_are_as_wide_as_their_share_and_the_small_ones_are_counted() {
        let t = wide(&[500, 300, 100, 40, 30, 20, 10]);
        let rows = layout(&t, 1, 10, 9);
        let below: Vec<_> = rows[1].iter().map(|b| (matches!(b.what, Content::Node(_)), b.from, b.to)).collect();
        assert_eq!(below, [(true, 0, 5), (true, 5, 8), (true, 8, 9), (false, 9, 10)]);
        assert_eq!(rows[1][3].what, Content::More(4));
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn no_block_overlaps_another_or_leaves_its_parent_at_any_width() {
        let t = wide(&[977, 313, 313, 97, 31, 31, 7, 3, 1, 1, 1]);
        for width in 0..200 {
            let rows = layout(&t, 0, width, 5);
            for row in &rows {
                for b in row {
                    assert!(b.from < b.to && b.to <= width, "{width} {b:?}");
                }
                assert!(row.windows(2).all(|w| w[0].to <= w[1].from), "{width} {row:?}");
            }
            let node = |n: &Node| u128::from(n.total) * u128::from(width) >= u128::from(t.nodes[0].total);
            let large = t.nodes.iter().filter(|n| node(n)).count();
            let drawn = rows.iter().flatten().filter(|b| matches!(b.what, Content::Node(_))).count();
            assert_eq!(drawn, if width == 0 { 0 } else { large });
        }
    }
}
