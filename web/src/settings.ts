// What the user has chosen. All of it lives in the address, so that a link brings it back.

export interface Settings {
  data: string;
  samples: number;
  noise: number;
  classes: number;
  threshold: number;
  held_out: number;
  points: [number, number, number][];
  layers: string[];
  activation: string;
  start: string;
  loss: string;
  dropout: number;
  seed: number;
  optimizer: string;
  rate: number;
  batch: number;
  l1: number;
  l2: number;
}

/** What concerns only how it is shown. */
export interface Look {
  tab: string;
  pace: string;
  sample: number;
  lesson: string;
  page: number;
}

export const USUAL: Settings = {
  data: "rings",
  samples: 400,
  noise: 0.1,
  classes: 3,
  threshold: 9,
  held_out: 0.3,
  points: [],
  layers: ["4", "2"],
  activation: "tanh",
  start: "glorot",
  loss: "",
  dropout: 0,
  seed: 0,
  optimizer: "adam",
  rate: 0.03,
  batch: 32,
  l1: 0,
  l2: 0,
};

export const USUAL_LOOK: Look = { tab: "none", pace: "30", sample: 0, lesson: "", page: 0 };

/** The address's fragment for settings: only what differs from the usual. */
export function toFragment(settings: Settings, look: Look): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...settings, ...look })) {
    const usual = ({ ...USUAL, ...USUAL_LOOK } as Record<string, unknown>)[name];
    if (written(name, value) !== written(name, usual)) query.set(name, written(name, value));
  }
  return query.toString();
}

/** The settings that a fragment means; what it does not say, or says wrongly, is as usual. */
export function fromFragment(fragment: string): { settings: Settings; look: Look } {
  const query = new URLSearchParams(fragment.replace(/^#/, ""));
  const settings: Settings = { ...USUAL };
  const look: Look = { ...USUAL_LOOK };
  for (const [name, text] of query) {
    if (name in USUAL) Object.assign(settings, { [name]: read(name, text, USUAL[name as keyof Settings]) });
    if (name in USUAL_LOOK) Object.assign(look, { [name]: read(name, text, USUAL_LOOK[name as keyof Look]) });
  }
  return { settings, look };
}

function written(name: string, value: unknown): string {
  if (name === "layers") return (value as string[]).join("-");
  if (name === "points")
    return (value as Settings["points"])
      .map(([x, y, label]) => `${Math.round(100 * x)}.${Math.round(100 * y)}.${label}`)
      .join("_");
  return String(value);
}

function read(name: string, text: string, usual: unknown): unknown {
  if (name === "layers") return text === "" ? [] : text.split("-").slice(0, 8);
  if (name === "points") return readPoints(text);
  if (typeof usual === "string") return text.slice(0, 40);
  const value = Number(text);
  return text !== "" && Number.isFinite(value) ? value : usual;
}

function readPoints(text: string): Settings["points"] {
  const points = text.split("_").map((part) => part.split(".").map(Number));
  return points
    .filter((point) => point.length === 3 && point.every(Number.isInteger))
    .slice(0, 500)
    .map(([x, y, label]) => [(x ?? 0) / 100, (y ?? 0) / 100, label ?? 0]);
}
