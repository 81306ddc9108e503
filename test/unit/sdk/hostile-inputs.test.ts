import assert from "node:assert";
import { describe, expect, it } from "vitest";
import type { TracingProblem } from "../../../sdk/core/options.ts";
import { safeJson } from "../../../sdk/core/safe-json.ts";
import { startTracing } from "../../../sdk/core/tracing.ts";
import { generate } from "../../../sdk/generation/generate.ts";
import { startGeneration } from "../../../sdk/generation/generation.ts";
import { startItem, startProblemTrace } from "../../../sdk/items/item.ts";
import { RunReporter } from "../../../sdk/runs/run-reporter.ts";
import { messagesOf, recorded } from "../../support/sdk/recorded.ts";

const CALL = { model: "gpt-5", provider: "openai" };
const throwing = new Proxy(
  {},
  {
    get() {
      throw new Error("no");
    },
    has() {
      throw new Error("no");
    },
  },
);

describe("SDK-05 a parent that is none", () => {
  it.each([
    ["null", null],
    ["a number", 5],
    ["a text", "x"],
    ["an object with a getValue that is no function", { getValue: 1 }],
    ["ids that are no texts", { traceId: Symbol("x"), spanId: 1 }],
    ["an object that throws", throwing],
  ])("counts as not given: %s", async (_, parent) => {
    const { generations } = await recorded(() => startGeneration({ ...CALL, parent: parent as never }).succeed({ text: "a" }));
    expect(generations.map(({ parentSpanId }) => parentSpanId || undefined)).toEqual([undefined]);
  });
});

describe("SDK-05 attributes of an application", () => {
  const attributesOf = async (attributes: object) => {
    const { generations, problems } = await recorded(() => startGeneration({ ...CALL, attributes: attributes as never }).succeed(), {
      limits: { attributeBytes: 1_000 },
    });
    expect(problems).toEqual([]);
    return generations[0]!.attributes;
  };

  it("that no span can hold become JSON, and cost nothing else", async () => {
    const cyclic: Record<string, unknown> = { n: 1 };
    cyclic["self"] = cyclic;
    const given = { cyclic, sizeBytes: { sizeBytes: 1 }, big: 10n, mixed: [1, "a", null], at: new Date(0), fine: ["a", "b"] };
    expect(await attributesOf(given)).toMatchObject({
      cyclic: '{"n":1,"self":"[circular]"}',
      sizeBytes: '{"sizeBytes":1}',
      big: "10",
      mixed: '[1,"a",null]',
      at: '"1970-01-01T00:00:00.000Z"',
      fine: ["a", "b"],
      "gen_ai.request.model": "gpt-5",
    });
  });

  it("that cannot be read, or are no numbers, are left out", async () => {
    const given = { nan: Number.NaN, nothing: null, ok: 1 };
    Object.defineProperty(given, "bad", {
      enumerable: true,
      get() {
        throw new Error("no");
      },
    });
    const attributes = await attributesOf(given);
    expect(attributes["ok"]).toBe(1);
    expect(Object.keys(attributes)).not.toEqual(expect.arrayContaining(["nan", "nothing", "bad"]));
  });

  it("are cut to the bound of attributes", async () => {
    const { long } = await attributesOf({ long: "x".repeat(5_000) });
    expect(String(long)).toMatch(/^x{1000}…\[truncated 4000 bytes\]$/);
  });
});

describe("SDK-05 numbers that are none", () => {
  it("as times of tries cost neither the try nor its request", async () => {
    const { of, generations } = await recorded(() => {
      const generation = startGeneration(CALL);
      generation.addAttempt({ success: true, durationMillis: Number.NaN });
      generation.addAttempt({ success: true, durationMillis: Number.POSITIVE_INFINITY });
      generation.addAttempt({ success: true, startedAt: 1e300 });
      generation.firstToken(1e300);
      generation.succeed();
    });
    expect(of("attempt")).toHaveLength(3);
    expect(generations[0]!.attributes["gen_ai.response.time_to_first_chunk"]).toBeLessThan(60);
  });

  it("as counts of tokens are not known, and ids that are numbers are written as texts", async () => {
    const { generations } = await recorded(() =>
      startGeneration({ ...CALL, userId: 42 as never, conversationId: 7n as never }).succeed({ usage: { input: -3, output: 12 } }),
    );
    const { attributes } = generations[0]!;
    expect([attributes["user.id"], attributes["gen_ai.conversation.id"]]).toEqual(["42", "7"]);
    expect([attributes["gen_ai.usage.input_tokens"], attributes["gen_ai.usage.output_tokens"]]).toEqual([undefined, 12]);
  });
});

describe("SDK-05 words to a handle of which nothing can be read", () => {
  const unreadable = new Proxy({}, { get: () => assert.fail("no"), getPrototypeOf: () => assert.fail("no") }) as never;

  it("cost themselves only", async () => {
    const { generations } = await recorded(async () => {
      const generation = startGeneration(CALL);
      generation.firstToken(unreadable);
      generation.succeed({ text: "because" });
      await startTracing().flush(unreadable);
    });
    expect(generations[0]!.attributes["gen_ai.response.time_to_first_chunk"]).toBeGreaterThanOrEqual(0);
  });
});

