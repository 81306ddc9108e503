import type { Reader } from "../generation/types.ts";

interface EventDecoder {
  push(bytes: Uint8Array): void;
  /** The body has ended: what stands there of an event is one. */
  end(): void;
}

/** What is longer is no event of a model; nothing is decoded from there on. */
const MAX_EVENT_CHARS = 32 * 1024 * 1024;
const LINE_END = /\r\n|\r|\n/g;
/** A field's value, without the blank that may stand before it. */
const DATA = /^data(?:$|: ?)/;

/** Takes the data of events out of a body of server-sent events as its bytes come (WHATWG HTML, "Interpreting an event stream"). */
function createEventDecoder(onData: (data: string) => void): EventDecoder {
  const decoder = new TextDecoder();
  let line = "";
  let data: string[] = [];
  let dataChars = 0;
  let afterReturn = false;
  let isOver = false;

  function endLine(): void {
    const field = DATA.exec(line);
    if (line === "") endEvent();
    else if (field !== null) {
      data.push(line.slice(field[0].length));
      dataChars += line.length;
    }
    line = "";
  }

  function endEvent(): void {
    if (data.length > 0) onData(data.join("\n"));
    data = [];
    dataChars = 0;
  }

  function read(text: string): void {
    // The second half of a line's end may come with the next bytes.
    let from = afterReturn && text.startsWith("\n") ? 1 : 0;
    if (text !== "") afterReturn = text.endsWith("\r");
    for (;;) {
      LINE_END.lastIndex = from;
      const end = LINE_END.exec(text);
      line += text.slice(from, end?.index);
      if (end === null) break;
      from = LINE_END.lastIndex;
      endLine();
    }
    isOver = line.length + dataChars > MAX_EVENT_CHARS;
  }

  return {
    push(bytes) {
      if (!isOver) read(decoder.decode(bytes, { stream: true }));
    },
    end() {
      if (isOver) return;
      isOver = true;
      if (line !== "") endLine();
      endEvent();
    },
  };
}

/** The chunk that an event holds; undefined for what is none, such as `[DONE]`. */
function chunkIn(data: string): unknown {
  try {
    return JSON.parse(data) as unknown;
  } catch {
    return undefined;
  }
}

/** The same reader, which also reads the bytes of a body of server-sent events: what `fetch` gives of a streamed answer. */
export const readingEvents = (reader: Reader): Reader => ({
  response: (response) => reader.response(response),
  stream() {
    const stream = reader.stream();
    const show = (data: string): void => {
      const chunk = chunkIn(data);
      if (chunk !== undefined) stream.chunk(chunk);
    };
    let events: EventDecoder | undefined;
    return {
      chunk(chunk) {
        if (!(chunk instanceof Uint8Array)) return stream.chunk(chunk);
        events ??= createEventDecoder(show);
        events.push(chunk);
      },
      result() {
        events?.end();
        return stream.result();
      },
    };
  },
});
