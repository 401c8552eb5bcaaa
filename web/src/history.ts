// The losses as they came, thinned out when there are many.

import type { Frame } from "./messages";

export interface Point {
  steps: number;
  epochs: number;
  train: number;
  test: number;
  penalty: number;
}

const MOST = 500;

export class LossHistory {
  points: Point[] = [];

  clear(): void {
    this.points = [];
  }

  /** Take the figures of a frame; whether they are new. Going back takes later ones out. */
  add(frame: Frame): boolean {
    const last = this.points.at(-1);
    if (last?.steps === frame.steps) return false;
    this.points =
      last && last.steps > frame.steps ? this.points.filter((p) => p.steps < frame.steps) : this.points;
    this.points.push({
      steps: frame.steps,
      epochs: frame.epochs,
      train: frame.figures.train.loss ?? Number.NaN, // not sent where it is not finite
      test: frame.figures.test.loss ?? Number.NaN,
      penalty: frame.figures.train.penalty ?? 0,
    });
    if (this.points.length > MOST) this.points = this.points.filter((_, i) => i % 2 === 0 || i > MOST - 10);
    return true;
  }
}
