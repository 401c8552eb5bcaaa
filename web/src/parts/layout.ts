// Where the units of the network stand.

import type { Begun } from "../messages";

export interface Place {
  column: number; // −1 for the inputs
  unit: number;
  x: number; // of the middle
  y: number;
  size: number; // of its tile
}

export interface Layout {
  columns: { x: number; column: number; tile: number; places: Place[]; hidden: number }[];
}

const MOST = 16; // units of a column that are drawn
const HEAD = 58; // room above the units
const FOOT = 52; // and below, for the buttons
const LARGEST = { image: 76, map: 58, unit: 46 };
const GAP = 7;
const SIDE = 40; // room beside the outer columns
const NAMES = 120; // where the inputs have long names

export function arrange(begun: Begun, width: number, height: number): Layout {
  const counts = [inputs(begun), ...begun.columns.map((column) => column.units)];
  const drawn = counts.map((count) => Math.min(count, MOST));
  const room = height - HEAD - FOOT;
  const left = begun.kind === "table" ? NAMES : SIDE;
  const between = (width - left - SIDE) / Math.max(1, counts.length - 1);
  const columns = drawn.map((count, i) => {
    const x = left + i * between;
    const tile = Math.max(13, Math.min(largest(begun, i - 1), Math.floor(room / count) - GAP));
    const pitch = Math.min(tile + 2.4 * GAP, room / count);
    const first = HEAD + room / 2 - (pitch * (count - 1)) / 2;
    const places = Array.from({ length: count }, (_, unit) => ({
      column: i - 1,
      unit,
      x,
      y: first + unit * pitch,
      size: tile,
    }));
    return { x, column: i - 1, tile, places, hidden: (counts[i] ?? 0) - count };
  });
  return { columns };
}

function largest(begun: Begun, column: number): number {
  if (column < 0) return begun.kind === "image" ? LARGEST.image : LARGEST.unit;
  const { kind } = begun.columns[column] ?? { kind: "dense" };
  return kind === "dense" && (begun.kind !== "image" || column > 0) ? LARGEST.unit : LARGEST.map;
}

/** How many inputs are drawn: an image is one. */
export function inputs(begun: Begun): number {
  return begun.kind === "image" ? 1 : begun.features.length;
}
