// The small controls that the panels are made of.

import type { ComponentChildren } from "preact";

interface SliderProps {
  label: string;
  value: number;
  values: number[];
  shown?: (value: number) => string;
  onChange: (value: number) => void;
}

/** A slider over given values. */
export function Slider({ label, value, values, shown = String, onChange }: SliderProps) {
  const place = nearest(values, value);
  return (
    <label class="control slider">
      <span>{label}</span>
      <output>{shown(value)}</output>
      <input
        type="range"
        min={0}
        max={values.length - 1}
        value={place}
        aria-label={label}
        aria-valuetext={shown(value)}
        onInput={(event) => onChange(values[Number(event.currentTarget.value)] ?? value)}
      />
    </label>
  );
}

interface SelectProps {
  label: string;
  value: string;
  names: Record<string, string>;
  onChange: (value: string) => void;
}

export function Select({ label, value, names, onChange }: SelectProps) {
  return (
    <label class="control">
      <span>{label}</span>
      <select aria-label={label} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {Object.entries(names).map(([key, name]) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

interface ButtonProps {
  label: string;
  onClick: () => void;
  children: ComponentChildren;
  kind?: string;
  disabled?: boolean;
  pressed?: boolean;
}

/** A button that shows a sign and says a word. */
export function IconButton({ label, onClick, children, kind = "", disabled = false, pressed }: ButtonProps) {
  return (
    <button
      type="button"
      class={`icon ${kind}`}
      aria-label={label}
      title={label}
      disabled={disabled}
      {...(pressed === undefined ? {} : { "aria-pressed": pressed })}
      onClick={onClick}
    >
      {children}
    </button>
  );
}

function nearest(values: number[], value: number): number {
  let best = 0;
  values.forEach((one, i) => {
    if (Math.abs(one - value) < Math.abs((values[best] ?? 0) - value)) best = i;
  });
  return best;
}
