import { trace } from "@opentelemetry/api";
import { describe, expect, it } from "vitest";
import {
  annotateGeneration,
  type Generation,
  generate,
  linkGeneration,
  read,
  reviewRecord,
  startGeneration,
} from "../../../../sdk/index.ts";
import { messagesOf, recorded } from "../../../support/sdk/recorded.ts";

const CALL = { model: "gpt-5", provider: "openai", prompt: { text: "Why?" } };

describe("generate", () => {
  it("returns what the call returned, the same object", async () => {
    const answer = { choices: [{ message: { content: "Because." } }] };
    await recorded(async () => expect(await generate(CALL, () => answer)).toBe(answer));
  });

  it("SDK-06 rethrows what the call threw, the same object, and records it once as a failure", async () => {
    const error = Object.assign(new Error("slow down"), { status: 429, code: "rate_limit_exceeded" });
    const { generations } = await recorded(async () => {
      await expect(generate(CALL, () => Promise.reject(error))).rejects.toBe(error);
    });
    expect(generations).toHaveLength(1);
    expect(generations[0]).toMatchObject({
      status: { code: 2, message: "slow down" },
      attributes: { "error.type": "rate_limit_exceeded" },
    });
  });

  it("names the provider's kind of error where the error holds the body of the answer", async () => {
    const body = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
    const { generations } = await recorded(async () => {
      const call = () => Promise.reject(Object.assign(new Error("Overloaded"), { error: body }));
      await expect(generate(CALL, call)).rejects.toThrow("Overloaded");
    });
    expect(generations[0]!.attributes["error.type"]).toBe("overloaded_error");
  });

  it("takes a function of the application's own as reader", async () => {
    const { generations } = await recorded(() =>
      generate(
        CALL,
        () => ({ said: "Because.", cost: 0.36 }),
        ({ said, cost }) => ({ text: said, cost: { amount: cost, currency: "EUR" } }),
      ),
    );
    expect(generations[0]!.attributes).toMatchObject({ "genspan.cost.amount": 0.36, "genspan.cost.currency": "EUR" });
    expect(messagesOf(generations[0], "output")).toEqual([{ role: "assistant", parts: [{ type: "text", content: "Because." }] }]);
  });

  it("a reader that throws costs what it would have read, not the answer", async () => {
    const { generations, problems } = await recorded(async () => {
      const broken = (): never => {
        throw new Error("no");
      };
      expect(await generate(CALL, () => "answer", broken)).toBe("answer");
    });
    expect([generations[0]!.status.code, problems.map(({ kind }) => kind)]).toEqual([0, ["internal-error"]]);
  });

  it("leaves a generation alone that the call ended itself", async () => {
    const { generations } = await recorded(() =>
      generate(CALL, (generation) => {
        generation.timeout();
        return "late";
      }),
    );
    expect(generations.map(({ attributes }) => attributes["error.type"])).toEqual(["timeout"]);
  });

  it("does not look into a result that holds its stream", async () => {
    const looked: string[] = [];
    const result = {
      get text() {
        looked.push("text");
        return Promise.resolve("");
      },
      textStream: [],
    };
    const { generations, problems } = await recorded(() => generate(CALL, () => result));
    expect([looked, generations.length, problems.map(({ kind }) => kind)]).toEqual([[], 1, ["configuration"]]);
  });

  it("is the parent of spans and generations made in the call", async () => {
    const { spans } = await recorded(() =>
      generate({ ...CALL, model: "outer" }, async () => {
        trace.getTracer("http").startSpan("POST").end();
        return await generate({ ...CALL, model: "inner" }, () => "in");
      }),
    );
    const named = (name: string) => spans.find((span) => span.name === name)!;
    expect(named("POST").parentSpanId).toBe(named("chat outer").spanId);
    expect(named("chat inner").parentSpanId).toBe(named("chat outer").spanId);
  });
});

