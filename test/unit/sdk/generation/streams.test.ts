import { describe, expect, it } from "vitest";
import { generate, read, startGeneration } from "../../../../sdk/index.ts";
import { OPENAI_CHAT } from "../../../support/sdk/provider-answers.ts";
import { messagesOf, recorded } from "../../../support/sdk/recorded.ts";

const CALL = { model: "gpt-5", provider: "openai", prompt: { text: "Weather?" } };
const chunk = (content: string) => ({ choices: [{ index: 0, delta: { content } }] });

/** A stream as providers' libraries give it: an object with members of its own, and private ones. */
class ProviderStream implements AsyncIterable<object> {
  readonly controller = new AbortController();
  closed = false;
  #reads = 0;
  readonly #chunks: readonly object[];
  readonly #error: unknown;

  constructor(chunks: readonly object[], error?: unknown) {
    this.#chunks = chunks;
    this.#error = error;
  }

  reads(): number {
    return this.#reads;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<object> {
    try {
      for (const each of this.#chunks) {
        this.#reads++;
        if (this.controller.signal.aborted) throw new DOMException("stopped", "AbortError");
        yield each;
      }
      if (this.#error !== undefined) throw this.#error;
    } finally {
      this.closed = true;
    }
  }
}

async function collect(source: AsyncIterable<object>, atMost = Number.POSITIVE_INFINITY): Promise<object[]> {
  const chunks: object[] = [];
  for await (const each of source) {
    chunks.push(each);
    if (chunks.length >= atMost) break;
  }
  return chunks;
}

const textOf = (span: Parameters<typeof messagesOf>[0]): unknown => messagesOf(span, "output");
const said = (content: string) => [{ role: "assistant", parts: [{ type: "text", content }] }];

describe("a streamed answer", () => {
  it("reaches the application chunk by chunk, the same objects, and is recorded whole", async () => {
    const source = new ProviderStream(OPENAI_CHAT.chunks as object[]);
    const { generations } = await recorded(async () => {
      const stream = await generate(CALL, () => source);
      const chunks = await collect(stream);
      expect(chunks.every((each, i) => each === OPENAI_CHAT.chunks[i])).toBe(true);
    });
    expect(generations).toHaveLength(1);
    expect(generations[0]!.attributes).toMatchObject({
      "gen_ai.request.stream": true,
      "gen_ai.response.id": "chatcmpl-1",
      "gen_ai.usage.output_tokens": 12,
      "gen_ai.response.finish_reasons": ["tool_calls"],
      "gen_ai.response.time_to_first_chunk": expect.any(Number),
    });
  });

  it("keeps the members of the provider's object, private ones too", async () => {
    const source = new ProviderStream([chunk("a")]);
    await recorded(async () => {
      const stream = await generate(CALL, () => source);
      expect(stream.controller).toBe(source.controller);
      await collect(stream);
      expect([stream.reads(), stream.closed, stream instanceof ProviderStream]).toEqual([1, true, true]);
    });
  });

  it("is open until it has been read", async () => {
    const { generations } = await recorded(async () => {
      const generation = startGeneration(CALL);
      const stream = generation.stream(new ProviderStream([chunk("a")]), read.openaiChat);
      expect(generation.ended).toBe(false);
      await collect(stream);
      expect(generation.ended).toBe(true);
    });
    expect(textOf(generations[0])).toEqual(said("a"));
  });

  it("SDK-06 that the application stops reading ends once, as an error, with what had come, and the source is closed", async () => {
    const source = new ProviderStream([chunk("It "), chunk("rains "), chunk("a lot.")]);
    const { generations } = await recorded(async () => {
      expect(await collect(await generate(CALL, () => source), 2)).toHaveLength(2);
    });
    expect(source.closed).toBe(true);
    expect(generations).toHaveLength(1);
    expect(generations[0]).toMatchObject({ status: { code: 2 }, attributes: { "error.type": "cancelled" } });
    expect(textOf(generations[0])).toEqual(said("It rains "));
  });

  it("SDK-06 that breaks off ends once, as an error, with what had come; the application gets the error itself", async () => {
    const cut = Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
    const { generations } = await recorded(async () => {
      const stream = await generate(CALL, () => new ProviderStream([chunk("It ")], cut));
      await expect(collect(stream)).rejects.toBe(cut);
    });
    expect(generations).toHaveLength(1);
    expect(generations[0]).toMatchObject({ status: { code: 2, message: "socket hang up" }, attributes: { "error.type": "ECONNRESET" } });
    expect(textOf(generations[0])).toEqual(said("It "));
  });

  it("SDK-06 that is aborted ends as cancelled, with its attempts and what had come", async () => {
    const source = new ProviderStream([chunk("It "), chunk("rains")]);
    const { generations, of } = await recorded(async () => {
      const stream = await generate(CALL, async (generation) => {
        await generation.attempt({}, () => Promise.reject(new Error("busy"))).catch(() => {});
        return await generation.attempt({ reason: "retry" }, () => source);
      });
      await expect(
        (async () => {
          for await (const _each of stream) source.controller.abort();
        })(),
      ).rejects.toThrow("stopped");
    });
    expect(generations.map(({ attributes }) => attributes["error.type"])).toEqual(["cancelled"]);
    expect(textOf(generations[0])).toEqual(said("It "));
    expect(of("attempt").map(({ attributes }) => attributes["genspan.attempt.outcome"])).toEqual(["Error", "success"]);
  });

  it("whose chunks nobody can read costs the text only", async () => {
    const hostile = {
      get choices(): never {
        throw new Error("no");
      },
    };
    const { generations, problems } = await recorded(async () => {
      expect(await collect(await generate(CALL, () => new ProviderStream([hostile, hostile])))).toHaveLength(2);
    });
    expect([generations[0]!.status.code, problems.map(({ kind }) => kind)]).toEqual([0, ["internal-error"]]);
  });

  it("that is handed to the generation by the call is read once", async () => {
    const { generations } = await recorded(async () => {
      const stream = await generate(CALL, (generation) => generation.stream(new ProviderStream([chunk("a"), chunk("b")]), read.openaiChat));
      await collect(stream);
    });
    expect(generations.map(textOf)).toEqual([said("ab")]);
  });

  it("can be left by the source's own early end", async () => {
    const source: AsyncIterable<object> = { [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }) };
    const { generations } = await recorded(async () => expect(await collect(await generate(CALL, () => source))).toEqual([]));
    expect(generations[0]!.status.code).toBe(0);
  });
});
