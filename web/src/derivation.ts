// The engine's explanation of one pass, as `network.explain(...).to_dict()` gives it.

import type { Begun, Message } from "./messages";

export interface Value {
  shape: number[];
  text: string;
  numbers: unknown;
}

export interface Statement {
  left: string;
  formula: string;
  numbers: string;
  result: string;
  element: { name: string; index: number[]; value: number; text: string } | null;
  note: string;
}

export interface Step {
  number: number;
  phase: "forward" | "loss" | "backward" | "update";
  place: string;
  kind: string;
  operation: string;
  about: string;
  statements: Statement[];
  results: Record<string, Value>;
}

interface Node {
  place: string;
  kind: string;
  index: number[];
  value: number;
  slope: number;
}

export interface Paths {
  of: { label: string; value: number };
  gradient: number;
  sum: number;
  count: number;
  largest: { nodes: Node[]; last_slope: number; product: number }[];
  rest: { count: number; total: number };
  finite_difference: { value: number; relative_difference: number } | null;
}

export interface Explained extends Message {
  sample: number;
  moment: number;
  loss: number;
  prediction: Value;
  target: Value;
  steps: Step[];
  paths: Paths | null;
}

/** The column of the page that a layer of the network belongs to; null for the loss. */
export function columnOf(form: Begun, place: string): number | null {
  const layer = Number(/^layers\.(\d+)/.exec(place)?.[1] ?? Number.NaN);
  if (Number.isNaN(layer)) return null;
  const starts = form.columns.map((column) => Number(column.weights?.split(".")[1] ?? -1));
  let found: number | null = null;
  starts.forEach((start, i) => {
    if (start >= 0 && layer >= start) found = i;
  });
  return found;
}

/** What is known of the units of each column after some steps: on the way forward values, on the way back slopes. */
export function knownAfter(
  form: Begun,
  steps: Step[],
  at: number,
): Map<number, { backward: boolean; values: number[] }> {
  const known = new Map<number, { backward: boolean; values: number[] }>();
  for (const step of steps.slice(0, at + 1)) {
    const column = columnOf(form, step.place);
    if (column === null || step.phase === "update") continue;
    const backward = step.phase === "backward";
    const values = flat(step.results[backward ? "dx" : "y"]);
    if (!values) continue;
    // Going back, a linear layer tells the slopes of the column before it; an activation those of its own.
    const isLinear = /linear|convolution/.test(step.operation);
    known.set(backward && isLinear ? column - 1 : column, { backward, values });
  }
  return known;
}

function flat(value: Value | undefined): number[] | null {
  const rows = value?.numbers as number[][] | null | undefined;
  return Array.isArray(rows) && Array.isArray(rows[0]) && typeof rows[0][0] === "number" ? rows[0] : null;
}

/** A few digits. */
export function digits(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size < 0.001 || size >= 1e5 ? value.toExponential(1) : value.toPrecision(3);
  return text.replaceAll("-", "−");
}
