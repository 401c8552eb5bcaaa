// Light or dark: as the system says, until the user says otherwise.

import { effect, signal } from "@preact/signals";
import { diverging } from "./palette";

const system = window.matchMedia("(prefers-color-scheme: dark)");
const remembered = readRemembered();

export const dark = signal(remembered ? remembered === "dark" : system.matches);
export const table = signal(diverging(dark.value));

effect(() => {
  document.documentElement.dataset.theme = dark.value ? "dark" : "light";
  table.value = diverging(dark.value);
});

system.addEventListener("change", () => {
  if (!readRemembered()) dark.value = system.matches;
});

export function toggleTheme(): void {
  dark.value = !dark.value;
  try {
    localStorage.setItem("theme", dark.value ? "dark" : "light");
  } catch {
    // A browser that keeps nothing shows what the system says next time.
  }
}

function readRemembered(): string | null {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null;
  }
}
