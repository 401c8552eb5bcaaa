// What the page knows: the user's choices, and the last that the engine has told.

import { effect, signal } from "@preact/signals";
import { Connection } from "./connection";
import { LossHistory } from "./history";
import type { Begun, Frame, Message } from "./messages";
import { fromFragment, type Look, type Settings, toFragment, USUAL } from "./settings";
import { words } from "./strings";

const first = fromFragment(location.hash);

export const settings = signal<Settings>(first.settings);
export const look = signal<Look>(first.look);
export const begun = signal<Begun | null>(null);
export const frame = signal<Frame | null>(null);
export const surface = signal<Message | null>(null);
export const recognised = signal<Message | null>(null);
export const explained = signal<Message | null>(null);
export const checkup = signal<Message | null>(null);
export const notice = signal("");
export const connected = signal(false);
export const history = new LossHistory();
export const historyChanged = signal(0);
export const weightAsked = signal<{ parameter: string; index: number[] } | null>(null);

/** The unit whose picture is shown large. */
export const unitShown = signal<{ column: number; unit: number } | null>(null);

/** How far the walk through one pass has come, in steps of the explanation. */
export const walkAt = signal(0);

const connection = new Connection({
  onOpen() {
    connected.value = true;
    begin();
  },
  onMessage: hear,
  onClose() {
    connected.value = false;
    notice.value = words.gone;
  },
});

function hear(message: Message): void {
  if (message.is === "begun") {
    const first = begun.value === null;
    begun.value = message as Begun;
    frame.value = null;
    surface.value = recognised.value = explained.value = checkup.value = null;
    weightAsked.value = unitShown.value = null;
    walkAt.value = 0;
    history.clear();
    if (first) for (let i = 0; i < 2; i++) connection.ask("ready"); // one is drawn while another is worked out
  } else if (message.is === "frame") {
    frame.value = message as Frame;
    const isNew = history.add(message as Frame);
    if (isNew && (!frame.value.running || performance.now() - chartDrawn > CHART_EVERY)) drawChart();
    if (document.hidden) requestAnimationFrame(() => connection.ask("ready"));
    else connection.ask("ready"); // the next one is worked out while this one is drawn
  } else if (message.is === "surface") surface.value = message;
  else if (message.is === "recognised") recognised.value = message;
  else if (message.is === "explained") explained.value = message;
  else if (message.is === "checkup") checkup.value = message;
  else if (message.is === "file") saveFile(message);
  else if (message.is === "table") begin();
  else if (message.is === "error") {
    notice.value = String(message.text);
    if (!begun.value) begin({ data: USUAL.data }); // so that there is something to draw on
  }
}

const CHART_EVERY = 100; // milliseconds between two drawings of the loss chart, while training runs
let chartDrawn = 0;

function drawChart(): void {
  chartDrawn = performance.now();
  historyChanged.value++;
}

function begin(change: Partial<Settings> = {}): void {
  connection.ask("begin", { settings: { ...settings.value, ...change } });
}

/** Choose other settings: a new network, or other ways to train the one there is. */
export function choose(change: Partial<Settings>): void {
  settings.value = { ...settings.value, ...change };
  notice.value = "";
  begin();
}

export function show(change: Partial<Look>): void {
  look.value = { ...look.value, ...change };
}

export function order(what: string, more: object = {}): void {
  if (what === "again") {
    history.clear();
    historyChanged.value++;
    surface.value = checkup.value = null;
  }
  connection.ask(what, more);
}

export function run(): void {
  const pace = look.value.pace === "full" ? null : Number(look.value.pace);
  order("run", { pace });
}

/** Ask the engine for something that is shown when it comes. */
export function ask(what: string, more: object = {}): void {
  notice.value = "";
  connection.ask(what, more);
}

export function chooseSample(sample: number): void {
  show({ sample });
  connection.ask("choose", { sample });
}

function saveFile(message: Message): void {
  const content = message.arrays.content?.values as Uint8Array<ArrayBuffer>;
  save(String(message.name), new Blob([content]));
}

export function save(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

effect(() => {
  const fragment = toFragment(settings.value, look.value);
  if (fragment !== location.hash.replace(/^#/, "")) window.history.replaceState(null, "", `#${fragment}`);
});

window.addEventListener("hashchange", () => {
  const found = fromFragment(location.hash);
  look.value = found.look;
  choose(found.settings);
});
