import { EventEmitter } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, expect, it } from "vitest";
import { generate, startGeneration } from "../../../../sdk/index.ts";
import { messagesOf, recorded } from "../../../support/sdk/recorded.ts";
import type { SunkSpan } from "../../../support/sdk/sink.ts";

const CALL = { model: "gpt-5", provider: "openai", prompt: { text: "Weather?" } };
const chunk = (content: string) => ({ choices: [{ index: 0, delta: { content } }] });
const CHUNKS = [chunk("It "), chunk("rains.")];
const SAID = [{ role: "assistant", parts: [{ type: "text", content: "It rains." }] }];
const said = (span: SunkSpan | undefined) => messagesOf(span, "output");

async function* generator(): AsyncGenerator<object, void, undefined> {
  yield* CHUNKS;
}

const webStream = () =>
  new ReadableStream<object>({
    start(controller) {
      for (const each of CHUNKS) controller.enqueue(each);
      controller.close();
    },
  });

/** A stream of OpenAI's library, as far as its ways to be read go. */
class LibraryStream implements AsyncIterable<object> {
  readonly #secret = "kept";
  private readonly iterator: () => AsyncIterator<object>;
  constructor(iterator: () => AsyncIterator<object>) {
    this.iterator = iterator;
  }
  secret(): string {
    return this.#secret;
  }
  [Symbol.asyncIterator](): AsyncIterator<object> {
    return this.iterator();
  }
  tee(): [LibraryStream, LibraryStream] {
    const [left, right]: Promise<IteratorResult<object>>[][] = [[], []];
    const iterator = this.iterator();
    const side = (queue: Promise<IteratorResult<object>>[]) => () => ({
      next(): Promise<IteratorResult<object>> {
        if (queue.length === 0) {
          const result = iterator.next();
          left!.push(result);
          right!.push(result);
        }
        return queue.shift()!;
      },
    });
    return [new LibraryStream(side(left!)), new LibraryStream(side(right!))];
  }
  toReadableStream(): ReadableStream {
    const iterator = this[Symbol.asyncIterator]();
    return new ReadableStream({
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done === true) controller.close();
        else controller.enqueue(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
      },
    });
  }
}

/** One whose iterator goes through another: newer versions of the library do. */
class NormalizingStream extends LibraryStream {
  override async *[Symbol.asyncIterator](): AsyncGenerator<object> {
    const inner = super[Symbol.asyncIterator]();
    for (let step = await inner.next(); step.done !== true; step = await inner.next()) yield { ...step.value };
  }
}

const MESSAGE = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  content: [{ type: "text", text: "It rains." }],
  stop_reason: "end_turn",
  usage: { input_tokens: 3, output_tokens: 4 },
};

