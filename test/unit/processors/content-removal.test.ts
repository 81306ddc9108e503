import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Signal } from "../../../collector/base/signal.ts";
import { hasContentBody, isContentName } from "../../../collector/dialects/content-names.ts";
import { DIALECTS } from "../../../collector/dialects/index.ts";
import { CONCEPTS, type Concept } from "../../../collector/model/concept.ts";
import { transcodeJson } from "../../../collector/otlp/decode-json.ts";
import { createContentRemover } from "../../../collector/processors/content-removal.ts";
import { createRedactor } from "../../../collector/processors/redaction.ts";
import { encodeBody, rowsFromTraces, rowsOf } from "../../support/encoding.ts";
import { type Recording, recordingsOf } from "../../support/recordings.ts";
import { any, keyValue, lengthField, span, tracesRequest, varint } from "../../support/wire-builder.ts";

const NAMES = { isContentName, hasContentBody };
const remove = createContentRemover(NAMES, []);
const SAID = "what a person said to the model";

const CONTENT: readonly Concept[] = [
  "inputMessages",
  "outputMessages",
  "systemInstructions",
  "toolDefinitions",
  "legacyPrompt",
  "legacyCompletion",
  "promptModules",
];

describe("names of content", () => {
  it("are those of the content concepts of every dialect, and of no other concept", () => {
    const namesOf = (concepts: readonly Concept[]): string[] =>
      concepts.flatMap((concept) => DIALECTS.flatMap((dialect) => dialect.sources[concept] ?? []));
    expect(namesOf(CONTENT).filter((name) => !isContentName(name))).toEqual([]);
    // Counts of tokens may have such a name: numbers are left alone.
    const others = namesOf(CONCEPTS.filter((concept) => !CONTENT.includes(concept))).filter(
      (name) => !/tokens?(?:_|\b)|token_count/.test(name),
    );
    expect(others.filter((name) => isContentName(name))).toEqual([]);
  });

  it.each(["model_request_parameters", "mlflow.chat.tools", "tool.parameters", "gen_ai.evaluation.explanation"])(
    "%s may hold definitions, instructions or what was said, and is one",
    (name) => expect(isContentName(name)).toBe(true),
  );

  it.each([
    "exception.message",
    "http.route",
    "db.query.text",
    "gen_ai.usage.input_tokens",
    "gen_ai.output.type",
    "message",
    "service.name",
  ])("%s is none", (name) => expect(isContentName(name)).toBe(false));
});

