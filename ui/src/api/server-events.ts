/** The events of a `text/event-stream` body, as far as our server writes them: one line of data each. */

export interface ServerEvent {
  readonly name: string;
  /** Empty for an event that only carries an id. */
  readonly data: string;
  readonly id: string | null;
}

/** The events of each piece that comes; none for a comment, which still says that the stream lives. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent[]> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + decoder.decode(value, { stream: true }).replaceAll("\r\n", "\n")).split("\n\n");
      rest = blocks.pop() ?? "";
      yield blocks.map(readEvent).filter((event) => event.data !== "" || event.id !== null);
    }
  } finally {
    await reader.cancel();
  }
}

function readEvent(block: string): ServerEvent {
  let name = "message";
  let data = "";
  let id: string | null = null;
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    const value = line.slice(at + 1).replace(/^ /, "");
    switch (line.slice(0, at)) {
      case "event":
        name = value;
        break;
      case "data":
        data = value;
        break;
      case "id":
        id = value;
        break;
    }
  }
  return { name, data, id };
}
