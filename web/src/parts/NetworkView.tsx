// The network: every unit with its own picture, every weight as a line.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { CLASSES } from "../palette";
import { type Begun, type Column, type Frame } from "../messages";
import { begun, choose, frame, settings, weightAsked } from "../store";
import { words } from "../strings";
import { dark } from "../theme";
import { fit, inkOf } from "./canvas";
import { IconButton } from "./controls";
import { Cross } from "./icons";
import { arrange, type Layout, type Place } from "./layout";
import { Tile } from "./Tile";

export function NetworkView() {
  const box = useRef<HTMLDivElement>(null);
  const size = useSignal({ width: 600, height: 420 });
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      if (entry) size.value = { width: entry.contentRect.width, height: entry.contentRect.height };
    });
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, [size]);
  const form = begun.value;
  const layout = form && arrange(form, size.value.width, size.value.height);
  return (
    <section class="network" aria-label={words.network} ref={box}>
      {form && layout && (
        <>
          <Lines form={form} layout={layout} />
          {layout.columns.map(({ column, x, places, hidden }) => (
            <div key={column} class="column" role="group" aria-label={columnName(form, column)}>
              <Head form={form} column={column} x={x} />
              {places.map((place) => (
                <Tile key={place.unit} form={form} place={place} />
              ))}
              {hidden > 0 && (
                <small class="more" style={{ left: `${x}px` }}>
                  {words.moreUnits(hidden)}
                </small>
              )}
            </div>
          ))}
          <Adding form={form} />
        </>
      )}
    </section>
  );
}

export function columnName(form: Begun, column: number): string {
  if (column < 0) return words.inputs;
  if (column === form.columns.length - 1) return words.output;
  const kind = form.columns[column]?.kind;
  if (kind === "pool") return words.pooling;
  return kind === "conv" ? words.filters(column + 1) : words.layer(column + 1);
}

/** The name of a column, and how to make it larger or smaller. */
function Head({ form, column, x }: { form: Begun; column: number; x: number }) {
  const hidden = column >= 0 && column < form.columns.length - 1;
  const what = form.columns[column] as Column;
  return (
    <div class="head" style={{ left: `${x}px` }}>
      <span>{columnName(form, column)}</span>
      {hidden && (
        <div class="sizing">
          {what.kind !== "pool" && (
            <IconButton
              label={words.lessUnit}
              disabled={what.units < 2}
              onClick={() => resize(column, what.units - 1)}
            >
              −
            </IconButton>
          )}
          {what.kind !== "pool" && <b>{what.units}</b>}
          {what.kind !== "pool" && (
            <IconButton
              label={words.moreUnit}
              disabled={what.units > 63}
              onClick={() => resize(column, what.units + 1)}
            >
              +
            </IconButton>
          )}
          <IconButton label={words.removeLayer} kind="remove" onClick={() => remove(column)}>
            <Cross />
          </IconButton>
        </div>
      )}
    </div>
  );
}

function resize(column: number, units: number): void {
  const layers = settings.value.layers.map((token, i) =>
    i === column ? token.replace(/^(c?)\d+/, `$1${units}`) : token,
  );
  choose({ layers });
}

function remove(column: number): void {
  choose({ layers: settings.value.layers.filter((_, i) => i !== column) });
}

function Adding({ form }: { form: Begun }) {
  const layers = settings.value.layers;
  const full = layers.length >= 8;
  const plain = layers.findIndex((token) => /^\d/.test(token));
  const firstPlain = plain < 0 ? layers.length : plain;
  const insert = (token: string) =>
    choose({ layers: [...layers.slice(0, firstPlain), token, ...layers.slice(firstPlain)] });
  return (
    <div class="adding">
      {form.kind === "image" && (
        <>
          <button type="button" class="plain" disabled={full} onClick={() => insert("c4")}>
            {words.addFilters}
          </button>
          <button type="button" class="plain" disabled={full} onClick={() => insert("p")}>
            {words.addPooling}
          </button>
        </>
      )}
      <button
        type="button"
        class="plain"
        disabled={full}
        onClick={() => choose({ layers: [...layers, form.kind === "image" ? "16" : "4"] })}
      >
        {words.addLayer}
      </button>
    </div>
  );
}

interface Line {
  from: Place;
  to: Place;
  weight: number;
  parameter: string;
}

