// What is wrong with a training, what shows it, and the remedy as a button.

import { useEffect } from "preact/hooks";
import { ask, checkup, choose, frame, order } from "../store";
import { words } from "../strings";
import { IconButton } from "./controls";
import { Cross } from "./icons";

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

const WORTH_A_LOOK = 20; // epochs, after which a pause is a moment to look at the training

/** Speaks up when training has stopped by itself, and when a pause shows that something is wrong. */
export function Trouble() {
  const now = frame.value;
  const text = now?.trouble ?? "";
  const paused = now !== null && !now.running && now.epochs >= WORTH_A_LOOK;
  useEffect(() => {
    if (text || paused) ask("checkup");
  }, [text, paused]);
  const first = (checkup.value?.findings as Finding[] | undefined)?.[0];
  if (!text && !(first && paused)) return null;
  return (
    <div class="trouble" role="alert">
      <strong>{first?.name ?? words.trouble}</strong>
      <p>{first ? `${first.evidence} ${first.prescription}` : text}</p>
      {first?.change && (
        <button type="button" class="plain strong" onClick={() => startAgainWith(first.change ?? {})}>
          {words.remedy}
        </button>
      )}
      {!text && (
        <IconButton label={words.close} kind="remove" onClick={() => (checkup.value = null)}>
          <Cross />
        </IconButton>
      )}
    </div>
  );
}