describe("capture_content: false", () => {
  const chat = { "gen_ai.operation.name": any.string("chat"), "gen_ai.request.model": any.string("m") };
  const requestOf = (attributes: Readonly<Record<string, Buffer>>, more: readonly Buffer[] = []): Buffer =>
    tracesRequest([span({ attributes: Object.entries(attributes).map(([key, value]) => keyValue(key, value)), more })]);

  it.each([
    ["a text", any.string(SAID)],
    ["a text of 100 KB", any.string(`${SAID} ${"x".repeat(100_000)}`)],
    ["a text at the limit of a short length", any.string(SAID.padEnd(126, "."))],
    ["a text above it", any.string(SAID.padEnd(127, "."))],
    ["a structure", any.array(any.map({ role: any.string("user"), content: any.string(SAID) }))],
    ["bytes", lengthField(7, SAID)],
  ])("%s is emptied in place, and the rest of the span stays", (_, value) => {
    const body = requestOf({ ...chat, "gen_ai.input.messages": value, "gen_ai.usage.input_tokens": any.int(13), zone: any.string("eu") });
    const { length } = body;
    expect(remove(body, "traces")).toBe(1);
    expect([body.length, body.includes(SAID)]).toEqual([length, false]);
    const { spans, generations } = rowsFromTraces(body);
    expect(spans).toMatchObject([{ attributes: { zone: "eu", "gen_ai.input.messages": null } }]);
    expect(generations).toMatchObject([{ tokens_prompt: 13, model_name: "m", prompt_full_text: null, content_state: "redacted" }]);
  });

  it("a number under such a name stays: a count is no content", () => {
    const body = requestOf({ ...chat, "llm.token_count.completion": any.int(7) });
    expect(remove(body, "traces")).toBe(0);
    expect(rowsFromTraces(body).spans).toMatchObject([{ attributes: { "llm.token_count.completion": 7 } }]);
  });

  it("events lose their messages, too", () => {
    const event = lengthField(11, lengthField(2, "gen_ai.choice"), lengthField(3, keyValue("message", any.string(SAID))));
    const other = lengthField(11, lengthField(2, "exception"), lengthField(3, keyValue("exception.message", any.string("out of memory"))));
    const body = requestOf(chat, [event, other]);
    expect(remove(body, "traces")).toBe(1);
    expect(body.includes(SAID)).toBe(false);
    expect(JSON.stringify(rowsFromTraces(body).spans[0]?.["events"])).toContain("out of memory");
  });

  it.each([
    ["by its field", { eventName: "gen_ai.user.message" }, []],
    ["by its attribute", {}, [{ key: "event.name", value: { stringValue: "gen_ai.user.message" } }]],
  ])("the body of a log record that is an event of the conventions is emptied, %s", (_, field, attributes) => {
    const record = (change: object) => ({ timeUnixNano: "1763676000000000000", ...change });
    const json = {
      resourceLogs: [
        {
          scopeLogs: [
            {
              logRecords: [
                record({ ...field, attributes, body: { kvlistValue: { values: [{ key: "content", value: { stringValue: SAID } }] } } }),
                record({ body: { stringValue: "an ordinary line" } }),
              ],
            },
          ],
        },
      ],
    };
    const body = transcodeJson(Buffer.from(JSON.stringify(json)), "logs");
    expect(remove(body, "logs")).toBe(1);
    expect(body.includes(SAID)).toBe(false);
    expect(rowsOf(encodeBody(body, "logs"), "log_records")).toMatchObject([{ body: null }, { body: "an ordinary line" }]);
  });

  it("attributes under allow stay, and secrets in them are not looked for", () => {
    const secret = `AKIA${"IOSFODNN7EXAMPLE"}`;
    const allow = ["gen_ai.tool.definitions"];
    const body = requestOf({ "gen_ai.tool.definitions": any.array(any.string(`${SAID} ${secret}`)), other: any.string(secret) });
    expect(createContentRemover(NAMES, allow)(body, "traces")).toBe(0);
    expect([...createRedactor({ secrets: true, pii: [], patterns: [{ name: "said", regex: "person" }], allow })(body, "traces")]).toEqual([
      ["aws", 1],
    ]);
    expect(rowsFromTraces(body).spans).toMatchObject([{ attributes: { "gen_ai.tool.definitions": [`${SAID} ${secret}`] } }]);
  });

  it("what breaks off is wiped, since it is kept as it came", () => {
    const cut = Buffer.concat([varint((9 << 3) | 2), varint(100_000), keyValue("gen_ai.input.messages", any.string(SAID))]);
    const body = tracesRequest([span({ more: [cut] }), span({ attributes: [keyValue("gen_ai.input.messages", any.string(SAID))] })]);
    remove(body, "traces");
    expect(body.includes(SAID)).toBe(false);
    expect(rowsFromTraces(body).request.refusedItems).toHaveLength(1);
  });
});

describe("recorded bodies of clients without their content", () => {
  const clients = readdirSync(new URL("../../fixtures/clients/", import.meta.url), { withFileTypes: true });
  const signalOf = ({ path }: Recording): Signal | undefined =>
    path.endsWith("traces") ? "traces" : path.endsWith("logs") ? "logs" : undefined;
  const protobufOf = ({ body, contentType }: Recording, signal: Signal): Buffer =>
    contentType.includes("json") ? transcodeJson(body, signal) : Buffer.from(body);

  it.each(clients.filter((entry) => entry.isDirectory()).map(({ name }) => name))("%s", (client) => {
    for (const recording of recordingsOf(client)) {
      const signal = signalOf(recording);
      if (signal === undefined) continue;
      const body = protobufOf(recording, signal);
      const before = rowsOf(encodeBody(Buffer.from(body), signal), "generation_logs");
      remove(body, signal);
      const after = rowsOf(encodeBody(body, signal), "generation_logs");
      for (const call of after) {
        expect([call["prompt_full_text"], call["response_full_text"], call["system_instructions"]], recording.name).toEqual([
          null,
          null,
          null,
        ]);
      }
      const counts = (rows: typeof before) => rows.map((row) => [row["model_name"], row["tokens_prompt"], row["tokens_completion"]]);
      expect(counts(after), recording.name).toEqual(counts(before));
    }
  });
});
