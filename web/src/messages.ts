// How the engine's messages are read: a header as JSON, and arrays of numbers as they are.

export type Numbers = Float32Array | Uint8Array | Int32Array;

export interface Grid {
  shape: number[];
  values: Numbers;
}

export interface Message {
  is: string;
  arrays: Record<string, Grid>;
  [name: string]: unknown;
}

export interface Column {
  kind: "dense" | "conv" | "pool";
  units: number;
  weights: string | null;
  activation: string;
  shape: number[];
}

export interface Begun extends Message {
  kind: "plane" | "line" | "image" | "table";
  columns: Column[];
  classes: string[];
  features: string[];
  image: number[];
  extent: [number, number, number, number];
  samples: [number, number];
  parameters: number;
  lossName: string;
  losses: string[];
  mnist: boolean;
}

export interface Figures {
  loss?: number;
  accuracy?: number;
  penalty?: number;
}

export interface Frame extends Message {
  steps: number;
  epochs: number;
  running: boolean;
  trouble: string;
  figures: { train: Figures; test: Figures };
}

export function unpack(data: ArrayBuffer): Message {
  const length = new DataView(data).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length))) as Message;
  const start = 4 + length;
  const arrays: Record<string, Grid> = {};
  const found = header.arrays as unknown as Record<string, [string, number[], number]>;
  for (const [name, [kind, shape, offset]] of Object.entries(found)) {
    const count = shape.reduce((product, size) => product * size, 1);
    arrays[name] = { shape, values: numbers(kind, data, start + offset, count) };
  }
  return { ...header, arrays };
}

function numbers(kind: string, data: ArrayBuffer, offset: number, count: number): Numbers {
  if (kind === "u1") return new Uint8Array(data, offset, count);
  return kind === "i4" ? new Int32Array(data, offset, count) : new Float32Array(data, offset, count);
}
