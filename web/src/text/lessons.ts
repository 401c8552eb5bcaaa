// Guided tours. A lesson is data: pages of text, each with the settings that it shows and, often, something to guess.

import type { Settings } from "../settings";

export interface Guess {
  question: string;
  answers: string[];
  right: number;
  because: string;
}

export interface Page {
  text: string[];
  settings?: Partial<Settings>;
  pace?: string;
  tab?: string;
  guess?: Guess;
}

export interface Lesson {
  id: string;
  title: string;
  pages: Page[];
}

export const LESSONS: Lesson[] = [];
