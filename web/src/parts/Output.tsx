// What the network answers: the plane or the line with the samples, probabilities for images, all cases of a table.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { CLASSES } from "../palette";
import type { Begun, Frame } from "../messages";
import { begun, choose, chooseSample, frame, look, settings, unitShown } from "../store";
import { words } from "../strings";
import { dark, table } from "../theme";
import { fit, inkOf, paint, paintClasses } from "./canvas";
import { Cases } from "./Cases";
import { brush } from "./DataPanel";
import { ImageAnswer } from "./ImageAnswer";
import { columnName } from "./NetworkView";
import { WeightsOfUnit } from "./Walk";

export function Output() {
  const form = begun.value;
  const now = frame.value;
  if (!form || !now) return <section class="panel output" aria-label={words.result} />;
  return (
    <section class="panel output" aria-labelledby="result-title">
      <h2 id="result-title">{shownName(form)}</h2>
      {form.kind === "plane" && <Plane form={form} now={now} />}
      {form.kind === "line" && <LineGraph form={form} now={now} />}
      {form.kind === "image" && <ImageAnswer form={form} now={now} />}
      {form.kind === "table" && <Cases form={form} now={now} />}
      {(form.kind === "plane" || form.kind === "line") && <ChosenSample form={form} />}
      <WeightsOfUnit />
    </section>
  );
}

/** The chosen sample by its number: the way without a mouse. */
function ChosenSample({ form }: { form: Begun }) {
  const most = (form.arrays["train points"]?.shape[0] ?? 1) - 1;
  return (
    <label class="control">
      <span>{words.chosen}</span>
      <input
        type="number"
        min={0}
        max={most}
        value={Math.min(look.value.sample, most)}
        onChange={(event) =>
          chooseSample(Math.max(0, Math.min(most, Math.round(event.currentTarget.valueAsNumber) || 0)))
        }
      />
    </label>
  );
}

function shownName(form: Begun): string {
  const unit = unitShown.value;
  if (!unit || unit.column < 0 || form.kind !== "plane") return words.result;
  return words.unitLabel(columnName(form, unit.column), unit.unit + 1, null);
}

function Plane({ form, now }: { form: Begun; now: Frame }) {
  const ground = useRef<HTMLCanvasElement>(null);
  const points = useRef<HTMLCanvasElement>(null);
  const showTest = useSignal(true);
  const colours = table.value;
  const isDark = dark.value;
  const sample = look.value.sample;
  const unit = unitShown.value;
  useEffect(() => {
    if (ground.current) paintGround(ground.current, form, now, colours, isDark, unit);
    if (points.current) drawPoints(points.current, form, now, sample, showTest.value);
  });
  const place = (event: MouseEvent): [number, number] => {
    const [left, right, bottom, top] = form.extent;
    const canvas = event.currentTarget as HTMLCanvasElement;
    const x = left + (event.offsetX / canvas.clientWidth) * (right - left);
    return [x, top - (event.offsetY / canvas.clientHeight) * (top - bottom)];
  };
  const click = (event: MouseEvent) => {
    const [x, y] = place(event);
    if (settings.value.data === "drawn") addPoint(x, y);
    else chooseSample(nearestSample(form, x, y));
  };
  return (
    <>
      <div class={`plane ${settings.value.data === "drawn" ? "drawable" : ""}`}>
        <canvas ref={ground} role="img" aria-label={words.planeLabel} data-test="plane" />
        <canvas ref={points} aria-hidden="true" onClick={click} data-test="points" />
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={showTest.value}
          onChange={() => {
            showTest.value = !showTest.value;
          }}
        />
        {words.showTest}
      </label>
    </>
  );
}

function addPoint(x: number, y: number): void {
  const round = (value: number) => Math.round(100 * Math.max(-2, Math.min(2, value))) / 100;
  choose({ points: [...settings.value.points, [round(x), round(y), brush.value]] });
}

function paintGround(
  canvas: HTMLCanvasElement,
  form: Begun,
  now: Frame,
  colours: Uint8ClampedArray,
  isDark: boolean,
  unit: { column: number; unit: number } | null,
): void {
  const tile = unit && unit.column >= 0 ? now.arrays[`tile ${unit.column}`] : undefined;
  if (tile && unit && unit.column < form.columns.length - 1) {
    const size = tile.shape[1] ?? 1;
    return paint(
      canvas,
      tile.values.subarray(unit.unit * size * size, (unit.unit + 1) * size * size),
      size,
      size,
      colours,
    );
  }
  const plane = now.arrays.plane;
  if (!plane) return;
  const [units = 1, size = 1] = plane.shape;
  if (units > 1 || form.classes.length > 2) paintClasses(canvas, plane.values, units, size, isDark);
  else paint(canvas, plane.values, size, size, colours);
}

const drawnLast = new WeakMap<HTMLCanvasElement, string>();

/** Draw the samples anew where they, or which of them are wrong, have changed. */
function drawPoints(
  canvas: HTMLCanvasElement,
  form: Begun,
  now: Frame,
  sample: number,
  showTest: boolean,
): void {
  const wrong = ["train", "test"].map((name) => String(now.arrays[`${name} wrong`]?.values));
  const key = JSON.stringify([
    formsSeen(form),
    wrong,
    sample,
    showTest,
    dark.value,
    settings.value.points.length,
  ]);
  const size = `${canvas.clientWidth} ${canvas.clientHeight} ${window.devicePixelRatio}`;
  if (drawnLast.get(canvas) === key + size) return;
  drawnLast.set(canvas, key + size);
  const fitted = fit(canvas);
  if (!fitted) return;
  if (settings.value.data === "drawn" && settings.value.points.length < 2) return drawFirst(fitted, form);
  for (const name of showTest ? ["test", "train"] : ["train"]) drawSet(fitted, form, now, name, sample);
}