describe("SDK-05 values of unbounded size", () => {
  it("an object that shares its members twice over at each depth is written as far as the bound", () => {
    let value: unknown = { x: 1 };
    for (let depth = 0; depth < 40; depth++) value = [value, value];
    expect(safeJson(value)!.length).toBeLessThan(4_000_000);
  });

  it("a long text that is shared by many members is written as far as the bound", () => {
    const text = safeJson({ list: Array(1_000).fill("y".repeat(1_000_000)), last: 1 })!;
    expect(text.length).toBeLessThan(4.3 * 1024 * 1024);
    expect(JSON.parse(text)).toMatchObject({ last: 1 });
  });

  it("a picture beyond the bound is named by its hash even where bytes are wanted", async () => {
    const content = [{ type: "image_url", image_url: { url: `data:image/png;base64,${"A".repeat(4_000)}` } }];
    const { generations } = await recorded(() => startGeneration({ ...CALL, messages: [{ role: "user", content }] }).succeed(), {
      content: { images: "bytes", maxBytes: 1_000 },
    });
    expect(messagesOf(generations[0], "input")).toMatchObject([{ parts: [{ type: "uri", size_bytes: 3_000 }] }]);
  });
});

describe("SDK-05 a result that cannot be read in one place", () => {
  it("keeps the rest", async () => {
    const { generations } = await recorded(() =>
      startGeneration(CALL).succeed({
        text: "kept",
        finishReason: "stop",
        get usage(): never {
          throw new Error("no");
        },
      }),
    );
    expect(messagesOf(generations[0], "output")).toMatchObject([{ parts: [{ content: "kept" }] }]);
    expect(generations[0]!.attributes["gen_ai.response.finish_reasons"]).toEqual(["stop"]);
  });
});

describe("SDK-06 a stream of another make", () => {
  it("may give its pieces without promises", async () => {
    let left = 3;
    const source = { [Symbol.asyncIterator]: () => ({ next: () => ({ done: left === 0, value: left-- }) }) };
    const seen: unknown[] = [];
    const { generations } = await recorded(async () => {
      for await (const piece of startGeneration(CALL).stream(source as never)) seen.push(piece);
    });
    expect(seen).toEqual([3, 2, 1]);
    expect(generations.map(({ status }) => status.code)).toEqual([0]);
  });

  const broken = new Error("broken");
  it.each([
    [
      "when it is opened",
      () => {
        throw broken;
      },
    ],
    [
      "at its first piece, without a promise",
      () => ({
        next: () => {
          throw broken;
        },
      }),
    ],
  ])("that throws %s fails the generation, and the error comes through", async (_, open) => {
    const { generations } = await recorded(async () => {
      const reading = async () => {
        for await (const _piece of startGeneration(CALL).stream({ [Symbol.asyncIterator]: open } as never));
      };
      await expect(reading()).rejects.toBe(broken);
    });
    expect(generations.map(({ status }) => status)).toEqual([{ code: 2, message: "broken" }]);
  });
});

describe("SDK-05 settings that are none", () => {
  it("neither startTracing nor what it returns throws", async () => {
    const tracing = startTracing(null as never);
    await tracing.flush(null as never);
    await tracing.shutdown(null as never);
  });

  it("a flush may wait for ever", async () => {
    await recorded(async () => {
      const tracing = startTracing();
      startGeneration(CALL).succeed();
      expect(await tracing.flush({ timeoutMillis: Number.POSITIVE_INFINITY })).toEqual({ complete: true, remaining: 0 });
    });
  });

  it.each(["localhost:4318", "ftp://collector"])("an endpoint that is no web address is told at once: %s", async (endpoint) => {
    const told: TracingProblem[] = [];
    const tracing = startTracing({ endpoint, exitHooks: false, onProblem: (problem) => told.push(problem) });
    expect(await generate(CALL, () => "answer")).toBe("answer");
    await tracing.shutdown();
    expect(told.map(({ message }) => message)).toEqual([
      "nothing is recorded: endpoint has to be an address that begins with http:// or https://; nothing is sent there",
    ]);
  });

  it("an onProblem that rejects is nobody's unhandled rejection", async () => {
    const unhandled: unknown[] = [];
    const listen = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", listen);
    const onProblem = (): never => Promise.reject(new Error("mine")) as never;
    await startTracing({ endpoint: "nonsense", onProblem }).shutdown();
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", listen);
    expect(unhandled).toEqual([]);
  });

  it("a redact that returns no text leaves the text out, and that is told", async () => {
    const { generations, problems } = await recorded(() => startGeneration({ ...CALL, prompt: { text: "secret" } }).succeed(), {
      redact: (async () => "later") as never,
    });
    expect(generations[0]!.attributes["gen_ai.input.messages"]).toBeUndefined();
    expect(problems.map(({ message }) => message)).toEqual(["the redact function did not return a text: the text is left out"]);
  });
});

describe("SDK-05 nothing at all, or what throws when it is looked at", () => {
  const unreadable = new Proxy(
    {},
    {
      get: () => {
        throw new Error("no");
      },
      ownKeys: () => {
        throw new Error("no");
      },
    },
  );

  it.each([
    ["null", null],
    ["an object that throws", unreadable],
  ])("in place of every argument: %s", async (_, given) => {
    const none = given as never;
    const { generations, of } = await recorded(async () => {
      const generation = startGeneration(CALL);
      generation.startAttempt(none).succeed(none);
      generation.startAttempt(none).fail(none, none);
      generation.fail(none, none);
      for (const trace of [startItem(none), startProblemTrace(none)]) trace.complete();
      await new RunReporter(none).start(none).finish(none);
    });
    expect([generations.length, of("attempt").length, of("item").length]).toEqual([1, 2, 2]);
  });
});
