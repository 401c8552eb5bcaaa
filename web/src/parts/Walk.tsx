// One sample forward, its gradient backward, and all paths from one weight: the engine's own explanation.

import type { Message } from "../messages";
import { ask, explained, look, weightAsked } from "../store";
import { words } from "../strings";

export function Walk() {
  const found = explained.value;
  return (
    <div class="walk">
      <p>{words.walkIntro}</p>
      <button
        type="button"
        class="plain strong"
        onClick={() => ask("explain", { sample: look.value.sample, ...(weightAsked.value ?? {}) })}
      >
        {words.walkAsk}
      </button>
      <p class="faint">{words.weightHint}</p>
      {found && <Explained found={found} />}
    </div>
  );
}

function Explained({ found }: { found: Message }) {
  return <pre>{String(found.text ?? "")}</pre>;
}
