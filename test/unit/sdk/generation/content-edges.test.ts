import { describe, expect, it } from "vitest";
import { startGeneration, startItem, type TracingOptions } from "../../../../sdk/index.ts";
import { messagesOf, recorded } from "../../../support/sdk/recorded.ts";

const URL = "https://pictures.example/1.png?signature=s3cret";
const MESSAGES = [
  { role: "user", name: "Bob", content: [{ type: "text", text: "What is it?" }] },
  { role: "user", content: [{ type: "image_url", image_url: { url: URL } }] },
];

const sent = async (options: TracingOptions): Promise<string> => {
  const { spans } = await recorded(() => {
    startItem({ title: "Of Bob" }).complete();
    startGeneration({ model: "m", messages: MESSAGES }).succeed();
  }, options);
  return JSON.stringify(spans);
};

describe("what stands beside the text of messages", () => {
  it("addresses of pictures are not sent where pictures are not recorded", async () => {
    expect(await sent({ content: { images: "none" } })).not.toContain("s3cret");
    expect(await sent({})).toContain("s3cret");
  });

  it("addresses, names and titles are shown to redact", async () => {
    const all = await sent({ redact: (text) => text.replaceAll("s3cret", "#").replaceAll("Bob", "#") });
    expect(all).not.toMatch(/s3cret|Bob/);
    expect(all).toContain("signature=#");
  });

  it("names are left out with the messages", async () => {
    expect(await sent({ content: { prompts: false } })).not.toMatch(/s3cret|"Bob"/);
  });
});

describe("what a generation starts with", () => {
  it("messages that are one text are a message of the user; system and tools stay", async () => {
    const start = { model: "m", messages: "Why?" as unknown as object[], system: "Be short.", tools: [{ name: "f" }] };
    const { generations } = await recorded(() => startGeneration(start).succeed());
    expect(messagesOf(generations[0], "input")).toEqual([{ role: "user", parts: [{ type: "text", content: "Why?" }] }]);
    expect(generations[0]!.attributes).toMatchObject({
      "gen_ai.system_instructions": expect.stringContaining("Be short."),
      "gen_ai.tool.definitions": '[{"name":"f"}]',
    });
  });

  it.each([[undefined], [null]])("a model that is %s leaves a record named by the operation, and a word about it", async (model) => {
    const { generations, problems } = await recorded(() => startGeneration({ model: model as unknown as string }).succeed({ text: "a" }));
    expect(generations.map(({ name }) => name)).toEqual(["chat"]);
    expect(problems.map(({ kind }) => kind)).toEqual(["configuration"]);
  });

  it("a version that is null is none", async () => {
    const prompt = { name: "p", version: null as unknown as string };
    const { generations } = await recorded(() => startGeneration({ model: "m", prompt }).succeed());
    expect(generations[0]!.attributes["gen_ai.prompt.name"]).toBe("p");
    expect(generations[0]!.attributes).not.toHaveProperty("gen_ai.prompt.version");
  });
});

describe("an item's toJSON", () => {
  it("never fails for what its metadata holds", () => {
    const metadata: Record<string, unknown> = { big: 7n };
    metadata["self"] = metadata;
    const stored = JSON.parse(JSON.stringify(startItem({ metadata, promptVersion: 3n as unknown as string }))) as object;
    expect(stored).toMatchObject({ metadata: { big: "7", self: "[circular]" } });
  });
});
