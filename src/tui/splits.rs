//! How large the panes of a grid are: parts of rows and columns, changed by keys, kept over restarts.

use ratatui::layout::Rect;
use std::collections::BTreeMap;
use std::path::Path;

/// The least that a pane is.
const MIN: (u16, u16) = (36, 7);
/// Parts that a column or row of even size has.
const EVEN: u16 = 12;
/// The fewest parts.
const LEAST: u16 = 3;
/// Grids that are kept; the smallest first.
const KEPT_MAX: usize = 64;

/// Sizes by the shape of the grid.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Splits(BTreeMap<String, (Vec<u16>, Vec<u16>)>);

/// Which way a pane grows or shrinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Column,
    Row,
}

/// How many panes fit at once, and in how many columns and rows.
pub(super) fn shape(area: Rect, panes: usize) -> (usize, usize) {
    let most = (usize::from(area.width / MIN.0).max(1), usize::from(area.height / MIN.1).max(1));
    let panes = panes.max(1).min(most.0 * most.1);
    // A terminal's cell is about twice as high as wide: even panes look right with as many columns as rows.
    let mut cols = (1..=most.0).find(|cols| cols * cols >= panes).unwrap_or(most.0);
    while panes.div_ceil(cols) > most.1 {
        cols += 1;
    }
    (cols, panes.div_ceil(cols))
}

impl Splits {
    /// The places of `n` panes in a grid of this shape, row by row; panes of a short last row share its width.
    pub(super) fn places(&self, area: Rect, (cols, rows): (usize, usize), n: usize) -> Vec<Rect> {
        let (wide, high) = self.parts(cols, rows);
        let ys = cut(area.y, area.height, &high);
        let mut places = Vec::new();
        for (row, (y, height)) in ys.into_iter().enumerate() {
            let here = n.saturating_sub(row * cols).min(cols);
            let xs = if here == cols {
                cut(area.x, area.width, &wide)
            } else {
                cut(area.x, area.width, &vec![EVEN; here])
            };
            places.extend(xs.into_iter().map(|(x, width)| Rect { x, y, width, height }));
        }
        places
    }

    /// Makes the column or row of pane `at` larger or smaller.
    pub(super) fn change(&mut self, (cols, rows): (usize, usize), at: usize, side: Side, grow: bool) {
        let (mut wide, mut high) = self.parts(cols, rows);
        let part = match side {
            Side::Column => wide.get_mut(at % cols),
            Side::Row => high.get_mut(at / cols),
        };
        if let Some(part) = part {
            *part = if grow { (*part + 2).min(EVEN * 6) } else { part.saturating_sub(2).max(LEAST) };
        }
        if self.0.len() < KEPT_MAX || self.0.contains_key(&key(cols, rows)) {
            self.0.insert(key(cols, rows), (wide, high));
        }
    }

    /// Makes all panes of this shape even again.
    pub(super) fn even(&mut self, (cols, rows): (usize, usize)) {
        self.0.remove(&key(cols, rows));
    }

    fn parts(&self, cols: usize, rows: usize) -> (Vec<u16>, Vec<u16>) {
        let kept = self.0.get(&key(cols, rows));
        let fits = kept.filter(|(wide, high)| {
            wide.len() == cols
                && high.len() == rows
                && wide.iter().chain(high).all(|n| (LEAST..=EVEN * 6).contains(n))
        });
        fits.cloned().unwrap_or_else(|| (vec![EVEN; cols], vec![EVEN; rows]))
    }

    /// Reads what was kept; what can't be read is as good as nothing.
    pub(super) fn read(path: &Path) -> Self {
        std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Keeps it.
    pub(super) fn write(&self, path: &Path) -> std::io::Result<()> {
        let bytes = serde_json::to_vec(self)?;
        let fresh = path.with_extension("new");
        std::fs::write(&fresh, bytes)?;
        std::fs::rename(&fresh, path)
    }
}

fn key(cols: usize, rows: usize) -> String {
    format!("{cols}x{rows}")
}

/// Cuts a length in parts; what is left over goes to the first ones.
fn cut(from: u16, length: u16, parts: &[u16]) -> Vec<(u16, u16)> {
    let total: u32 = parts.iter().map(|part| u32::from(*part)).sum::<u32>().max(1);
    let edge = |sum: u32| from + u16::try_from(u32::from(length) * sum / total).unwrap_or(0);
    let mut sum = 0;
    parts
        .iter()
        .map(|part| {
            let start = edge(sum);
            sum += u32::from(*part);
            (start, edge(sum) - start)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_panes_fill_the_area_without_a_gap() {
        for (width, height) in [(80, 22), (200, 48), (81, 23)] {
            let area = Rect::new(0, 1, width, height);
            for n in 1..40 {
                let shape = shape(area, n);
                let shown = n.min(shape.0 * shape.1);
                let places = Splits::default().places(area, shape, shown);
                assert_eq!(places.len(), shown);
                let cells: u32 = places.iter().map(|place| place.area()).sum();
                assert_eq!(cells, area.area(), "{n} panes in {width}x{height}");
                assert!(places.iter().all(|place| place.width >= 26 && place.height >= MIN.1), "{places:?}");
            }
        }
    }

    #[test]
    fn sizes_change_within_limits_and_are_kept() {
        let mut splits = Splits::default();
        for _ in 0..99 {
            splits.change((2, 2), 0, Side::Column, true);
            splits.change((2, 2), 3, Side::Row, false);
        }
        let area = Rect::new(0, 0, 100, 40);
        let places = splits.places(area, (2, 2), 4);
        assert!(places[0].width > 80 && places[1].width >= 4, "{places:?}");
        assert!(places[0].height > places[2].height && places[2].height >= 7, "{places:?}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("panes.json");
        splits.write(&path).unwrap();
        assert_eq!(Splits::read(&path), splits);
        std::fs::write(&path, r#"{"2x2":[[0],[1,2,3]]}"#).unwrap();
        assert_eq!(Splits::read(&path).places(area, (2, 2), 4), Splits::default().places(area, (2, 2), 4));
        splits.even((2, 2));
        assert_eq!(splits, Splits::default());
    }
}
