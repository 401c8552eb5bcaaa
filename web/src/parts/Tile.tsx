// One unit: its own picture, and what it gives for the chosen sample.

import { useEffect, useRef } from "preact/hooks";
import { CLASSES } from "../palette";
import type { Begun, Frame, Grid } from "../messages";
import { digits, type Explained, knownAfter } from "../derivation";
import { explained, frame, look, recognised, unitShown, walkAt } from "../store";
import { words } from "../strings";
import { dark, table } from "../theme";
import { inkOf, paint, paintCurve } from "./canvas";
import type { Place } from "./layout";
import { columnName } from "./NetworkView";

export function Tile({ form, place }: { form: Begun; place: Place }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const now = frame.value;
  const colours = table.value;
  const isDark = dark.value;
  useEffect(() => {
    if (canvas.current && now) draw(canvas.current, form, now, place, colours, isDark);
  });
  const value = now && !now.running ? activation(now, place) : null;
  const name = place.column < 0 ? (form.features[place.unit] ?? "") : columnName(form, place.column);
  const label = place.column < 0 ? name : words.unitLabel(name, place.unit + 1, value);
  const isOutput = place.column === form.columns.length - 1;
  const show = () => {
    unitShown.value = { column: place.column, unit: place.unit };
  };
  return (
    <button
      type="button"
      class={`tile ${unitShown.value?.column === place.column && unitShown.value.unit === place.unit ? "shown" : ""}`}
      style={{
        left: `${place.x}px`,
        top: `${place.y}px`,
        width: `${place.size}px`,
        height: `${place.size}px`,
      }}
      aria-label={label}
      title={label}
      onClick={() => {
        const same = unitShown.value?.column === place.column && unitShown.value.unit === place.unit;
        if (same) unitShown.value = null;
        else show();
      }}
    >
      <canvas ref={canvas} />
      <Filter form={form} place={place} />
      <Known form={form} place={place} />
      {place.column < 0 && form.kind !== "image" && <span class="name">{name}</span>}
      {isOutput && form.classes.length > 0 && <span class="name after">{outputName(form, place.unit)}</span>}
    </button>
  );
}

/** The filter of a feature map, small in its corner. */
function Filter({ form, place }: { form: Begun; place: Place }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const filters = frame.value?.arrays[`filter ${place.column}`];
  const colours = table.value;
  useEffect(() => {
    if (canvas.current && filters) paintOne(canvas.current, filters, place.unit, colours);
  });
  return form.columns[place.column]?.kind === "conv" && filters ? (
    <canvas ref={canvas} class="filter" />
  ) : null;
}

/** During a walk: the number that the steps so far have given this unit. */
function Known({ form, place }: { form: Begun; place: Place }) {
  const found = explained.value as Explained | null;
  if (look.value.tab !== "walk" || !found) return null;
  const known = knownAfter(form, found.steps, walkAt.value).get(place.column);
  const value = known?.values[place.unit];
  if (!known || value === undefined) return null;
  return <span class={`known ${known.backward ? "backward" : ""}`}>{digits(value)}</span>;
}

function outputName(form: Begun, unit: number): string {
  const single = form.columns.at(-1)?.units === 1;
  return (single ? form.classes[1] : form.classes[unit]) ?? "";
}

function activation(now: Frame, place: Place): number | null {
  const grid = now.arrays[`activation ${place.column}`];
  return grid && place.column >= 0 ? (grid.values[place.unit] ?? null) : null;
}

/** The picture of a unit: its output over the plane or the line, its weights, its feature map, or a plain colour. */
export function draw(
  canvas: HTMLCanvasElement,
  form: Begun,
  now: Frame,
  place: Place,
  colours: Uint8ClampedArray,
  isDark: boolean,
): void {
  if (place.column < 0) return drawInput(canvas, form, place, colours);
  const drawnDigit = recognised.value?.arrays[`tile ${place.column}`];
  const grid = drawnDigit ?? now.arrays[`tile ${place.column}`];
  const isOutput = place.column === form.columns.length - 1;
  if (grid && isOutput && form.classes.length > 2)
    return paintOne(canvas, grid, place.unit, own(place.unit, isDark));
  if (grid) return paintOne(canvas, grid, place.unit, colours);
  const curve = now.arrays[`curve ${place.column}`];
  if (curve) return drawCurve(canvas, curve, place.unit);
  const value = activation(now, place) ?? 0;
  const single = isOutput && form.classes.length > 0;
  const byte = single ? 255 * value : 127.5 + 127.5 * Math.tanh(value);
  paint(
    canvas,
    [Math.round(byte)],
    1,
    1,
    isOutput && form.classes.length > 2 ? own(place.unit, isDark) : colours,
  );
}

function drawInput(canvas: HTMLCanvasElement, form: Begun, place: Place, colours: Uint8ClampedArray): void {
  const pictures = form.arrays["input tile"];
  if (form.kind === "image") return drawSample(canvas, form);
  if (pictures) return paintOne(canvas, pictures, place.unit, colours);
  const curve = form.arrays["input curve"];
  if (curve) return drawCurve(canvas, curve, place.unit);
  paint(canvas, [128], 1, 1, colours);
}

/** The chosen image, white on black. */
export function drawSample(canvas: HTMLCanvasElement, form: Begun): void {
  const images = form.arrays["train images"];
  const [height = 1, width = 1] = form.image;
  const count = images?.shape[0] ?? 1;
  const start = Math.min(look.value.sample, count - 1) * width * height;
  if (images) paint(canvas, images.values.subarray(start, start + width * height), width, height, GREYS);
}

function paintOne(canvas: HTMLCanvasElement, grid: Grid, unit: number, colours: Uint8ClampedArray): void {
  const [, height = 1, width = 1] = grid.shape;
  paint(
    canvas,
    grid.values.subarray(unit * width * height, (unit + 1) * width * height),
    width,
    height,
    colours,
  );
}

function drawCurve(canvas: HTMLCanvasElement, curve: Grid, unit: number): void {
  const length = curve.shape[1] ?? 1;
  const values = curve.values.subarray(unit * length, (unit + 1) * length);
  let low = 0;
  let high = 0;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  paintCurve(canvas, values, low, high || 1, inkOf("--high"), inkOf("--faint"));
}

const GREYS = new Uint8ClampedArray(256 * 4).map((_, i) => (i % 4 === 3 ? 255 : i >> 2));

/** From the paper to the colour of a class. */
function own(unit: number, isDark: boolean): Uint8ClampedArray {
  const known = owns.get(`${unit} ${isDark}`);
  if (known) return known;
  const hex = CLASSES[unit % CLASSES.length] ?? "#888888";
  const paper = isDark ? [36, 41, 50] : [246, 246, 243];
  const made = new Uint8ClampedArray(256 * 4).map((_, i) => {
    const c = i % 4;
    if (c === 3) return 255;
    const end = Number.parseInt(hex.slice(1 + 2 * c, 3 + 2 * c), 16);
    return (paper[c] ?? 0) + ((end - (paper[c] ?? 0)) * (i >> 2)) / 255;
  });
  owns.set(`${unit} ${isDark}`, made);
  return made;
}

const owns = new Map<string, Uint8ClampedArray>();
