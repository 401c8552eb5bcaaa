// Where the units of the network stand.

import type { Begun } from "../messages";

export interface Place {
  column: number; // −1 for the inputs
  unit: number;
  x: number; // of the middle
  y: number;
}

export interface Layout {
  tile: number;
  columns: { x: number; column: number; places: Place[]; hidden: number }[];
}

const MOST = 16; // units of a column that are drawn
const HEAD = 58; // room above the units
const FOOT = 14;
const GAP = 7;

export function arrange(begun: Begun, width: number, height: number): Layout {
  const counts = [inputs(begun), ...begun.columns.map((column) => column.units)];
  const drawn = counts.map((count) => Math.min(count, MOST));
  const most = Math.max(...drawn);
  const room = height - HEAD - FOOT;
  const tile = Math.max(15, Math.min(46, Math.floor(room / most) - GAP));
  const between = (width - 70) / Math.max(1, counts.length - 1);
  const columns = drawn.map((count, i) => {
    const x = 35 + i * between;
    const pitch = Math.min(tile + 2.4 * GAP, room / count);
    const first = HEAD + room / 2 - (pitch * (count - 1)) / 2;
    const places = Array.from({ length: count }, (_, unit) => ({
      column: i - 1,
      unit,
      x,
      y: first + unit * pitch,
    }));
    return { x, column: i - 1, places, hidden: (counts[i] ?? 0) - count };
  });
  return { tile, columns };
}

/** How many inputs are drawn: an image is one. */
export function inputs(begun: Begun): number {
  return begun.kind === "image" ? 1 : begun.features.length;
}
