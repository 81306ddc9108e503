const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const LINE_FEED = 0x0a;
const SPACE = 0x20;
const COMMA = 0x2c;
/** What may stand between values beside white space: also a byte order mark. */
const MARKS: ReadonlySet<number> = new Set([COMMA, OPEN_BRACKET, CLOSE_BRACKET, 0xef, 0xbb, 0xbf]);

/** One value of a file. */
export interface JsonValue {
  /** An object as it stands there; undefined for anything else, such as a number. */
  readonly bytes: Buffer | undefined;
  /** Where it begins, counted from 1. */
  readonly line: number;
}

/** Larger objects are refused. */
export const MAX_VALUE_BYTES = 64 * 1024 * 1024;

export class OversizedValueError extends Error {
  override readonly name = "OversizedValueError";
}

/**
 * Cuts a stream into its objects, whatever lies around them: one per line, spread over lines, elements of an array. Holds one object at a time. What is
 * no object is given by its line alone; an object that never ends is given as far as it goes, so that its reader refuses it by its line.
 */
export async function* splitJson(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<JsonValue> {
  const state: State = { inWord: false, depth: 0, quoted: false, escaped: false, line: 1, beganAt: 1, kept: [], keptBytes: 0 };
  for await (const chunk of chunks) yield* objectsIn(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length), state);
  if (state.depth > 0) yield { bytes: Buffer.concat(state.kept), line: state.beganAt };
}

interface State {
  /** Within a number or the like, outside of objects. */
  inWord: boolean;
  /** Braces that are open; brackets count inside of objects only. */
  depth: number;
  quoted: boolean;
  escaped: boolean;
  line: number;
  beganAt: number;
  kept: Buffer[];
  keptBytes: number;
}

function* objectsIn(chunk: Buffer, state: State): Generator<JsonValue> {
  let start = 0;
  for (let i = 0; i < chunk.length; i++) {
    const byte = chunk[i]!;
    if (byte === LINE_FEED) nextLine(state);
    if (state.quoted) {
      skipString(byte, state);
    } else if (state.depth === 0 && byte !== OPEN_BRACE) {
      if (beginsOutside(byte, state)) yield { bytes: undefined, line: state.line };
    } else if (byte === QUOTE) {
      state.quoted = true;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (state.depth++ === 0) {
        state.inWord = false;
        start = i;
        state.beganAt = state.line;
      }
    } else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --state.depth === 0) {
      yield { bytes: Buffer.concat([...state.kept, chunk.subarray(start, i + 1)]), line: state.beganAt };
      state.kept = [];
      state.keptBytes = 0;
    }
  }
  if (state.depth > 0) keep(chunk.subarray(start), state);
}

/** A text outside of objects ends with its line, so that a quote in a file that is no JSON hides nothing. */
function nextLine(state: State): void {
  state.line++;
  if (state.depth > 0) return;
  state.quoted = false;
  state.escaped = false;
}

/** Whether a value that is no object begins with this byte. */
function beginsOutside(byte: number, state: State): boolean {
  if (byte === QUOTE) {
    state.quoted = true;
    state.inWord = false;
    return true;
  }
  const isMark = byte <= SPACE || MARKS.has(byte);
  const begins = !isMark && !state.inWord;
  state.inWord = !isMark;
  return begins;
}

function skipString(byte: number, state: State): void {
  if (state.escaped) state.escaped = false;
  else if (byte === BACKSLASH) state.escaped = true;
  else if (byte === QUOTE) state.quoted = false;
}

/** The chunk's memory may be used again by its sender. */
function keep(bytes: Buffer, state: State): void {
  state.keptBytes += bytes.length;
  if (state.keptBytes > MAX_VALUE_BYTES)
    throw new OversizedValueError(`the object at line ${state.beganAt} is larger than ${MAX_VALUE_BYTES} bytes`);
  state.kept.push(Buffer.from(bytes));
}
