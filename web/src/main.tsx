// The page as a whole.

import { render } from "preact";
import { Bottom } from "./parts/Bottom";
import { Trouble } from "./parts/Checkup";
import { DataPanel } from "./parts/DataPanel";
import { LessonView } from "./parts/LessonView";
import { LossChart } from "./parts/LossChart";
import { NetworkView } from "./parts/NetworkView";
import { Output } from "./parts/Output";
import { TopBar } from "./parts/TopBar";
import { TrainingPanel } from "./parts/TrainingPanel";
import { frame, look, notice, order, run } from "./store";
import { words } from "./strings";
import "./theme";
import "./style.css";

function App() {
  return (
    <div class={`app ${look.value.lesson ? "with-lesson" : ""}`}>
      <TopBar />
      <div class="left">
        <DataPanel />
        <TrainingPanel />
      </div>
      <main>
        <Trouble />
        <NetworkView />
        <Bottom />
      </main>
      <div class="right">
        <Output />
        <LossChart />
      </div>
      <LessonView />
      <div class={`notice ${notice.value ? "shown" : ""}`} role="status">
        {notice.value}
      </div>
    </div>
  );
}

/** Space runs and pauses, the arrows step and go back, 0 starts again; not while a control has the focus. */
window.addEventListener("keydown", (event) => {
  const target = event.target as HTMLElement;
  if (
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    target.closest("input, select, textarea, button, [role=tab]")
  )
    return;
  const orders: Record<string, () => void> = {
    " ": () => (frame.value?.running ? order("pause") : run()),
    ArrowRight: () => order("step"),
    ArrowLeft: () => order("back"),
    "0": () => order("again"),
  };
  const found = orders[event.key];
  if (!found) return;
  event.preventDefault();
  found();
});

document.title = words.title;
const root = document.getElementById("page");
if (root) render(<App />, root);
