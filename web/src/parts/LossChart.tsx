// The losses as they fall, training beside test; the room between them is overfitting.

import { useSignal } from "@preact/signals";
import { scaleLinear, scaleLog } from "d3-scale";
import { area, line } from "d3-shape";
import type { Frame } from "../messages";
import type { Point } from "../history";
import { begun, frame, history, historyChanged, settings } from "../store";
import { words } from "../strings";

const WIDTH = 300;
const HEIGHT = 130;
const LEFT = 34;
const RIGHT = 14;
const BOTTOM = 18;

export function LossChart() {
  const log = useSignal(false);
  historyChanged.value; // read, so that a new point draws the chart anew
  const now = frame.value;
  return (
    <section class="panel losses" aria-labelledby="loss-title">
      <h2 id="loss-title">
        {words.lossTitle}{" "}
        <small>{words.lossNames[settings.value.loss || (begun.value?.losses[0] ?? "")]}</small>
        <label class="check">
          <input
            type="checkbox"
            checked={log.value}
            onChange={() => {
              log.value = !log.value;
            }}
          />
          {words.logScale}
        </label>
      </h2>
      <Chart points={history.points} log={log.value} />
      {now && <Numbers now={now} />}
    </section>
  );
}

function Numbers({ now }: { now: Frame }) {
  const { train, test } = now.figures;
  return (
    <dl class="figures" aria-live="off">
      <div class="train">
        <dt>{words.trainLoss}</dt>
        <dd data-test="train-loss">{short(train.loss)}</dd>
        {train.accuracy !== undefined && (
          <dd>
            {percent(train.accuracy)} {words.accuracy}
          </dd>
        )}
      </div>
      <div class="test">
        <dt>{words.testLoss}</dt>
        <dd data-test="test-loss">{short(test.loss)}</dd>
        {test.accuracy !== undefined && (
          <dd>
            {percent(test.accuracy)} {words.accuracy}
          </dd>
        )}
      </div>
      {train.penalty !== undefined && (
        <div class="penalty">
          <dt>{words.penalty}</dt>
          <dd>{short(train.penalty)}</dd>
        </div>
      )}
    </dl>
  );
}

function Chart({ points, log }: { points: Point[]; log: boolean }) {
  const values = points
    .flatMap((p) => [p.train, p.test, ...(p.penalty ? [p.penalty] : [])])
    .filter(Number.isFinite);
  const high = Math.max(...values, 1e-9);
  const low = log ? Math.max(1e-6, Math.min(...values.filter((v) => v > 0), high / 10)) : 0;
  const y = (log ? scaleLog() : scaleLinear())
    .domain([low, high])
    .range([HEIGHT - BOTTOM, 6])
    .clamp(true);
  const x = scaleLinear()
    .domain([0, Math.max(points.at(-1)?.epochs ?? 1, 1)])
    .range([LEFT, WIDTH - RIGHT]);
  const curve = (value: (p: Point) => number) =>
    line<Point>()
      .defined((p) => Number.isFinite(value(p)))
      .x((p) => x(p.epochs))
      .y((p) => y(value(p)))(points) ?? "";
  const gap = area<Point>()
    .defined((p) => Number.isFinite(p.train + p.test))
    .x((p) => x(p.epochs))
    .y0((p) => y(p.train))
    .y1((p) => y(Math.max(p.train, p.test)));
  const ticks = log ? y.ticks(3).slice(0, 4) : y.ticks(4);
  return (
    <svg
      class="chart"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`${words.lossTitle}: ${words.trainLoss}, ${words.testLoss}`}
    >
      {ticks.map((tick) => (
        <g key={tick}>
          <line class="grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(tick)} y2={y(tick)} />
          <text x={LEFT - 5} y={y(tick) + 3} text-anchor="end">
            {tick === 0 || (tick >= 0.001 && tick < 1000)
              ? Number(tick.toPrecision(3))
              : tick.toExponential(0)}
          </text>
        </g>
      ))}
      {x.ticks(4).map((tick) => (
        <text key={tick} x={x(tick)} y={HEIGHT - 4} text-anchor="middle">
          {tick}
        </text>
      ))}
      <path class="gap" d={gap(points) ?? ""}>
        <title>{words.gap}</title>
      </path>
      {points.some((p) => p.penalty) && <path class="line penalty" d={curve((p) => p.penalty)} />}
      <path class="line test" d={curve((p) => p.test)} />
      <path class="line train" d={curve((p) => p.train)} />
    </svg>
  );
}

function short(value: number | undefined): string {
  if (value === undefined) return "∞";
  return value !== 0 && (value < 0.001 || value >= 10000) ? value.toExponential(1) : value.toPrecision(3);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share === 1 ? 0 : 1)} %`;
}
