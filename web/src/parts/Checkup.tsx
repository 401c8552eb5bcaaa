// What is wrong with a training, what shows it, and the remedy as a button.

import { ask, checkup, choose, frame, order, settings } from "../store";
import { words } from "../strings";

interface Finding {
  name: string;
  evidence: string;
  prescription: string;
  change: Record<string, unknown> | null;
}

export function Checkup() {
  const found = checkup.value?.findings as Finding[] | undefined;
  return (
    <div class="checkup">
      <p>{words.checkIntro}</p>
      <button type="button" class="plain strong" onClick={() => ask("checkup")}>
        {words.checkAsk}
      </button>
      {found && found.length === 0 && <p class="fine">{words.checkFine}</p>}
      <ol>
        {found?.map((finding) => (
          <li key={finding.name}>
            <h3>{finding.name}</h3>
            <p>{finding.evidence}</p>
            <p>{finding.prescription}</p>
            {finding.change && (
              <button type="button" class="plain strong" onClick={() => startAgainWith(finding.change ?? {})}>
                {words.remedy}
              </button>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}

function startAgainWith(change: Record<string, unknown>): void {
  choose(change);
  order("again");
}

/** Speaks up when training has stopped by itself. */
export function Trouble() {
  const text = frame.value?.trouble;
  if (!text) return null;
  const rate = settings.value.rate / 10;
  return (
    <div class="trouble" role="alert">
      <strong>{words.trouble}</strong>
      <p>{text}</p>
      <button type="button" class="plain strong" onClick={() => startAgainWith({ rate })}>
        {words.lowerRate(String(Number(rate.toPrecision(2))))}
      </button>
    </div>
  );
}
