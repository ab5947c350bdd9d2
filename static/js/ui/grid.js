/**
 * @typedef {{left: number, top: number, width: number, height: number}} Box pixels
 */

const GAP = 8;
/** Cameras send 16:9; how much of that may be cropped at the sides depends on the room there is. */
const MIN_RATIO_WIDE = 4 / 3;
const MIN_RATIO_UPRIGHT = 3 / 4;
const MAX_RATIO = 16 / 9;
const STRIP_SHARE = 0.22;

/**
 * The arrangement of `count` equal tiles that covers most of a box; rows that are not full are
 * centred.
 * @param {number} count
 * @param {Box} box
 * @returns {Box[]}
 */
export function arrange(count, box) {
  let best = { width: 0, height: 0, columns: 1 };
  for (let columns = 1; columns <= count; columns++) {
    const size = tileSize(box, columns, Math.ceil(count / columns));
    if (size.width * size.height > best.width * best.height) best = { ...size, columns };
  }
  return Array.from({ length: count }, (_, index) => place(index, count, best, box));
}

/**
 * Prominent tiles, and the others in a strip beside or below them.
 * @param {number} featured
 * @param {number} others
 * @param {Box} box
 * @returns {{featured: Box[], others: Box[]}}
 */
export function arrangeFeatured(featured, others, box) {
  if (!featured || !others) {
    return { featured: arrange(featured, box), others: arrange(others, box) };
  }
  const [main, strip] = split(box);
  return { featured: fill(featured, main), others: arrange(others, strip) };
}

/**
 * @param {Box} box
 * @returns {[Box, Box]}
 */
function split(box) {
  const { left, top, width, height } = box;
  if (width > height * 1.2) {
    const strip = Math.max(150, Math.min(260, width * STRIP_SHARE));
    const main = width - strip - GAP;
    return [{ left, top, width: main, height }, { left: left + main + GAP, top, width: strip, height }];
  }
  const strip = Math.max(90, Math.min(190, height * STRIP_SHARE));
  const main = height - strip - GAP;
  return [{ left, top, width, height: main }, { left, top: top + main + GAP, width, height: strip }];
}

/**
 * Featured tiles take all there is: their content is fitted, not cropped.
 * @param {number} count
 * @param {Box} box
 * @returns {Box[]}
 */
function fill(count, box) {
  return count === 1 ? [box] : arrange(count, box);
}

/**
 * @param {Box} box
 * @param {number} columns
 * @param {number} rows
 */
function tileSize(box, columns, rows) {
  const width = (box.width - GAP * (columns - 1)) / columns;
  const height = (box.height - GAP * (rows - 1)) / rows;
  if (width <= 0 || height <= 0) return { width: 0, height: 0 };
  const min = box.width < box.height ? MIN_RATIO_UPRIGHT : MIN_RATIO_WIDE;
  const ratio = Math.min(MAX_RATIO, Math.max(min, width / height));
  return { width: Math.min(width, height * ratio), height: Math.min(height, width / ratio) };
}

/**
 * @param {number} index
 * @param {number} count
 * @param {{width: number, height: number, columns: number}} tile
 * @param {Box} box
 * @returns {Box}
 */
function place(index, count, { width, height, columns }, box) {
  const rows = Math.ceil(count / columns);
  const row = Math.floor(index / columns);
  const inRow = row === rows - 1 ? count - row * columns : columns;
  const left = (box.width - inRow * width - (inRow - 1) * GAP) / 2 + (index % columns) * (width + GAP);
  const top = (box.height - rows * height - (rows - 1) * GAP) / 2 + row * (height + GAP);
  return { left: box.left + left, top: box.top + top, width, height };
}
