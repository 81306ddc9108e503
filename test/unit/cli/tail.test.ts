import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Actions } from "../../../collector/cli/actions.ts";
import { EXIT } from "../../../collector/cli/exit-codes.ts";
import { createProgram } from "../../../collector/cli/program.ts";

const event = (id: string, name: string, data: unknown): string => `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const begin = (text: string, name = "ready"): string => `retry: 2000\n${event("start", name, {})}${text}`;

/** A body that ends, or breaks, after its text. */
const stream = (text: string, breaks = false): Response =>
  new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from(text));
        if (!breaks) controller.close();
      },
      pull(controller) {
        controller.error(new TypeError("terminated"));
      },
    }),
    { headers: { "content-type": "text/event-stream; charset=utf-8" } },
  );

describe("tail, when the connection is lost", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Runs `tail` against answers that are given one after the other. */
  async function tail(answers: (() => Response)[], args: string[] = []) {
    const resumedFrom: (string | null)[] = [];
    const shown = { out: "", notes: "" };
    const request = async (_path: string, init?: RequestInit): Promise<Response> => {
      resumedFrom.push(new Headers(init?.headers).get("last-event-id"));
      return answers.shift()?.() ?? stream("");
    };
    const actions: Partial<Actions> = { connect: async () => ({ request, close: async () => {} }) };
    const terminal = {
      interactive: false,
      style: (_: string, text: string) => text,
      note(text: string) {
        shown.notes += `${text}\n`;
      },
      async write(text: string) {
        shown.out += text;
      },
    };
    const program = createProgram({ actions: actions as Actions, terminal, env: {}, version: "1" });
    const ended = program.parseAsync(["tail", "-o", "jsonl", ...args], { from: "user" }).then(
      () => undefined,
      (error: unknown) => error,
    );
    await vi.advanceTimersByTimeAsync(60_000);
    return { resumedFrom, ...shown, error: await ended };
  }

  it.each([false, true])("goes on where it was, whether the stream ended or broke (%s)", async (breaks) => {
    const { out, notes, resumedFrom, error } = await tail(
      [() => stream(begin(event("a", "generation", { n: 1 })), breaks), () => stream(begin(event("b", "generation", { n: 2 })))],
      ["--limit", "2"],
    );
    expect(error).toBeUndefined();
    expect(out).toBe('{"n":1}\n{"n":2}\n');
    expect(resumedFrom).toEqual([null, "a"]);
    expect(notes).toBe("The connection was lost: it is tried again until it is back.\nThe connection is back.\n");
  });

  it("tries until the collector is back, and says once that it is away", async () => {
    const away = () => Response.json({ error: { message: "starting" } }, { status: 503 });
    const { out, notes, resumedFrom } = await tail(
      [() => stream(begin("")), away, away, away, () => stream(begin(event("b", "generation", { n: 2 })))],
      ["--limit", "1"],
    );
    expect(out).toBe('{"n":2}\n');
    expect(resumedFrom).toEqual([null, "start", "start", "start", "start"]);
    expect(notes.match(/was lost/g)).toHaveLength(1);
  });

  it("says that calls are missing where it was away for too long", async () => {
    const { notes } = await tail([() => stream(begin("")), () => stream(begin(event("b", "generation", {}), "reset"))], ["--limit", "1"]);
    expect(notes).toContain("calls of that time are not shown");
  });

  it("ends with what it is told where its key has ended", async () => {
    const gone = () => Response.json({ error: { message: "this key is not known or was revoked" } }, { status: 401 });
    const { error } = await tail([() => stream(begin(event("a", "generation", { n: 1 }))), gone]);
    expect(error).toMatchObject({ exitCode: EXIT.notAuthorised, message: "This key is not known or was revoked." });
  });

  it("does not wait for a collector that never answered", async () => {
    const { error, resumedFrom } = await tail([() => Response.json({}, { status: 503 })]);
    expect(error).toMatchObject({ exitCode: EXIT.unreachable });
    expect(resumedFrom).toHaveLength(1);
  });
});
