import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import type { Readable, Writable } from "node:stream";
import { styleText } from "node:util";

/** Standard output for data, standard error for everything else. */
export interface Terminal {
  /** Writes data; waits when the reader is slow. Throws BrokenPipe once nobody reads any more. */
  write(text: string): Promise<void>;
  /** Writes a line for the person. */
  note(text: string): void;
  /** Shows a passing line to the person, in place of the one before; '' takes it away. Only where standard error is a terminal. */
  readonly status?: (text: string) => void;
  /** Marks text on standard output where that is a terminal that wants colours (NO_COLOR, FORCE_COLOR). */
  style(format: Style, text: string): string;
  /** Asks the person, who answers in a line; undefined where nobody can be asked, or wants to be (--no-input). */
  readonly ask?: (question: () => Promise<string>) => Promise<string | undefined>;
  /** Whether standard output is a terminal. */
  readonly interactive: boolean;
  /** Follows --no-color, --quiet and --verbose; what is not given stays as it is. */
  readonly tone?: (tone: Tone) => void;
  /** Writes a line for the person who asked for details. */
  readonly detail?: (text: string) => void;
}

export interface Tone {
  readonly color?: boolean;
  /** No notes: data and errors alone. */
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** Whether questions may be asked. */
  readonly input?: boolean;
}

export type Style = "bold" | "dim" | "green" | "red" | "yellow";

/** The reader of standard output has gone (`| head -1`): no fault of ours, and nothing more to do. */
export class BrokenPipe extends Error {
  override readonly name = "BrokenPipe";
}

type Tty = { isTTY?: boolean };

/** `stdin` is read only where a question is asked. */
export function createTerminal(stdout: Writable & Tty, stderr: Writable & Tty, stdin?: Readable & Tty): Terminal {
  let broken: Error | undefined;
  let tone: Tone = {};
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    broken = error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED" ? new BrokenPipe("standard output was closed") : error;
  });
  stderr.on("error", () => {});
  return {
    interactive: stdout.isTTY === true,
    tone(wanted) {
      tone = { ...tone, ...wanted };
    },
    note(text) {
      if (tone.quiet !== true) stderr.write(`${text}\n`);
    },
    async ask(question) {
      if (tone.input === false || stdin?.isTTY !== true || stderr.isTTY !== true) return undefined;
      const text = await question();
      const lines = createInterface({ input: stdin, output: stderr });
      try {
        return await Promise.race([lines.question(text), once(lines, "close").then(() => "")]);
      } finally {
        lines.close();
      }
    },
    detail(text) {
      if (tone.verbose === true) stderr.write(`${text}\n`);
    },
    ...(stderr.isTTY === true ? { status: (text: string) => void stderr.write(`\r\x1b[K${text}`) } : {}),
    style: (format, text) => (tone.color === false ? text : styleText(format, text, { stream: stdout })),
    async write(text) {
      if (broken !== undefined) throw broken;
      if (stdout.write(text)) return;
      const settled = new AbortController();
      const { signal } = settled;
      // The one that did not happen must not go on listening: a long output waits thousands of times.
      await Promise.race([once(stdout, "drain", { signal }), once(stdout, "close", { signal })]).catch(() => {});
      settled.abort();
      if (broken !== undefined) throw broken;
    },
  };
}
