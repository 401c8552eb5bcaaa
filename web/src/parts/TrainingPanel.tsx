// How it learns.

import { begun, choose, settings } from "../store";
import { words } from "../strings";
import { Select, Slider } from "./controls";

const RATES = [1e-7, 1e-6, 1e-5, 1e-4, 3e-4, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];
const BATCHES = [1, 2, 5, 10, 32, 64, 128, 256, 0];
const STRENGTHS = [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const DROPOUTS = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7];

export function TrainingPanel() {
  const { activation, start, loss, dropout, optimizer, rate, batch, l1, l2 } = settings.value;
  const losses = begun.value?.losses ?? [];
  const names = Object.fromEntries(losses.map((name) => [name, words.lossNames[name] ?? name]));
  return (
    <section class="panel" aria-label={words.training}>
      <h2>{words.network}</h2>
      <Select
        label={words.activation}
        value={activation}
        names={words.activations}
        onChange={(value) => choose({ activation: value })}
      />
      <Select
        label={words.start}
        value={start}
        names={words.starts}
        onChange={(value) => choose({ start: value })}
      />
      <Select
        label={words.loss}
        value={loss || (losses[0] ?? "")}
        names={names}
        onChange={(value) => choose({ loss: value })}
      />
      <Slider
        label={words.dropout}
        value={dropout}
        values={DROPOUTS}
        onChange={(value) => choose({ dropout: value })}
      />
      <h2>{words.training}</h2>
      <Select
        label={words.optimizer}
        value={optimizer}
        names={words.optimizers}
        onChange={(value) => choose({ optimizer: value })}
      />
      <Slider label={words.rate} value={rate} values={RATES} onChange={(value) => choose({ rate: value })} />
      <Slider
        label={words.batch}
        value={batch}
        values={BATCHES}
        shown={(value) => (value ? String(value) : words.allSamples)}
        onChange={(value) => choose({ batch: value })}
      />
      <Slider label={words.l2} value={l2} values={STRENGTHS} onChange={(value) => choose({ l2: value })} />
      <Slider label={words.l1} value={l1} values={STRENGTHS} onChange={(value) => choose({ l1: value })} />
    </section>
  );
}
