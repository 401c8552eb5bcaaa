// The network as a file, as a program, as a picture; the settings as a link.

import { ask, save } from "../store";
import { words } from "../strings";
import { copyLink } from "./TopBar";

export function TakeAway() {
  return (
    <div class="take">
      <p>{words.takeIntro}</p>
      <ul>
        <Item
          name={words.takePython}
          hint={words.takePythonHint}
          onClick={() => ask("take", { what: "python" })}
        />
        <Item
          name={words.takeModel}
          hint={words.takeModelHint}
          onClick={() => ask("take", { what: "model" })}
        />
        <Item name={words.takeOnnx} hint={words.takeOnnxHint} onClick={() => ask("take", { what: "onnx" })} />
        <Item name={words.takePicture} hint={words.takePictureHint} onClick={savePicture} />
        <Item name={words.takeLink} hint={words.takeLinkHint} onClick={copyLink} />
      </ul>
    </div>
  );
}

function Item({ name, hint, onClick }: { name: string; hint: string; onClick: () => void }) {
  return (
    <li>
      <button type="button" class="plain strong" onClick={onClick}>
        {name}
      </button>
      <small>{hint}</small>
    </li>
  );
}

/** The answer with its samples, or else the network, as a PNG of 1200 pixels. */
function savePicture(): void {
  const layers = [...document.querySelectorAll<HTMLCanvasElement>(".output .plane canvas")];
  const shown = layers.length ? layers : [...document.querySelectorAll<HTMLCanvasElement>(".network canvas")];
  const box = shown[0]?.getBoundingClientRect();
  if (!box) return;
  const picture = document.createElement("canvas");
  const scale = 1200 / box.width;
  picture.width = 1200;
  picture.height = Math.round(box.height * scale);
  const context = picture.getContext("2d");
  if (!context) return;
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, 0, picture.width, picture.height);
  for (const layer of shown) {
    const at = layer.getBoundingClientRect();
    context.drawImage(
      layer,
      (at.left - box.left) * scale,
      (at.top - box.top) * scale,
      at.width * scale,
      at.height * scale,
    );
  }
  picture.toBlob((content) => {
    if (content) save("playground.png", content);
  });
}
