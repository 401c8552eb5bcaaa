// Signs, drawn on 24 × 24.

import type { ComponentChildren } from "preact";

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg
      viewBox="0 0 24 24"
      width="20"
      height="20"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const Again = () => (
  <Icon>
    <path d="M5 5v5h5M5.5 10a7.5 7.5 0 1 1-1 5" stroke-linecap="round" stroke-linejoin="round" />
  </Icon>
);
export const Back = () => (
  <Icon>
    <path d="M17 6l-8 6 8 6zM6 6v12" fill="currentColor" stroke-linejoin="round" />
  </Icon>
);
export const Play = () => (
  <Icon>
    <path d="M8 5l11 7-11 7z" fill="currentColor" stroke-linejoin="round" />
  </Icon>
);
export const Pause = () => (
  <Icon>
    <path d="M8 5v14M16 5v14" stroke-width="4" stroke-linecap="round" />
  </Icon>
);
export const Step = () => (
  <Icon>
    <path d="M7 6l8 6-8 6zM18 6v12" fill="currentColor" stroke-linejoin="round" />
  </Icon>
);
export const Sample = () => (
  <Icon>
    <circle cx="8" cy="12" r="3.5" fill="currentColor" />
    <path d="M15 6v12M19 6v12" stroke-opacity="0.35" />
  </Icon>
);
export const Theme = () => (
  <Icon>
    <circle cx="12" cy="12" r="8" />
    <path d="M12 4a8 8 0 0 1 0 16z" fill="currentColor" />
  </Icon>
);
export const Link = () => (
  <Icon>
    <path
      d="M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 6 6l1-1"
      stroke-linecap="round"
    />
  </Icon>
);
export const Lessons = () => (
  <Icon>
    <path d="M4 6c3-1 6-1 8 1 2-2 5-2 8-1v12c-3-1-6-1-8 1-2-2-5-2-8-1zM12 7v12" stroke-linejoin="round" />
  </Icon>
);
export const Cross = () => (
  <Icon>
    <path d="M7 7l10 10M17 7L7 17" stroke-linecap="round" />
  </Icon>
);
