import { describe, expect, it } from "vitest";
import { ImageTracer, startGeneration, startItem, type TracingOptions } from "../../../../sdk/index.ts";
import { recorded } from "../../../support/sdk/recorded.ts";

const SECRET = "the prompt was: tell me of Bob";

/** Every way in which an error reaches a record. */
async function failEverything(): Promise<void> {
  const error = Object.assign(new RangeError(SECRET), { code: "context_length_exceeded", status: 400 });
  const generation = startGeneration({ model: "m" });
  await generation.attempt({}, () => Promise.reject(error)).catch(() => {});
  generation.addAttempt({ success: false, error: SECRET });
  generation.fail(error);
  startGeneration({ model: "m" }).timeout(SECRET);
  startGeneration({ model: "m" }).cancel(SECRET);
  startItem().fail(error);
  const images = new ImageTracer("lesson-1");
  await images.startTrace({ prompts: [] });
  images.addImageGenerationAttempt({
    model: "i",
    prompt: "a cat",
    success: false,
    error: SECRET,
    response: { success: false, error: SECRET },
  });
  await images.attempt({ model: "i", prompt: "a cat" }, () => Promise.reject(error)).catch(() => {});
  await images.failTrace(error);
}

const sent = async (options: TracingOptions) => (await recorded(failEverything, options)).spans;

describe("errors", () => {
  it.each([
    ["metadata", "metadata"],
    ["no prompts and no answers", { prompts: false, outputs: false }],
    ["no errors and no answers", { errors: false, outputs: false }],
    ["no errors", { errors: false }],
    ["no prompts", { prompts: false }],
  ] as const)("keep their type and status code and lose their texts with the policy %s", async (_, content) => {
    const spans = await sent({ content });
    expect(JSON.stringify(spans)).not.toContain("Bob");
    expect(spans.flatMap(({ events }) => events)).toEqual([]);
    expect(spans.filter(({ status }) => status.code === 2)).toHaveLength(9);
    const types = spans.flatMap(({ attributes }) => attributes["error.type"] ?? []);
    expect(types.toSorted()).toEqual([
      "_OTHER",
      "_OTHER",
      "cancelled",
      "context_length_exceeded",
      "context_length_exceeded",
      "context_length_exceeded",
      "timeout",
    ]);
    expect(spans.filter(({ attributes }) => attributes["genspan.attempt.http_status"] === 400)).toHaveLength(2);
  });

  it("are told in full where prompts are recorded", async () => {
    const spans = await sent({ content: { outputs: false } });
    const messages = spans.flatMap(({ status }) => status.message ?? []);
    expect(messages.filter((message) => message === SECRET)).toHaveLength(9);
    expect(spans.flatMap(({ events }) => events.map(({ name }) => name))).toContain("exception");
  });

  it("stay whole in the copy of an item that the application keeps itself", async () => {
    await recorded(
      () => {
        const item = startItem();
        item.startGeneration({ model: "m" }).fail(new Error(SECRET));
        expect(item.toJSON().sentences[0]?.error_message).toBe(SECRET);
      },
      { content: "metadata" },
    );
  });
});
