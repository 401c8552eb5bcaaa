// Run, pause, step, go back; how fast; how far it has come.

import { begun, connected, frame, look, notice, order, run, show } from "../store";
import { words } from "../strings";
import { toggleTheme } from "../theme";
import { IconButton } from "./controls";
import { Again, Back, Lessons, Link, Pause, Play, Sample, Step, Theme } from "./icons";

export function TopBar() {
  const now = frame.value;
  const running = now?.running ?? false;
  const idle = !connected.value || !begun.value; // not while a new network is on its way: the engine keeps the order
  return (
    <header class="topbar">
      <h1>
        {words.brand} <small>{words.sub}</small>
      </h1>
      <div class="transport" role="toolbar" aria-label={words.training}>
        <IconButton label={words.again} disabled={idle} onClick={() => order("again")}>
          <Again />
        </IconButton>
        <IconButton label={words.back} disabled={idle || now?.steps === 0} onClick={() => order("back")}>
          <Back />
        </IconButton>
        <IconButton
          label={running ? words.pause : words.run}
          kind="main"
          disabled={idle}
          onClick={() => (running ? order("pause") : run())}
        >
          {running ? <Pause /> : <Play />}
        </IconButton>
        <IconButton label={words.step} disabled={idle} onClick={() => order("step")}>
          <Step />
        </IconButton>
        <IconButton label={words.sample} disabled={idle} onClick={() => order("sample")}>
          <Sample />
        </IconButton>
        <select
          aria-label={words.pace}
          value={look.value.pace}
          onChange={(event) => setPace(event.currentTarget.value)}
        >
          {["1", "5", "30", "200", "full"].map((pace) => (
            <option key={pace} value={pace}>
              {words.paces[pace]}
            </option>
          ))}
        </select>
      </div>
      <p class="unseen" role="status">
        {now && !running && words.summary(now.steps, now.figures.train.loss, now.figures.test.loss)}
      </p>
      <dl class="counters">
        <div>
          <dt>{words.epoch}</dt>
          <dd data-test="epoch">{now ? count(now.epochs) : "–"}</dd>
        </div>
        <div>
          <dt>{words.steps}</dt>
          <dd data-test="steps">{now ? now.steps.toLocaleString("en") : "–"}</dd>
        </div>
      </dl>
      <div class="tools">
        <button
          type="button"
          class="lessons"
          onClick={() => show({ lesson: look.value.lesson ? "" : "list", page: 0 })}
        >
          <Lessons /> <span>{words.lessons}</span>
        </button>
        <IconButton label={words.link} onClick={copyLink}>
          <Link />
        </IconButton>
        <IconButton label={words.theme} onClick={toggleTheme}>
          <Theme />
        </IconButton>
      </div>
    </header>
  );
}

function setPace(pace: string): void {
  show({ pace });
  if (frame.value?.running) run();
}

function count(epochs: number): string {
  return epochs < 100 ? epochs.toFixed(1) : Math.round(epochs).toLocaleString("en");
}

export async function copyLink(): Promise<void> {
  try {
    await navigator.clipboard.writeText(location.href);
    notice.value = words.linkDone;
  } catch {
    notice.value = location.href;
  }
}
