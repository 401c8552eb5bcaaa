// What is below the network: step by step, the loss surface, the check-up, what can be taken away.

import { look, show } from "../store";
import { words } from "../strings";
import { Checkup } from "./Checkup";
import { Surface } from "./Surface";
import { TakeAway } from "./TakeAway";
import { Walk } from "./Walk";

const TABS = ["walk", "surface", "checkup", "take"];

export function Bottom() {
  const tab = look.value.tab;
  return (
    <section class={`bottom ${TABS.includes(tab) ? "open" : ""}`}>
      <div class="tabs" role="tablist" onKeyDown={(event) => move(event, tab)}>
        {TABS.map((name, i) => (
          <button
            type="button"
            role="tab"
            key={name}
            id={`tab-${name}`}
            aria-selected={tab === name}
            aria-controls="tab-panel"
            tabIndex={tab === name || (!TABS.includes(tab) && i === 0) ? 0 : -1}
            onClick={() => show({ tab: tab === name ? "none" : name })}
          >
            {words.tabs[name]}
          </button>
        ))}
      </div>
      {TABS.includes(tab) && (
        <div class="tabpanel" role="tabpanel" id="tab-panel" aria-labelledby={`tab-${tab}`}>
          {tab === "walk" && <Walk />}
          {tab === "surface" && <Surface />}
          {tab === "checkup" && <Checkup />}
          {tab === "take" && <TakeAway />}
        </div>
      )}
    </section>
  );
}

function move(event: KeyboardEvent, tab: string): void {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by) return;
  const next = TABS[(TABS.indexOf(tab) + by + TABS.length) % TABS.length] ?? "walk";
  show({ tab: next });
  document.getElementById(`tab-${next}`)?.focus();
}