describe("a handle", () => {
  it("ends once: the first end counts", async () => {
    const { generations } = await recorded(() => {
      const generation = startGeneration(CALL);
      generation.fail(new Error("first"));
      generation.succeed({ text: "later" });
      generation.timeout();
      expect(generation.ended).toBe(true);
    });
    expect(generations.map(({ status }) => status)).toEqual([{ code: 2, message: "first" }]);
  });

  it("fails when its scope is left without an end", async () => {
    const { generations } = await recorded(() => {
      using _generation = startGeneration(CALL);
    });
    expect(generations[0]!.attributes["error.type"]).toBe("cancelled");
  });

  it("says how long the first piece took", async () => {
    const { generations } = await recorded(() => {
      const generation = startGeneration(CALL);
      generation.firstToken(Date.now() + 1_500);
      generation.firstToken(Date.now() + 9_000);
      generation.succeed();
    });
    const seconds = generations[0]!.attributes["gen_ai.response.time_to_first_chunk"] as number;
    expect(seconds).toBeGreaterThan(1.4);
    expect(seconds).toBeLessThan(8);
  });

  it("can be placed under any record by its reference, also one of another process", async () => {
    const parent = `${"a".repeat(32)}-${"b".repeat(16)}`;
    const { generations } = await recorded(() => startGeneration({ ...CALL, parent }).succeed());
    expect(generations[0]).toMatchObject({ traceId: "a".repeat(32), parentSpanId: "b".repeat(16) });
  });

  it("names itself as traceId-spanId", async () => {
    let id = "";
    const { generations } = await recorded(() => {
      const generation = startGeneration(CALL);
      id = generation.id;
      expect(String(generation.ref)).toBe(id);
      generation.succeed();
    });
    expect(id).toBe(`${generations[0]!.traceId}-${generations[0]!.spanId}`);
  });
});

describe("token counts", () => {
  it.each([
    ["Anthropic's, without cached ones", { input: 5, output: 7, cacheRead: 128_955, cacheWrite: 1_253, cacheInInput: false }, [130_213, 7]],
    ["Gemini's, without thoughts", { input: 13, output: 32, reasoning: 64, reasoningInOutput: false }, [13, 96]],
    ["a total and one part", { input: 10, total: 30 }, [10, 20]],
    ["broken numbers", { input: Number.NaN, output: Number.POSITIVE_INFINITY }, [undefined, undefined]],
  ])("are counted as the conventions count: %s", async (_, usage, expected) => {
    const { generations } = await recorded(() => startGeneration(CALL).succeed({ usage }));
    const { attributes } = generations[0]!;
    expect([attributes["gen_ai.usage.input_tokens"], attributes["gen_ai.usage.output_tokens"]]).toEqual(expected);
  });
});

describe("attempts", () => {
  it("SDK-06 are recorded one by one, failed and good, and what fails is rethrown", async () => {
    const { of, generations } = await recorded(() =>
      generate({ ...CALL, model: "big" }, async (generation) => {
        const busy = Object.assign(new Error("busy"), { status: 503 });
        await expect(generation.attempt({}, () => Promise.reject(busy))).rejects.toBe(busy);
        generation.addAttempt({ model: "middle", success: false, durationMillis: 50, error: "no credit", httpStatus: 402 });
        return await generation.attempt({ model: "small", reason: "fallback", delayMillis: 20 }, () => "answer");
      }),
    );
    const facts = of("attempt").map(({ attributes, parentSpanId, status }) => [
      attributes["genspan.attempt.number"],
      attributes["gen_ai.request.model"],
      attributes["genspan.attempt.outcome"],
      attributes["genspan.attempt.http_status"],
      status.message,
      parentSpanId === generations[0]!.spanId,
    ]);
    expect(facts).toEqual([
      [1, "big", "Error", 503, "busy", true],
      [2, "middle", "_OTHER", 402, "no credit", true],
      [3, "small", "success", undefined, undefined, true],
    ]);
    expect(of("attempt")[2]!.attributes).toMatchObject({ "genspan.attempt.reason": "fallback", "genspan.attempt.delay_ms": 20 });
    expect(generations[0]!.attributes["gen_ai.response.model"]).toBe("small");
  });

  it("have the times that they are given", async () => {
    const { of } = await recorded(() => {
      const generation = startGeneration(CALL);
      generation.addAttempt({ success: true, startedAt: 1_700_000_000_000, durationMillis: 3_542 });
      generation.succeed();
    });
    expect(of("attempt")[0]).toMatchObject({ startTimeUnixNano: "1700000000000000000", endTimeUnixNano: "1700000003542000000" });
  });

  it("that are still open end with their generation", async () => {
    const { of } = await recorded(() => {
      const generation = startGeneration(CALL);
      generation.startAttempt();
      generation.timeout(new Error("too slow"));
    });
    expect(of("attempt")[0]!.attributes["genspan.attempt.outcome"]).toBe("timeout");
  });

  it("are bounded", async () => {
    const { of } = await recorded(
      () => {
        const generation = startGeneration(CALL);
        for (let i = 0; i < 10; i++) generation.addAttempt({ success: false });
        generation.succeed();
      },
      { limits: { attemptsPerRecord: 4 } },
    );
    expect(of("attempt")).toHaveLength(4);
  });
});

