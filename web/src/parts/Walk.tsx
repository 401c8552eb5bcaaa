// One sample forward, its gradient backward, and all paths from one weight: the engine's own explanation.

import { useEffect } from "preact/hooks";
import { columnOf, digits, type Explained, type Paths, type Statement, type Step } from "../derivation";
import type { Begun } from "../messages";
import { ask, begun, explained, frame, look, unitShown, walkAt, weightAsked } from "../store";
import { words } from "../strings";
import { columnName } from "./NetworkView";

export function Walk() {
  const found = explained.value as Explained | null;
  const sample = look.value.sample;
  const weight = weightAsked.value;
  const form = begun.value;
  const still = frame.value !== null && !frame.value.running;
  const steps = frame.value?.steps;
  useEffect(() => {
    if (still && form) ask("explain", { sample, ...(weight ?? {}) });
  }, [sample, weight, still, steps, form]);
  if (!found || !form) return <p class="faint">{still ? words.walkIntro : words.walkPause}</p>;
  const at = Math.min(walkAt.value, found.steps.length - 1);
  const step = found.steps[at];
  return (
    <div class="walk">
      <Track form={form} found={found} at={at} />
      {step && <StepView form={form} step={step} />}
      <hr />
      {found.paths ? <PathsView form={form} paths={found.paths} /> : <p class="faint">{words.weightHint}</p>}
    </div>
  );
}

/** All steps in a row, to go through or to jump to. */
function Track({ form, found, at }: { form: Begun; found: Explained; at: number }) {
  const go = (to: number) => {
    walkAt.value = Math.max(0, Math.min(found.steps.length - 1, to));
  };
  return (
    <div class="track" role="group" aria-label={words.tabs.walk ?? ""}>
      <button
        type="button"
        class="plain"
        disabled={at === 0}
        aria-label={words.stepBack}
        onClick={() => go(at - 1)}
      >
        ‹
      </button>
      <div class="dots">
        {found.steps.map((step, i) => (
          <button
            type="button"
            key={step.number}
            class={`dot ${step.phase} ${i === at ? "here" : ""} ${i < at ? "done" : ""}`}
            aria-label={`${step.number}: ${words.phases[step.phase]}, ${placeName(form, step)}`}
            title={`${words.phases[step.phase]}: ${placeName(form, step)}`}
            onClick={() => go(i)}
          />
        ))}
      </div>
      <button
        type="button"
        class="plain strong"
        disabled={at === found.steps.length - 1}
        aria-label={words.stepOn}
        onClick={() => go(at + 1)}
      >
        ›
      </button>
    </div>
  );
}

function placeName(form: Begun, step: Step): string {
  const column = columnOf(form, step.place);
  return column === null ? step.kind : `${columnName(form, column)}, ${step.kind}`;
}

function StepView({ form, step }: { form: Begun; step: Step }) {
  return (
    <div class={`step ${step.phase}`} data-test="step">
      <h3>
        <span class="phase">{words.phases[step.phase]}</span> {placeName(form, step)}
      </h3>
      <p class="about">{step.about}</p>
      {step.statements.map((statement) => (
        <StatementView
          key={statement.left + statement.formula}
          form={form}
          step={step}
          statement={statement}
        />
      ))}
    </div>
  );
}

const LONG = 110; // characters, beyond which the numbers of a formula are folded

function StatementView({ form, step, statement }: { form: Begun; step: Step; statement: Statement }) {
  const { left, formula, numbers, result, element, note } = statement;
  return (
    <div class="statement">
      <p class="formula">
        {left} = {formula} {note && <small>{note}</small>}
      </p>
      {numbers.length <= LONG ? <p class="numbers">= {numbers}</p> : <Folded text={numbers} />}
      <p class="numbers result">= {result}</p>
      {element && (
        <p class="numbers element">
          {unitName(form, step, element.index)}: {element.text} = <b>{digits(element.value)}</b>
        </p>
      )}
    </div>
  );
}

function Folded({ text }: { text: string }) {
  return (
    <details class="numbers">
      <summary>{words.numbers}</summary>= {text}
    </details>
  );
}

function unitName(form: Begun, step: Step, index: number[]): string {
  const column = columnOf(form, step.place);
  const unit = index.at(-1) ?? 0;
  if (column === null || step.phase === "update") return `[${index.join(", ")}]`;
  return `${words.unit} ${unit + 1}`;
}

/** θ → … → J: the largest paths, their factors, and how they add up to the gradient. */
function PathsView({ form, paths }: { form: Begun; paths: Paths }) {
  const difference = paths.finite_difference;
  return (
    <div class="paths" data-test="paths">
      <h3>{words.pathsTitle(weightName(form, paths))}</h3>
      <ol>
        {paths.largest.map((path) => (
          <li key={path.nodes.map((node) => node.index.join()).join(" ")}>
            <span class="way">{path.nodes.map((node) => nodeName(form, node)).join(" → ")} → J</span>
            <span class="numbers">
              {[...path.nodes.map((node) => node.slope), path.last_slope].map(digits).join(" · ")} ={" "}
              <b>{digits(path.product)}</b>
            </span>
          </li>
        ))}
        {paths.rest.count > 0 && (
          <li>
            <span class="way">{words.morePaths(paths.rest.count)}</span>
            <span class="numbers">{digits(paths.rest.total)}</span>
          </li>
        )}
      </ol>
      <p>
        {words.pathSum} <b>{digits(paths.sum)}</b> = ∂J/∂w.{" "}
        {difference && <small>{words.difference(digits(difference.value))}</small>}
      </p>
    </div>
  );
}

/** Layer and unit, and what kind of layer: "1.3 Tanh". */
function nodeName(form: Begun, node: { place: string; kind: string; index: number[] }): string {
  const unit = (node.index.at(-1) ?? 0) + 1;
  const column = columnOf(form, node.place);
  return column === null ? `${node.kind} ${unit}` : `${column + 1}.${unit} ${node.kind}`;
}

function weightName(form: Begun, paths: Paths): string {
  const asked = weightAsked.value;
  const column = asked ? columnOf(form, asked.parameter) : null;
  if (!asked || column === null) return paths.of.label;
  const [from = 0, to = 0] = asked.index;
  const before = column === 0 ? (form.features[from] ?? "") : `${columnName(form, column - 1)}, ${from + 1}`;
  return `w (${before} → ${columnName(form, column)}, ${to + 1}) = ${digits(paths.of.value)}`;
}

/** The weights into the unit that is shown, to choose one without a mouse. */
export function WeightsOfUnit() {
  const form = begun.value;
  const unit = unitShown.value;
  const now = frame.value;
  const column = unit && form?.columns[unit.column];
  const W = column && now?.arrays[`${column.weights}.W`];
  if (!form || !unit || !column || !W || W.shape.length !== 2 || (W.shape[0] ?? 0) > 32) return null;
  const [inputs = 0, outputs = 1] = W.shape;
  const ask = (from: number) => {
    weightAsked.value = { parameter: `${column.weights}.W`, index: [from, unit.unit] };
  };
  return (
    <div class="weights" role="group" aria-label={words.weightsInto}>
      <small>{words.weightsInto}</small>
      {Array.from({ length: inputs }, (_, from) => {
        const value = W.values[from * outputs + unit.unit] ?? 0;
        const name = unit.column === 0 ? (form.features[from] ?? "") : `${words.unit} ${from + 1}`;
        return (
          <button type="button" key={name} class="plain" onClick={() => ask(from)}>
            {name}: <span class={value < 0 ? "negative" : "positive"}>{digits(value)}</span>
          </button>
        );
      })}
    </div>
  );
}
