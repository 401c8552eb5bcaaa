// Numbers as pixels.

import { classColour, mix, type RGB } from "../palette";

/** Draw one picture of bytes (height, width) in the colours of a table. */
export function paint(
  canvas: HTMLCanvasElement,
  values: ArrayLike<number>,
  width: number,
  height: number,
  table: Uint8ClampedArray,
): void {
  const pixels = begin(canvas, width, height);
  if (!pixels) return;
  const { image, context } = pixels;
  for (let i = 0; i < width * height; i++) {
    const at = 4 * (values[i] ?? 0);
    image.data.set(table.subarray(at, at + 4), 4 * i);
  }
  context.putImageData(image, 0, 0);
}

/** Draw the probabilities of several classes (classes, height, width): each place in a mixture of their colours. */
export function paintClasses(
  canvas: HTMLCanvasElement,
  values: ArrayLike<number>,
  classes: number,
  size: number,
  dark: boolean,
): void {
  const pixels = begin(canvas, size, size);
  if (!pixels) return;
  const { image, context } = pixels;
  const colours = Array.from({ length: classes }, (_, k) => classColour(k));
  const paper: RGB = dark ? [36, 41, 50] : [246, 246, 243];
  const cells = size * size;
  for (let i = 0; i < cells; i++) {
    let best = 0;
    for (let k = 1; k < classes; k++)
      if ((values[k * cells + i] ?? 0) > (values[best * cells + i] ?? 0)) best = k;
    const p = (values[best * cells + i] ?? 0) / 255;
    const strength = Math.max(0, (p - 1 / classes) / (1 - 1 / classes)) * 0.85 + 0.1;
    const colour = colours[best] ?? paper;
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = mix(paper[c] ?? 0, colour[c] ?? 0, strength);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** Draw curves in a picture of their own, from left to right, 0 in the middle. */
export function paintCurve(
  canvas: HTMLCanvasElement,
  values: ArrayLike<number>,
  low: number,
  high: number,
  colour: string,
  faint: string,
): void {
  const size = 64;
  canvas.width = canvas.height = size;
  const context = canvas.getContext("2d");
  if (!context) return;
  const y = (value: number) => size - 4 - ((value - low) / (high - low || 1)) * (size - 8);
  context.strokeStyle = faint;
  context.beginPath();
  context.moveTo(0, y(0));
  context.lineTo(size, y(0));
  context.stroke();
  context.strokeStyle = colour;
  context.lineWidth = 3.5;
  context.beginPath();
  for (let i = 0; i < values.length; i++) context.lineTo((i / (values.length - 1)) * size, y(values[i] ?? 0));
  context.stroke();
}

/** Make a canvas as large as its place on the screen, and give a context in whose units one is a CSS pixel. */
export function fit(
  canvas: HTMLCanvasElement,
): { context: CanvasRenderingContext2D; width: number; height: number } | null {
  const context = canvas.getContext("2d");
  if (!context) return null;
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** The colour that the style sheet gives a name. */
export function inkOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function begin(canvas: HTMLCanvasElement, width: number, height: number) {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  return context && { context, image: context.createImageData(width, height) };
}
