// Images: choose one or draw one, and see the probability of each class.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Begun, Frame } from "../messages";
import { ask, chooseSample, look, recognised } from "../store";
import { words } from "../strings";
import { paint } from "./canvas";

const SHOWN = 24;
const GREYS = new Uint8ClampedArray(256 * 4).map((_, i) => (i % 4 === 3 ? 255 : i >> 2));

export function ImageAnswer({ form, now }: { form: Begun; now: Frame }) {
  const own = recognised.value;
  const answer = own?.arrays.probabilities ?? now.arrays[`activation ${form.columns.length - 1}`];
  const truth = own ? null : (form.arrays["train targets"]?.values[look.value.sample] ?? null);
  return (
    <div class="images">
      <DrawingPad form={form} now={now} />
      <Probabilities form={form} values={answer?.values ?? []} truth={truth} />
      <Gallery form={form} now={now} />
    </div>
  );
}

function Probabilities({
  form,
  values,
  truth,
}: {
  form: Begun;
  values: ArrayLike<number>;
  truth: number | null;
}) {
  const best = Array.from(values).indexOf(Math.max(...Array.from(values)));
  return (
    <ol class="bars" aria-label={words.probability}>
      {form.classes.map((name, k) => (
        <li key={name} class={`${k === best ? "best" : ""} ${k === truth ? "truth" : ""}`}>
          <span>{name}</span>
          <meter min={0} max={1} value={values[k] ?? 0} aria-label={name} />
          <output>{Math.round(100 * (values[k] ?? 0))} %</output>
        </li>
      ))}
    </ol>
  );
}

/** The first training images; those that are taken for another class are marked. */
function Gallery({ form, now }: { form: Begun; now: Frame }) {
  return (
    <div class="gallery" role="listbox" aria-label={words.chosen}>
      {Array.from({ length: Math.min(SHOWN, form.arrays["train images"]?.shape[0] ?? 0) }, (_, i) => (
        <Sample
          key={`${form.image} ${i}`}
          form={form}
          index={i}
          wrong={Boolean(now.arrays["train wrong"]?.values[i])}
        />
      ))}
    </div>
  );
}

function Sample({ form, index, wrong }: { form: Begun; index: number; wrong: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [height = 1, width = 1] = form.image;
  useEffect(() => {
    const values = form.arrays["train images"]?.values.subarray(
      index * width * height,
      (index + 1) * width * height,
    );
    if (canvas.current && values) paint(canvas.current, values, width, height, GREYS);
  }, [form, index, width, height]);
  const label = form.classes[form.arrays["train targets"]?.values[index] ?? 0] ?? "";
  const choose = () => {
    recognised.value = null;
    chooseSample(index);
  };
  return (
    <button
      type="button"
      role="option"
      class={wrong ? "wrong" : ""}
      aria-selected={look.value.sample === index && !recognised.value}
      aria-label={label}
      onClick={choose}
    >
      <canvas ref={canvas} />
    </button>
  );
}

const PAD = 168;

/** Draw with the mouse or a finger; after each stroke the engine is asked what it takes it for. */
function DrawingPad({ form, now }: { form: Begun; now: Frame }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawing = useSignal(false);
  const empty = useSignal(true);
  const steps = now.steps;
  useEffect(() => {
    if (!empty.value && canvas.current && !drawing.value)
      ask("recognise", { pixels: shrink(canvas.current, form.image) });
  }, [steps, form, empty, drawing]);
  const stroke = (event: PointerEvent, begins: boolean) => {
    const context = canvas.current?.getContext("2d");
    if (!context || (!begins && !drawing.value)) return;
    const scale = PAD / (canvas.current?.clientWidth ?? PAD);
    const [x, y] = [event.offsetX * scale, event.offsetY * scale];
    context.lineWidth = 15;
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = "#fff";
    if (begins) {
      context.beginPath();
      context.moveTo(x, y);
      drawing.value = true;
      empty.value = false;
    }
    context.lineTo(x, y);
    context.stroke();
  };
  const lift = () => {
    if (!drawing.value || !canvas.current) return;
    drawing.value = false;
    ask("recognise", { pixels: shrink(canvas.current, form.image) });
  };
  const wipe = () => {
    canvas.current?.getContext("2d")?.clearRect(0, 0, PAD, PAD);
    empty.value = true;
    recognised.value = null;
  };
  return (
    <div class="pad">
      <canvas
        ref={canvas}
        width={PAD}
        height={PAD}
        role="img"
        aria-label={words.draw}
        data-test="pad"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          stroke(event, true);
        }}
        onPointerMove={(event) => stroke(event, false)}
        onPointerUp={lift}
        onPointerCancel={lift}
      />
      {empty.value ? <span>{words.draw}</span> : null}
      <button type="button" class="plain" onClick={wipe}>
        {words.wipe}
      </button>
    </div>
  );
}

/** The drawing, its middle of mass in the middle, as few grey pixels as the images have. */
function shrink(canvas: HTMLCanvasElement, [height = 8, width = 8]: number[]): number[] {
  const source = canvas.getContext("2d")?.getImageData(0, 0, PAD, PAD).data ?? new Uint8ClampedArray();
  const box = boundsOf(source);
  const small = document.createElement("canvas");
  small.width = width;
  small.height = height;
  const context = small.getContext("2d");
  if (!context || !box) return Array(width * height).fill(0);
  const margin = width > 12 ? 4 : 0;
  const scale = Math.min((width - 2 * margin) / box.width, (height - 2 * margin) / box.height);
  const [w, h] = [box.width * scale, box.height * scale];
  context.imageSmoothingQuality = "high";
  context.drawImage(
    canvas,
    box.left,
    box.top,
    box.width,
    box.height,
    (width - w) / 2,
    (height - h) / 2,
    w,
    h,
  );
  const pixels = context.getImageData(0, 0, width, height).data;
  return Array.from({ length: width * height }, (_, i) => pixels[4 * i + 3] ?? 0);
}

function boundsOf(pixels: Uint8ClampedArray) {
  let [left, right, top, bottom] = [PAD, -1, PAD, -1];
  for (let i = 0; i < PAD * PAD; i++) {
    if (!pixels[4 * i + 3]) continue;
    const [x, y] = [i % PAD, Math.floor(i / PAD)];
    [left, right, top, bottom] = [
      Math.min(left, x),
      Math.max(right, x),
      Math.min(top, y),
      Math.max(bottom, y),
    ];
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}
