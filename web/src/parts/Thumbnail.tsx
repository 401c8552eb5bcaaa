// A small sign for each data set.

const LOW = "var(--low)";
const HIGH = "var(--high)";

export function Thumbnail({ name }: { name: string }) {
  return (
    <svg viewBox="0 0 40 40" width="34" height="34" aria-hidden="true">
      {DRAWINGS[name]}
    </svg>
  );
}

function ring(radius: number, colour: string, count: number) {
  return Array.from({ length: count }, (_, i) => {
    const angle = (2 * Math.PI * i) / count;
    return dot(20 + radius * Math.cos(angle), 20 + radius * Math.sin(angle), colour);
  });
}

function dot(x: number, y: number, colour: string) {
  return <circle key={`${x} ${y}`} cx={x} cy={y} r="1.9" fill={colour} />;
}

function spiral(turn: number, colour: string) {
  return Array.from({ length: 13 }, (_, i) => {
    const radius = 2 + (14 * i) / 12;
    const angle = turn + 0.42 * i;
    return dot(20 + radius * Math.cos(angle), 20 + radius * Math.sin(angle), colour);
  });
}

function cloud(x: number, y: number, colour: string) {
  return [
    [0, 0],
    [3, 2],
    [-3, 1],
    [1, -4],
    [-2, 4],
    [4, -2],
  ].map(([dx, dy]) => dot(x + (dx ?? 0), y + (dy ?? 0), colour));
}

const curve = { fill: "none", stroke: HIGH, "stroke-width": 2.4, "stroke-linecap": "round" } as const;
const letter = {
  "text-anchor": "middle",
  "font-size": 22,
  "font-weight": 600,
  fill: "currentColor",
} as const;

const DRAWINGS: Record<string, preact.ComponentChildren> = {
  rings: [ring(6, LOW, 8), ring(15, HIGH, 16)],
  xor: [cloud(11, 11, LOW), cloud(29, 29, LOW), cloud(29, 11, HIGH), cloud(11, 29, HIGH)],
  spirals: [spiral(0, LOW), spiral(Math.PI, HIGH)],
  blobs: [cloud(29, 20, LOW), cloud(12, 10, HIGH), cloud(12, 30, "var(--third)")],
  parabola: <path d="M5 8 C14 44 24 38 35 10" {...curve} />,
  sine: <path d="M4 20 C9 2 14 2 20 20 S31 38 36 20" {...curve} />,
  hills: [
    <circle key="a" cx="27" cy="14" r="9" fill={HIGH} opacity="0.35" />,
    <circle key="b" cx="27" cy="14" r="4.5" fill={HIGH} />,
    <circle key="c" cx="13" cy="27" r="9" fill={LOW} opacity="0.35" />,
    <circle key="d" cx="13" cy="27" r="4.5" fill={LOW} />,
  ],
  tickets: (
    <path
      d="M6 13h28v5a3 3 0 0 0 0 5v5H6v-5a3 3 0 0 0 0-5zM26 13v15"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
    />
  ),
  digits: (
    <text x="20" y="28" {...letter}>
      8
    </text>
  ),
  mnist: (
    <text x="20" y="28" {...letter} font-style="italic">
      5
    </text>
  ),
  drawn: (
    <path
      d="M9 31l2-8L26 8l6 6-15 15z"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linejoin="round"
    />
  ),
  own: (
    <path
      d="M7 9h26v22H7zM7 16h26M7 23h26M16 9v22M25 9v22"
      fill="none"
      stroke="currentColor"
      stroke-width="1.8"
    />
  ),
};