const forms = new WeakMap<Begun, number>();
let seen = 0;

/** A number of its own for each set of samples. */
function formsSeen(form: Begun): number {
  const known = forms.get(form) ?? ++seen;
  forms.set(form, known);
  return known;
}

/** A single point that the user has drawn: nothing can be learned from it yet. */
function drawFirst({ context, width, height }: Fitted, form: Begun): void {
  const [left, right, bottom, top] = form.extent;
  for (const [x, y, label] of settings.value.points) {
    context.fillStyle = CLASSES[label] ?? "";
    context.beginPath();
    context.arc(
      ((x - left) / (right - left)) * width,
      ((top - y) / (top - bottom)) * height,
      4,
      0,
      2 * Math.PI,
    );
    context.fill();
  }
}

interface Fitted {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
}

function drawSet(
  { context, width, height }: Fitted,
  form: Begun,
  now: Frame,
  name: string,
  sample: number,
): void {
  const points = form.arrays[`${name} points`];
  const targets = form.arrays[`${name} targets`];
  const wrong = now.arrays[`${name} wrong`];
  if (!points || !targets) return;
  const [left, right, bottom, top] = form.extent;
  const count = points.shape[0] ?? 0;
  const radius = count > 500 ? 2.2 : count > 150 ? 3 : 4;
  const paper = inkOf("--paper");
  const ink = inkOf("--ink");
  const largest = form.classes.length ? 1 : Math.max(...targets.values.map(Math.abs));
  for (let i = 0; i < count; i++) {
    const x = (((points.values[2 * i] ?? 0) - left) / (right - left)) * width;
    const y = ((top - (points.values[2 * i + 1] ?? 0)) / (top - bottom)) * height;
    context.fillStyle = form.classes.length
      ? (CLASSES[targets.values[i] ?? 0] ?? "")
      : shade((targets.values[i] ?? 0) / largest);
    context.strokeStyle = wrong?.values[i] ? ink : paper;
    context.lineWidth = wrong?.values[i] ? 1.8 : 1;
    context.beginPath();
    if (name === "test") context.rect(x - radius * 0.85, y - radius * 0.85, 1.7 * radius, 1.7 * radius);
    else context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
    if (name === "train" && i === sample) {
      context.strokeStyle = ink;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(x, y, radius + 5, 0, 2 * Math.PI);
      context.stroke();
    }
  }
}

function shade(value: number): string {
  const at = 4 * Math.round(127.5 + 127.5 * Math.max(-1, Math.min(1, value)));
  return `rgb(${table.value.slice(at, at + 3).join(" ")})`;
}

function nearestSample(form: Begun, x: number, y: number): number {
  const values = form.arrays["train points"]?.values ?? [];
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; 2 * i < values.length; i++) {
    const distance = Math.hypot((values[2 * i] ?? 0) - x, (values[2 * i + 1] ?? 0) - y);
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}

/** One feature: the samples, and the curve that the network draws through them. */
function LineGraph({ form, now }: { form: Begun; now: Frame }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const sample = look.value.sample;
  const isDark = dark.value;
  useEffect(() => {
    if (canvas.current) drawGraph(canvas.current, form, now, sample, isDark);
  });
  return (
    <div class="plane">
      <canvas ref={canvas} role="img" aria-label={words.lineLabel} data-test="plane" />
    </div>
  );
}

function drawGraph(
  canvas: HTMLCanvasElement,
  form: Begun,
  now: Frame,
  sample: number,
  isDark: boolean,
): void {
  const fitted = fit(canvas);
  const curve = now.arrays[`curve ${form.columns.length - 1}`];
  if (!fitted || !curve) return;
  const { context, width, height } = fitted;
  const [left, right, bottom, top] = form.extent;
  const px = (x: number) => ((x - left) / (right - left)) * width;
  const py = (y: number) => ((top - y) / (top - bottom)) * height;
  for (const [name, colour] of [
    ["test", inkOf("--test")],
    ["train", inkOf("--high")],
  ] as const) {
    const points = form.arrays[`${name} points`]?.values ?? [];
    const targets = form.arrays[`${name} targets`]?.values ?? [];
    context.fillStyle = colour;
    for (let i = 0; i < points.length; i++) {
      context.globalAlpha = i === sample && name === "train" ? 1 : 0.45;
      context.beginPath();
      context.arc(
        px(points[i] ?? 0),
        py(targets[i] ?? 0),
        i === sample && name === "train" ? 6 : 2.6,
        0,
        2 * Math.PI,
      );
      context.fill();
    }
  }
  context.globalAlpha = 1;
  context.strokeStyle = isDark ? "#fff" : "#111";
  context.lineWidth = 3;
  context.beginPath();
  const count = curve.values.length;
  for (let i = 0; i < count; i++)
    context.lineTo(px(left + (i / (count - 1)) * (right - left)), py(curve.values[i] ?? 0));
  context.stroke();
}