/** The weights between drawn units, as far as they are known one by one. */
export function linesOf(form: Begun, now: Frame, layout: Layout): Line[] {
  const lines: Line[] = [];
  for (let i = 1; i < layout.columns.length; i++) {
    const [before, after] = [layout.columns[i - 1], layout.columns[i]];
    const parameter = form.columns[i - 1]?.weights;
    const W = parameter ? now.arrays[`${parameter}.W`] : undefined;
    if (
      !before ||
      !after ||
      !W ||
      W.shape.length !== 2 ||
      W.shape[0] !== before.places.length + before.hidden
    )
      continue;
    const outputs = W.shape[1] ?? 1;
    for (const from of before.places)
      for (const to of after.places)
        lines.push({
          from,
          to,
          weight: W.values[from.unit * outputs + to.unit] ?? 0,
          parameter: `${parameter}.W`,
        });
  }
  return lines;
}

function Lines({ form, layout }: { form: Begun; layout: Layout }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const now = frame.value;
  const asked = weightAsked.value;
  const isDark = dark.value;
  useEffect(() => {
    if (canvas.current && now) drawLines(canvas.current, form, now, layout, asked, isDark);
  });
  const pick = (event: MouseEvent) => {
    if (!now) return;
    const found = nearest(linesOf(form, now, layout), event.offsetX, event.offsetY);
    if (found) weightAsked.value = { parameter: found.parameter, index: [found.from.unit, found.to.unit] };
  };
  return <canvas ref={canvas} class="lines" aria-hidden="true" onClick={pick} />;
}

function drawLines(
  canvas: HTMLCanvasElement,
  form: Begun,
  now: Frame,
  layout: Layout,
  asked: { parameter: string; index: number[] } | null,
  isDark: boolean,
): void {
  const fitted = fit(canvas);
  if (!fitted) return;
  const { context } = fitted;
  const lines = linesOf(form, now, layout);
  const largest = Math.max(1, ...lines.map(({ weight }) => Math.abs(weight)));
  const crowded = Math.min(1, 8 / Math.sqrt(lines.length || 1)); // many lines are drawn thinner
  drawBundles(context, form, layout, lines);
  for (const line of lines) {
    const share = Math.min(1, Math.abs(line.weight) / largest);
    context.strokeStyle = line.weight < 0 ? (CLASSES[0] ?? "") : (CLASSES[1] ?? "");
    context.globalAlpha = (0.14 + 0.8 * Math.sqrt(share)) * crowded;
    context.lineWidth = 0.6 + 5 * share * crowded;
    trace(context, line);
    const isAsked =
      asked?.parameter === line.parameter &&
      asked.index[0] === line.from.unit &&
      asked.index[1] === line.to.unit;
    if (isAsked) {
      context.globalAlpha = 1;
      context.strokeStyle = isDark ? "#fff" : "#111";
      context.lineWidth += 3;
      context.setLineDash([5, 4]);
      trace(context, line);
      context.setLineDash([]);
    }
  }
  context.globalAlpha = 1;
}

/** Where weights are not drawn one by one, a faint line between every two units. */
function drawBundles(context: CanvasRenderingContext2D, form: Begun, layout: Layout, lines: Line[]): void {
  const drawn = new Set(lines.map((line) => line.to.column));
  context.strokeStyle = inkOf("--faint");
  context.lineWidth = 1;
  context.globalAlpha = 0.5;
  for (let i = 1; i < layout.columns.length; i++) {
    const [before, after] = [layout.columns[i - 1], layout.columns[i]];
    if (!before || !after || drawn.has(i - 1)) continue;
    const pairs = form.columns[i - 1]?.kind === "pool";
    for (const from of before.places)
      for (const to of after.places) if (!pairs || from.unit === to.unit) trace(context, { from, to });
  }
}

function trace(context: CanvasRenderingContext2D, { from, to }: { from: Place; to: Place }): void {
  const [x0, x1] = [from.x + from.size / 2, to.x - to.size / 2];
  const bend = (x1 - x0) / 2;
  context.beginPath();
  context.moveTo(x0, from.y);
  context.bezierCurveTo(x0 + bend, from.y, x1 - bend, to.y, x1, to.y);
  context.stroke();
}

/** The line within a few pixels of a point. */
function nearest(lines: Line[], x: number, y: number): Line | undefined {
  let best: Line | undefined;
  let least = 7;
  for (const line of lines) {
    const [x0, x1] = [line.from.x + line.from.size / 2, line.to.x - line.to.size / 2];
    if (x < x0 || x > x1) continue;
    for (let t = 0; t <= 1; t += 0.02) {
      const s = 1 - t;
      const px = s ** 3 * x0 + 1.5 * s * t * (x0 + x1) + t ** 3 * x1;
      const py = (s ** 3 + 3 * s * s * t) * line.from.y + (3 * s * t * t + t ** 3) * line.to.y;
      const distance = Math.hypot(px - x, py - y);
      if (distance < least) [best, least] = [line, distance];
    }
  }
  return best;
}
