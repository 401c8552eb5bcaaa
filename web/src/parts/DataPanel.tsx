// What there is to learn from.

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { CLASSES } from "../palette";
import { ask, begun, choose, notice, settings } from "../store";
import { words } from "../strings";
import { Slider } from "./controls";
import { Thumbnail } from "./Thumbnail";

const NAMES = [
  "rings",
  "xor",
  "spirals",
  "blobs",
  "parabola",
  "sine",
  "hills",
  "tickets",
  "digits",
  "mnist",
  "drawn",
  "own",
];
const TOYS = NAMES.slice(0, 7);
const NOISES = Array.from({ length: 21 }, (_, i) => i / 40);
const SAMPLES = [20, 50, 100, 200, 400, 1000, 2000, 5000];
const SHARES = [0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9];
const FILTERS = ["c4", "p", "16"];

export function DataPanel() {
  const { data, noise, samples, classes, threshold, held_out, seed } = settings.value;
  return (
    <section class="panel" aria-labelledby="data-title">
      <h2 id="data-title">{words.data}</h2>
      <div class="choices" role="radiogroup" aria-labelledby="data-title">
        {NAMES.map((name) => (
          <DataChoice key={name} name={name} chosen={name === data} />
        ))}
      </div>
      {data === "own" && <OwnTable />}
      {data === "drawn" && <Drawing />}
      {data === "tickets" && (
        <Slider
          label={words.threshold}
          value={threshold}
          values={[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}
          onChange={(value) => choose({ threshold: value })}
        />
      )}
      {TOYS.includes(data) && (
        <>
          <Slider
            label={words.noise}
            value={noise}
            values={NOISES}
            onChange={(value) => choose({ noise: value })}
          />
          <Slider
            label={words.samples}
            value={samples}
            values={SAMPLES}
            onChange={(value) => choose({ samples: value })}
          />
        </>
      )}
      {data === "blobs" && (
        <Slider
          label={words.classes}
          value={classes}
          values={[2, 3, 4, 5, 6]}
          onChange={(value) => choose({ classes: value })}
        />
      )}
      {[...TOYS, "drawn", "own"].includes(data) && (
        <Slider
          label={words.heldOut}
          value={held_out}
          values={SHARES}
          shown={(value) => `${Math.round(100 * value)} %`}
          onChange={(value) => choose({ held_out: value })}
        />
      )}
      <button type="button" class="plain" onClick={() => choose({ seed: seed + 1 })}>
        {words.newSeed}{" "}
        <small>
          ({words.seed} {seed})
        </small>
      </button>
    </section>
  );
}

function DataChoice({ name, chosen }: { name: string; chosen: boolean }) {
  const missing = name === "mnist" && begun.value !== null && !begun.value.mnist;
  return (
    <label
      class={`choice ${chosen ? "chosen" : ""} ${missing ? "missing" : ""}`}
      title={missing ? words.mnistMissing : ""}
    >
      <input
        type="radio"
        name="data"
        value={name}
        checked={chosen}
        disabled={missing}
        onChange={() => chooseData(name)}
      />
      <Thumbnail name={name} />
      <span>{words.dataNames[name]}</span>
    </label>
  );
}

/** Other data, and what of the network does not suit them put right. */
export function chooseData(data: string): void {
  const images = data === "digits" || data === "mnist";
  const wasImages = ["digits", "mnist"].includes(settings.value.data);
  const change = { data, loss: "", ...(data === "tickets" ? { layers: [], held_out: 0 } : {}) };
  if (images !== wasImages)
    choose({ ...change, layers: images ? FILTERS : data === "tickets" ? [] : ["4", "2"] });
  else choose(change);
}

function OwnTable() {
  const input = useRef<HTMLInputElement>(null);
  const send = async () => {
    const file = input.current?.files?.[0];
    if (file) ask("own", { csv: await file.text() });
  };
  return (
    <div class="own">
      <label class="plain button">
        {words.file}
        <input ref={input} type="file" accept=".csv,text/csv,text/plain" onChange={send} />
      </label>
      <small>{words.fileHint}</small>
    </div>
  );
}

export const brush = { value: 0 };

function Drawing() {
  const chosen = useSignal(brush.value);
  const pick = (label: number) => {
    chosen.value = brush.value = label;
  };
  return (
    <div class="drawing">
      <small>{words.drawHint}</small>
      <div class="swatches">
        {CLASSES.slice(0, 6).map((colour, label) => (
          <button
            type="button"
            key={colour}
            class={`swatch swatch-${label}`}
            aria-pressed={chosen.value === label}
            aria-label={"ABCDEF"[label] ?? ""}
            onClick={() => pick(label)}
          >
            {"ABCDEF"[label]}
          </button>
        ))}
      </div>
      <button
        type="button"
        class="plain"
        onClick={() => {
          notice.value = "";
          choose({ points: [] });
        }}
      >
        {words.clear}
      </button>
    </div>
  );
}
