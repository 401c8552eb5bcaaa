// Colours that colour-blind people tell apart: orange and blue for less and more, six others for classes.

export const CLASSES = [
  "#d9731a",
  "#2a6fb5",
  "#1b9e77",
  "#8e4b9e",
  "#b8860b",
  "#5aa7d6",
  "#c44e52",
  "#6b7280",
  "#7a9a01",
  "#a0522d",
];

export type RGB = [number, number, number];

const LOW: RGB = [217, 115, 26];
const HIGH: RGB = [42, 111, 181];

/** 256 colours from orange over the colour of the paper to blue. */
export function diverging(dark: boolean): Uint8ClampedArray {
  const middle: RGB = dark ? [36, 41, 50] : [246, 246, 243];
  const table = new Uint8ClampedArray(256 * 4);
  for (let i = 0; i < 256; i++) {
    const share = (i - 127.5) / 127.5;
    const strength = Math.abs(share) ** 0.8;
    const end = share < 0 ? LOW : HIGH;
    for (let c = 0; c < 3; c++) table[4 * i + c] = mix(middle[c] ?? 0, end[c] ?? 0, strength);
    table[4 * i + 3] = 255;
  }
  return table;
}

/** 256 colours from dark blue over green to yellow, for heights (after matplotlib's viridis). */
export function heights(): Uint8ClampedArray {
  const stops: RGB[] = [
    [68, 1, 84],
    [59, 82, 139],
    [33, 145, 140],
    [94, 201, 98],
    [253, 231, 37],
  ];
  const table = new Uint8ClampedArray(256 * 4);
  for (let i = 0; i < 256; i++) {
    const place = (i / 255) * (stops.length - 1);
    const [a, b] = [stops[Math.floor(place)] ?? LOW, stops[Math.min(Math.floor(place) + 1, 4)] ?? HIGH];
    for (let c = 0; c < 3; c++) table[4 * i + c] = mix(a[c] ?? 0, b[c] ?? 0, place % 1);
    table[4 * i + 3] = 255;
  }
  return table;
}

/** The colour of a class, as numbers. */
export function classColour(index: number): RGB {
  const hex = CLASSES[index % CLASSES.length] ?? "#888888";
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as RGB;
}

export function mix(a: number, b: number, share: number): number {
  return a + (b - a) * share;
}