/** A helper of Anthropic's library: it reads by itself and gives the whole message in the end. */
class Helper extends EventEmitter {
  readonly #failure: Error | undefined;
  constructor(failure?: Error) {
    super();
    this.#failure = failure;
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<object> {
    yield { type: "message_start" };
  }
  async finalMessage(): Promise<object> {
    await null;
    if (this.#failure !== undefined) throw this.#failure;
    return MESSAGE;
  }
}

async function drain(source: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _each of source) count++;
  return count;
}

const text = (stream: ReadableStream) => new Response(stream.pipeThrough(new TextEncoderStream() as never)).text();

/** Ways to read a stream to its end, each of which must leave the whole answer. */
const WAYS: readonly (readonly [string, () => Promise<unknown>])[] = [
  [
    "a generator's own steps",
    async () => {
      const stream = await generate(CALL, generator);
      while ((await stream.next()).done !== true);
    },
  ],
  ["a generator in a loop", async () => drain(await generate(CALL, generator))],
  [
    "a reader of a web stream",
    async () => {
      const reader = (await generate(CALL, webStream)).getReader();
      while (!(await reader.read()).done);
    },
  ],
  ["a web stream in a loop", async () => drain(await generate(CALL, webStream))],
  [
    "a web stream's tee",
    async () => {
      const [left, right] = (await generate(CALL, webStream)).tee();
      expect(await Promise.all([drain(left), drain(right)])).toEqual([2, 2]);
    },
  ],
  [
    "a web stream's pipeThrough",
    async () => {
      const out = (await generate(CALL, webStream)).pipeThrough(
        new TransformStream({ transform: (each, to) => to.enqueue(JSON.stringify(each)) }),
      );
      expect(await text(out)).toContain("rains");
    },
  ],
  ["a web stream's pipeTo", async () => (await generate(CALL, webStream)).pipeTo(new WritableStream())],
  [
    "a web stream whose iterator is its library's",
    async () => {
      const own = Object.assign(webStream(), {
        [Symbol.asyncIterator](this: ReadableStream) {
          const reader = this.getReader();
          return { next: () => reader.read() };
        },
      });
      expect(await drain(await generate(CALL, () => own as AsyncIterable<object>))).toBe(2);
    },
  ],
  [
    "data of a stream of Node",
    async () => {
      const stream = await generate(CALL, () => Readable.from(CHUNKS));
      await new Promise((resolve) => stream.on("data", () => {}).on("end", resolve));
    },
  ],
  [
    "a pipeline of Node",
    async () => pipeline(await generate(CALL, () => Readable.from(CHUNKS)), new PassThrough({ objectMode: true }).resume()),
  ],
  ["a stream of Node in a loop", async () => drain(await generate(CALL, () => Readable.from(CHUNKS)))],
  [
    "a library's toReadableStream",
    async () => {
      const stream = await generate(CALL, () => new LibraryStream(generator));
      expect(await new Response(stream.toReadableStream()).text()).toContain("rains");
    },
  ],
  [
    "a library's tee",
    async () => {
      const [left, right] = (await generate(CALL, () => new LibraryStream(generator))).tee();
      expect([await drain(left), await drain(right)]).toEqual([2, 2]);
    },
  ],
  ["a library's stream in a loop, by two iterators", async () => drain(await generate(CALL, () => new NormalizingStream(generator)))],
  ["a library's stream in a loop", async () => drain(await generate(CALL, () => new LibraryStream(generator)))],
];

describe("a streamed answer, by each way to read it", () => {
  it.each(WAYS)("ends once, whole: %s", async (_, way) => {
    const { generations, problems } = await recorded(way);
    expect(generations.map(({ status }) => status.code)).toEqual([0]);
    expect(said(generations[0])).toEqual(SAID);
    expect(problems).toEqual([]);
  });

  it("is the very object that the call gave, with what is private in it", async () => {
    await recorded(async () => {
      for (const given of [new LibraryStream(generator), webStream(), Readable.from([]), generator(), new Helper()]) {
        expect(await generate(CALL, () => given as AsyncIterable<unknown>)).toBe(given);
      }
      expect((await generate(CALL, () => new LibraryStream(generator))).secret()).toBe("kept");
    });
  });

  it("goes through a web Response", async () => {
    const bytes = () => new Blob(["It rains."]).stream();
    const { generations } = await recorded(async () => expect(await new Response(await generate(CALL, bytes)).text()).toBe("It rains."));
    expect(generations.map(({ status }) => status.code)).toEqual([0]);
  });

  it("tells its text, tokens and finish reason where it is the body of a fetch", async () => {
    const last = { choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage: { prompt_tokens: 5, completion_tokens: 3 } };
    const body = [...CHUNKS, last].map((each) => `data: ${JSON.stringify(each)}\n\n`).join("");
    const response = () => new Response(`${body}data: [DONE]\n\n`, { headers: { "content-type": "text/event-stream" } }).body!;
    const { generations } = await recorded(async () => {
      const decoder = new TextDecoder();
      let read = "";
      for await (const bytes of await generate(CALL, response)) read += decoder.decode(bytes as Uint8Array, { stream: true });
      expect(read).toBe(`${body}data: [DONE]\n\n`);
    });
    expect(said(generations[0])).toEqual([{ ...SAID[0], finish_reason: "stop" }]);
    expect(generations[0]!.attributes).toMatchObject({ "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 3 });
  });

  it("gives the whole answer where its library has a method for that", async () => {
    const { generations } = await recorded(async () =>
      expect(await (await generate(CALL, () => new Helper())).finalMessage()).toBe(MESSAGE),
    );
    expect(said(generations[0])).toEqual([{ role: "assistant", parts: SAID[0]!.parts, finish_reason: "end_turn" }]);
    expect(generations[0]!.attributes).toMatchObject({ "gen_ai.usage.input_tokens": 3, "gen_ai.usage.output_tokens": 4 });
  });

  it("is told from a helper's own events, which nobody has to read", async () => {
    const { generations } = await recorded(async () => {
      const helper = await generate(CALL, () => new Helper());
      for (const each of CHUNKS) helper.emit("chunk", each);
      helper.emit("end");
    });
    expect(said(generations[0])).toEqual(SAID);
  });

  it("that fails in the end is a failure, and the application gets the error", async () => {
    const error = new Error("overloaded");
    const { generations } = await recorded(async () => {
      await expect((await generate(CALL, () => new Helper(error))).finalMessage()).rejects.toBe(error);
    });
    expect(generations.map(({ status }) => status)).toEqual([{ code: 2, message: "overloaded" }]);
  });

  it.each([
    ["a web stream", async () => (await generate(CALL, webStream)).cancel()],
    ["a web stream's reader", async () => (await generate(CALL, webStream)).getReader().cancel()],
    [
      "a stream of Node",
      async () => {
        const stream = await generate(CALL, () => Readable.from(CHUNKS));
        await new Promise((resolve) => stream.on("close", resolve).destroy());
      },
    ],
    ["a generator", async () => (await generate(CALL, generator)).return()],
  ])("that is left is cancelled: %s", async (_, leave) => {
    const { generations } = await recorded(leave);
    expect(generations.map(({ attributes }) => attributes["error.type"])).toEqual(["cancelled"]);
  });

  it.each([
    [
      "a web stream",
      async (error: Error) => {
        const stream = new ReadableStream({ pull: () => Promise.reject(error) });
        await drain((await generate(CALL, () => stream)).pipeThrough(new TransformStream()));
      },
    ],
    [
      "a stream of Node",
      async (error: Error) => {
        const stream = new Readable({ read: () => void stream.destroy(error) });
        await drain(await generate(CALL, () => stream));
      },
    ],
    [
      "a generator",
      async (error: Error) => {
        const stream = await generate(CALL, async function* () {
          yield chunk("It ");
          throw error;
        });
        await stream.next();
        await stream.next();
      },
    ],
  ])("that breaks off is a failure, and the application gets the error: %s", async (_, read) => {
    const error = Object.assign(new Error("hang up"), { code: "ECONNRESET" });
    const { generations } = await recorded(() => expect(read(error)).rejects.toBe(error));
    expect(generations.map(({ attributes }) => attributes["error.type"])).toEqual(["ECONNRESET"]);
  });

  it("a web stream's reader that is given back lets another go on", async () => {
    const { generations } = await recorded(async () => {
      const stream = await generate(CALL, webStream);
      const first = stream.getReader();
      await first.read();
      first.releaseLock();
      const second = stream.getReader();
      while (!(await second.read()).done);
    });
    expect(said(generations[0])).toEqual(SAID);
  });

  it("that is frozen works as it stands; its record ends at once, and a problem says why", async () => {
    const frozen = Object.freeze({ controller: Object.freeze({}), whole: () => "all", [Symbol.asyncIterator]: generator });
    const { generations, problems } = await recorded(async () => {
      const stream = await generate(CALL, () => frozen);
      expect([stream.whole(), stream.controller, await drain(stream)]).toEqual(["all", frozen.controller, 2]);
    });
    expect(generations.map(({ status }) => status.code)).toEqual([0]);
    expect(problems.map(({ kind }) => kind)).toEqual(["configuration"]);
  });

  it("that is handed to the generation without a reader is known by its structure", async () => {
    const { generations } = await recorded(async () => drain(startGeneration(CALL).stream(generator())));
    expect(said(generations[0])).toEqual(SAID);
  });
});
