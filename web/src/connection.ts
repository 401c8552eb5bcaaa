// The line to the engine. It is asked and it tells; when it is gone, the page says so.

import { type Message, unpack } from "./messages";

export interface Listener {
  onOpen(): void;
  onMessage(message: Message): void;
  onClose(): void;
}

export class Connection {
  private readonly socket: WebSocket;

  constructor(listener: Listener) {
    this.socket = new WebSocket(`ws://${location.host}/live`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => listener.onOpen();
    this.socket.onclose = () => listener.onClose();
    this.socket.onmessage = ({ data }) =>
      listener.onMessage(typeof data === "string" ? { arrays: {}, ...JSON.parse(data) } : unpack(data));
  }

  ask(what: string, more: object = {}): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ do: what, ...more }));
  }
}
