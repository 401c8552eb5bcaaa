// A guided tour: a page of text, the settings that go with it, something to guess before it is shown.

import { useSignal } from "@preact/signals";
import { choose, look, order, show } from "../store";
import { words } from "../strings";
import { USUAL } from "../settings";
import { LESSONS, type Lesson, type Page } from "../text/lessons";
import { IconButton } from "./controls";
import { Cross } from "./icons";

export function LessonView() {
  const { lesson: name, page } = look.value;
  if (!name) return null;
  const lesson = LESSONS.find((one) => one.id === name);
  return (
    <aside class="lesson" aria-label={words.lessons}>
      <IconButton label={words.endLesson} kind="remove" onClick={() => show({ lesson: "", page: 0 })}>
        <Cross />
      </IconButton>
      {lesson ? (
        <PageView key={`${lesson.id} ${page}`} lesson={lesson} at={Math.min(page, lesson.pages.length - 1)} />
      ) : (
        <List />
      )}
    </aside>
  );
}

function List() {
  return (
    <>
      <h2>{words.lessons}</h2>
      <p>{words.lessonList}</p>
      <ol class="lesson-list">
        {LESSONS.map((lesson) => (
          <li key={lesson.id}>
            <button type="button" onClick={() => open(lesson, 0)}>
              {lesson.title}
            </button>
          </li>
        ))}
      </ol>
    </>
  );
}

/** Go to a page of a lesson: its settings become the page's. */
export function open(lesson: Lesson, at: number): void {
  const page = lesson.pages[at];
  show({
    lesson: lesson.id,
    page: at,
    sample: 0,
    tab: page?.tab ?? "none",
    pace: page?.pace ?? look.value.pace,
  });
  if (!page?.settings) return order("pause");
  choose({ ...USUAL, ...page.settings });
  order("again");
}

function PageView({ lesson, at }: { lesson: Lesson; at: number }) {
  const page = lesson.pages[at] as Page;
  return (
    <>
      <h2>{lesson.title}</h2>
      <p class="faint">{words.page(at + 1, lesson.pages.length)}</p>
      {page.text.map((paragraph) => (
        <p key={paragraph}>{paragraph}</p>
      ))}
      {page.guess && <Guess page={page} />}
      <nav>
        <button type="button" class="plain" disabled={at === 0} onClick={() => open(lesson, at - 1)}>
          {words.previous}
        </button>
        {at < lesson.pages.length - 1 ? (
          <button type="button" class="plain strong" onClick={() => open(lesson, at + 1)}>
            {words.nextPage}
          </button>
        ) : (
          <button type="button" class="plain strong" onClick={() => show({ lesson: "list", page: 0 })}>
            {words.endLesson}
          </button>
        )}
      </nav>
    </>
  );
}

function Guess({ page }: { page: Page }) {
  const chosen = useSignal<number | null>(null);
  const guess = page.guess;
  if (!guess) return null;
  return (
    <fieldset class="guess">
      <legend>
        <b>{words.predict}</b> {guess.question}
      </legend>
      {guess.answers.map((answer, i) => (
        <button
          type="button"
          key={answer}
          class={`plain ${chosen.value === null ? "" : i === guess.right ? "right" : i === chosen.value ? "not" : ""}`}
          aria-pressed={chosen.value === i}
          onClick={() => {
            chosen.value = i;
          }}
        >
          {answer}
        </button>
      ))}
      {chosen.value !== null && (
        <p class="explanation" role="status">
          {guess.because}
        </p>
      )}
    </fieldset>
  );
}
