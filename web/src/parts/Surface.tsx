// The loss as a landscape seen from above, with the path of the training.

import { useEffect, useRef } from "preact/hooks";
import type { Message } from "../messages";
import { heights } from "../palette";
import { ask, frame, surface } from "../store";
import { words } from "../strings";
import { fit, paint } from "./canvas";

const HEIGHTS = heights();

export function Surface() {
  const found = surface.value;
  const steps = frame.value?.steps;
  return (
    <div class="surface">
      <div class="beside">
        <p>{words.surfaceIntro}</p>
        <button type="button" class="plain strong" onClick={() => ask("surface")}>
          {words.surfaceAsk}
        </button>
        {found?.explained && <p class="faint">{words.surfaceShare(Number(found.explained))}</p>}
        {found && found.steps !== steps && (
          <p class="faint">{`${words.steps} ${Number(found.steps).toLocaleString("en")}`}</p>
        )}
      </div>
      {found && <Landscape found={found} />}
    </div>
  );
}

function Landscape({ found }: { found: Message }) {
  const ground = useRef<HTMLCanvasElement>(null);
  const path = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (ground.current) paintHeights(ground.current, found);
    if (path.current) drawPath(path.current, found);
  }, [found]);
  return (
    <div class="landscape">
      <canvas ref={ground} role="img" aria-label={words.surfaceLabel} data-test="surface" />
      <canvas ref={path} aria-hidden="true" />
    </div>
  );
}

/** Heights in their order from low to high: equal steps of colour hold equal ratios of loss. */
function paintHeights(canvas: HTMLCanvasElement, found: Message): void {
  const grid = found.arrays.surface;
  if (!grid) return;
  const size = grid.shape[0] ?? 1;
  const logs = Array.from(grid.values, (value) => Math.log(Math.max(value, 1e-12)));
  const sorted = [...logs].sort((a, b) => a - b);
  const low = sorted[0] ?? 0;
  const high = sorted[Math.floor(sorted.length * 0.98)] ?? 1;
  const bytes = new Uint8Array(size * size);
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++) {
      const share = ((logs[row * size + column] ?? 0) - low) / (high - low || 1);
      bytes[(size - 1 - row) * size + column] = Math.round(255 * Math.max(0, Math.min(1, share)));
    }
  paint(canvas, bytes, size, size, HEIGHTS);
}

function drawPath(canvas: HTMLCanvasElement, found: Message): void {
  const fitted = fit(canvas);
  const places = found.arrays.path?.values;
  if (!fitted || !places) return;
  const { context, width, height } = fitted;
  const [left = 0, right = 1, bottom = 0, top = 1] = found.extent as number[];
  const at = (i: number): [number, number] => [
    (((places[2 * i] ?? 0) - left) / (right - left)) * width,
    ((top - (places[2 * i + 1] ?? 0)) / (top - bottom)) * height,
  ];
  const count = places.length / 2;
  context.strokeStyle = "#fff";
  context.lineWidth = 2;
  context.lineJoin = "round";
  context.beginPath();
  for (let i = 0; i < count; i++) context.lineTo(...at(i));
  context.stroke();
  context.font = "600 13px system-ui, sans-serif";
  for (const [i, word, colour] of [
    [0, words.start_, "#fff"],
    [count - 1, words.now, "#ff7b3a"],
  ] as const) {
    const [x, y] = at(i);
    context.fillStyle = colour;
    context.strokeStyle = "#1a1a1a";
    context.beginPath();
    context.arc(x, y, 6, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
    context.lineWidth = 3;
    context.strokeText(word, x + 10, y + 4);
    context.fillStyle = "#fff";
    context.fillText(word, x + 10, y + 4);
    context.lineWidth = 2;
  }
}
