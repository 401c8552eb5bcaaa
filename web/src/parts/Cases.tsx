// Samples of a table, one per line: what is true, what the network says.

import type { Begun, Frame } from "../messages";
import { chooseSample, look } from "../store";
import { words } from "../strings";

const MOST = 10;

export function Cases({ form, now }: { form: Begun; now: Frame }) {
  const points = form.arrays["train points"];
  const targets = form.arrays["train targets"]?.values;
  const answers = now.arrays["train answers"];
  if (!points || !targets) return null;
  const [count = 0, width = 0] = points.shape;
  const columns = Math.min(width, 4);
  const rows = Array.from({ length: Math.min(count, MOST) }, (_, i) => i);
  return (
    <table class="cases">
      <caption class="unseen">{words.cases}</caption>
      <thead>
        <tr>
          {form.features.slice(0, columns).map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
          <th scope="col">{words.truth}</th>
          <th scope="col">{words.says}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((i) => (
          <tr
            key={i}
            class={`${now.arrays["train wrong"]?.values[i] ? "wrong" : ""} ${look.value.sample === i ? "shown" : ""}`}
            onClick={() => chooseSample(i)}
          >
            {Array.from({ length: columns }, (_, c) => (
              <td key={form.features[c]}>{short(points.values[i * width + c] ?? 0)}</td>
            ))}
            <td>{form.classes[targets[i] ?? 0] ?? short(targets[i] ?? 0)}</td>
            <td>{says(form, answers?.values[i] ?? 0)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function says(form: Begun, answer: number): string {
  return form.classes.length ? (form.classes[answer] ?? "") : short(answer);
}

function short(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