describe("late words by reference", () => {
  it("are records of their own below the generation, in the order in which they were said", async () => {
    let id = "";
    const { of } = await recorded(() => {
      const generation = startGeneration(CALL);
      generation.succeed();
      id = generation.id;
      linkGeneration(id, { type: "definitie", id: 456, relation: "draft" });
      reviewRecord(generation.ref, { status: "rejected", issues: ["too short"], score: 0.2, by: "ann" });
      annotateGeneration(id, { shown: true });
      generation.link({ type: "definitie", id: 457 });
    });
    const updates = of("update").toSorted((a, b) => (a.startTimeUnixNano < b.startTimeUnixNano ? -1 : 1));
    expect(updates.map(({ traceId, parentSpanId }) => `${traceId}-${parentSpanId}`)).toEqual([id, id, id, id]);
    expect(updates.map(({ startTimeUnixNano, endTimeUnixNano }) => startTimeUnixNano === endTimeUnixNano)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(updates.map(({ attributes }) => ({ ...attributes, "genspan.record": undefined }))).toEqual([
      { "genspan.entity.type": "definitie", "genspan.entity.id": "456", "genspan.entity.relation": "draft" },
      {
        "genspan.quality.status": "rejected",
        "genspan.quality.issues": ["too short"],
        "genspan.quality.score": 0.2,
        "genspan.quality.by": "ann",
      },
      { "genspan.metadata": '{"shown":true}' },
      { "genspan.entity.type": "definitie", "genspan.entity.id": "457" },
    ]);
  });

  it("before the end stand on the generation itself", async () => {
    const { generations, of } = await recorded(() => {
      const generation = startGeneration({ ...CALL, metadata: { a: 1 } });
      generation.link({ type: "row", id: 1 });
      generation.review({ status: "approved" });
      generation.annotate({ b: 2 });
      generation.succeed();
    });
    expect(of("update")).toEqual([]);
    expect(generations[0]!.attributes).toMatchObject({
      "genspan.entity.id": "1",
      "genspan.quality.status": "approved",
      "genspan.metadata": '{"a":1,"b":2}',
    });
  });

  it.each(["", "nonsense", "0".repeat(32).concat("-", "1".repeat(16)), "a-b"])(
    "with a reference that is none (%j) are told as a problem",
    async (ref) => {
      const { of, problems } = await recorded(() => linkGeneration(ref, { type: "row", id: 1 }));
      expect([of("update"), problems.map(({ kind }) => kind)]).toEqual([[], ["configuration"]]);
    },
  );
});

describe("an announcement", () => {
  const announcing = { pending: "background", pendingDelayMillis: 1 } as const;

  it("is a record without duration below the generation, with what was known at the start", async () => {
    const { of, generations } = await recorded(async () => {
      const generation = startGeneration({ ...CALL, parent: `${"a".repeat(32)}-${"b".repeat(16)}` });
      expect(await generation.recorded).toBe("accepted");
      generation.succeed({ text: "Because." });
    }, announcing);
    const [pending] = of("pending");
    expect(pending).toMatchObject({
      parentSpanId: generations[0]!.spanId,
      startTimeUnixNano: generations[0]!.startTimeUnixNano,
      endTimeUnixNano: generations[0]!.startTimeUnixNano,
      attributes: { "gen_ai.request.model": "gpt-5", "genspan.pending.parent": "b".repeat(16) },
    });
    expect(messagesOf(pending, "input")).toEqual(messagesOf(generations[0], "input"));
    expect(generations[0]!.attributes["genspan.pending.sent"]).toBe(true);
  });

  it("of a call that ends within the delay is never sent", async () => {
    const { of, generations } = await recorded(
      async () => {
        const generation = startGeneration(CALL);
        generation.succeed();
        expect(await generation.recorded).toBe("off");
      },
      { pending: "background", pendingDelayMillis: 60_000 },
    );
    expect([of("pending"), generations[0]!.attributes["genspan.pending.sent"]]).toEqual([[], undefined]);
  });

  it("with `await` is stored before the call is made", async () => {
    const seen: string[] = [];
    await recorded(
      () =>
        generate(CALL, async (generation) => {
          seen.push(await generation.recorded);
          return "answer";
        }),
      { pending: "await" },
    );
    expect(seen).toEqual(["accepted"]);
  });

  it("with `await` and no collector holds the call up no longer than it may", async () => {
    const seen: string[] = [];
    await recorded(
      () =>
        generate(CALL, async (generation) => {
          seen.push(await generation.recorded);
          return "answer";
        }),
      { pending: "await", pendingWaitMillis: 100, endpoint: "http://127.0.0.1:9" },
    );
    expect(seen).toEqual(["queued"]);
  });
});

describe("what applications hand over", () => {
  const hostile = {
    get model(): string {
      throw new Error("no");
    },
  };

  it("SDK-05 never makes the SDK throw, and is recorded as far as it can be read", async () => {
    const cyclic: Record<string, unknown> = { big: 10n, at: new Date(0), f: () => 1 };
    cyclic["self"] = cyclic;
    const { generations } = await recorded(async () => {
      const messages = [{ role: "user", content: [{ type: "weird", cyclic }] }, hostileMessage];
      expect(await generate({ ...CALL, messages, metadata: cyclic, params: { stop: [1 as unknown as string] } }, () => "answer")).toBe(
        "answer",
      );
    });
    expect(generations).toHaveLength(1);
    expect(JSON.parse(String(generations[0]!.attributes["genspan.metadata"]))).toEqual({
      big: "10",
      at: "1970-01-01T00:00:00.000Z",
      f: "[function f]",
      self: "[circular]",
    });
  });

  const hostileMessage = {
    role: "user",
    get content(): string {
      throw new Error("no");
    },
  };

  it.each([
    ["undefined", undefined],
    ["a start whose model throws", hostile],
    ["a start of nonsense", { model: 7, prompt: 3, messages: "none", params: null, entity: null, tools: {} }],
  ])("SDK-05 as start of a generation: %s", async (_, start) => {
    const { generations } = await recorded(async () => {
      expect(await generate(start as never, () => "answer")).toBe("answer");
    });
    expect(generations).toHaveLength(1);
  });

  it.each([
    ["a frozen string", "plain"],
    ["undefined", undefined],
    ["null", null],
    [
      "an error whose message throws",
      Object.defineProperty(new Error("x"), "message", {
        get() {
          throw new Error("no");
        },
      }),
    ],
    ["a symbol", Symbol("why")],
  ])("SDK-05 thrown by a call: %s", async (_, thrown) => {
    const { generations } = await recorded(async () => {
      await generate(CALL, () => Promise.reject(thrown)).then(
        () => expect.unreachable(),
        (error: unknown) => expect(error).toBe(thrown),
      );
    });
    expect(generations[0]!.status.code).toBe(2);
  });

  it.each<[string, (generation: Generation) => void]>([
    ["succeed", (g) => g.succeed("text" as never)],
    ["succeed with nonsense", (g) => g.succeed({ messages: 3, usage: "many", finishReasons: [1] } as never)],
    ["link", (g) => g.link(null as never)],
    ["review", (g) => g.review(undefined as never)],
    ["annotate", (g) => g.annotate(3 as never)],
    ["addAttempt", (g) => g.addAttempt(null as never)],
    ["startAttempt", (g) => g.startAttempt(null as never)],
    ["startAttempt with hostile facts", (g) => g.startAttempt(hostile)],
    ["firstToken", (g) => g.firstToken("soon" as never)],
  ])("SDK-05 to %s never throws", async (_, act) => {
    const { generations } = await recorded(() => {
      const generation = startGeneration(CALL);
      expect(() => act(generation)).not.toThrow();
      generation.succeed();
    });
    expect(generations).toHaveLength(1);
  });
});

describe("errors", () => {
  class RateLimitError extends Error {}
  it.each([
    ["a provider's code", Object.assign(new Error("x"), { code: "rate_limit_exceeded" }), "rate_limit_exceeded"],
    ["a class of its own", new RateLimitError("x"), "RateLimitError"],
    ["a time-out of fetch", new DOMException("x", "TimeoutError"), "timeout"],
    ["a socket's time-out", Object.assign(new Error("x"), { code: "ETIMEDOUT" }), "timeout"],
    ["an abort", new DOMException("x", "AbortError"), "cancelled"],
    ["Anthropic's type", Object.assign(new Error("x"), { error: { type: "overloaded_error" } }), "overloaded_error"],
    ["a text", "broken", "_OTHER"],
  ])("%s is the type", async (_, error, type) => {
    const { generations } = await recorded(() => startGeneration(CALL).fail(error));
    expect(generations[0]!.attributes["error.type"]).toBe(type);
  });

  it("are redacted like other texts", async () => {
    const { generations } = await recorded(() => startGeneration(CALL).fail(new Error("key sk-123 is wrong")), {
      redact: (text) => text.replaceAll(/sk-\d+/g, "***"),
    });
    expect(generations[0]!.status.message).toBe("key *** is wrong");
    expect(JSON.stringify(generations)).not.toContain("sk-123");
  });
});

describe("readers given by hand", () => {
  it("tell the provider where nobody else does", async () => {
    const { generations } = await recorded(() => generate({ model: "own" }, () => ({ type: "message", content: [] }), read.anthropic));
    expect(generations[0]!.attributes["gen_ai.provider.name"]).toBe("anthropic");
  });
});
