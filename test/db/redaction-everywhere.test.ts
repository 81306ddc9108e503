import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { tracesBeforeReading } from "../../collector/app/pipelines.ts";
import type { Signal } from "../../collector/base/signal.ts";
import { loadConfig } from "../../collector/config/index.ts";
import { steppedRedactor } from "../../collector/processors/redaction.ts";
import { PAUSE } from "../../collector/processors/steps.ts";
import { createTestDatabase, describeEachServer, type TestDatabase } from "../support/database.ts";
import { asInJson, humanTextsIn } from "../support/human-texts.ts";
import { logsOf, type SpanSpec, tracesOf } from "../support/otlp-json.ts";
import { createPipelineRig, type PipelineRig } from "../support/pipeline-rig.ts";
import { allRecordings, protobufOf, signalOf } from "../support/recordings.ts";
import { keyValue, lengthField, tracesRequest } from "../support/wire-builder.ts";

/** The redaction of a configuration, as a pipeline has it. */
function redaction(options: string) {
  const text = `receivers: {otlp: {protocols: {http: }}}
processors: {redaction: ${options}}
exporters: {postgres: }
service: {pipelines: {traces: {receivers: [otlp], processors: [redaction], exporters: [postgres]}}}`;
  return tracesBeforeReading(loadConfig({ files: [{ name: "t", text }], env: {} }).config).redact;
}

const MAIL = "anna.schmidt@example.com";
const CARD = "4111 1111 1111 1111";
// Words that stand nowhere but in what people and models said.
const CONTENT = "xylophonequartz";
const messages = (role: string, text: string): string => JSON.stringify([{ role, parts: [{ type: "text", content: text }] }]);

/** A call, an announcement, an update, an image, an evaluation, log events and a refused span, each with `text` wherever one can be. */
const everything = (text: string): readonly (readonly [Signal, Buffer | object])[] => {
  const call: SpanSpec["attributes"] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "m",
    "gen_ai.usage.input_tokens": 13,
    "gen_ai.usage.output_tokens": 4,
    "gen_ai.input.messages": messages("user", text),
    "gen_ai.output.messages": messages("assistant", text),
    "gen_ai.system_instructions": JSON.stringify([{ type: "text", content: text }]),
    "gen_ai.tool.definitions": JSON.stringify([{ type: "function", name: "f", description: text }]),
    "gen_ai.prompt.variable.topic": text,
    "input.value": text,
  };
  return [
    ["traces", tracesOf({ id: "pend", parent: "call", tookMs: 0, attributes: { ...call, "genspan.record": "pending" } })],
    [
      "traces",
      tracesOf(
        { id: "call", attributes: call, events: [{ name: "gen_ai.user.message", attributes: { content: text } }] },
        {
          id: "tool",
          parent: "call",
          attributes: { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": text, "gen_ai.tool.call.result": text },
        },
        {
          id: "image",
          attributes: {
            "genspan.record": "image",
            "genspan.image.request": JSON.stringify({ prompt: text }),
            "genspan.image.response": JSON.stringify({ text }),
          },
        },
      ),
    ],
    ["logs", logsOf({ span: "call", name: "gen_ai.user.message", body: { content: text } })],
    [
      "logs",
      logsOf({
        span: "call",
        name: "gen_ai.client.inference.operation.details",
        attributes: { "gen_ai.input.messages": messages("user", text) },
      }),
    ],
    // Without ids it is refused, and kept in ingest_rejected.
    ["traces", tracesRequest([lengthField(9, keyValue("gen_ai.input.messages", lengthField(1, text)))])],
  ];
};

describeEachServer("what must not be stored", (server) => {
  let database: TestDatabase;
  const rigs: PipelineRig[] = [];
  beforeAll(async () => {
    database = await createTestDatabase(server);
  });
  afterEach(async () => {
    for (const rig of rigs.splice(0)) await rig.stop();
  });
  afterAll(() => database[Symbol.asyncDispose]());

  async function store(redact: ReturnType<typeof redaction>, bodies: ReturnType<typeof everything>): Promise<PipelineRig> {
    const rig = createPipelineRig(database.url, { redact });
    rigs.push(rig);
    const kinds: string[] = [];
    for (const [signal, body] of bodies) kinds.push((await rig.send(body, signal)).kind);
    expect(kinds.filter((kind) => kind !== "accepted" && kind !== "partial")).toEqual([]);
    await rig.refiner.settled();
    return rig;
  }

  /** Tables in which a text stands, as it is or in hexadecimal, and how many rows were looked at. */
  async function tablesWith({ sql }: PipelineRig, text: string): Promise<{ tables: string[]; rows: number }> {
    const all = await sql`SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'public' AND c.relkind = 'r'`;
    const tables: string[] = [];
    let rows = 0;
    for (const { name } of all) {
      const [found] = await sql`
        SELECT count(*)::int AS rows, count(*) FILTER (WHERE strpos(t::text, ${text}) > 0
          OR strpos(t::text, ${Buffer.from(text).toString("hex")}) > 0)::int AS leaks FROM ${sql(String(name))} t`;
      if (Number(found?.["leaks"]) > 0) tables.push(String(name));
      rows += Number(found?.["rows"]);
    }
    return { tables, rows };
  }

  it("would stand in many tables", async () => {
    const rig = await store(redaction("{secrets: true}"), everything(CONTENT));
    const { tables } = await tablesWith(rig, CONTENT);
    for (const table of ["spans", "generation_logs", "log_records", "image_traces", "ingest_rejected"]) {
      expect(
        tables.some((name) => name.startsWith(table)),
        table,
      ).toBe(true);
    }
    await rig.empty("spans", "generation_logs", "generation_twins", "log_records", "image_traces", "ingest_rejected");
  });

  it("RED-01 data about people stand in no table, and numbers are untouched", async () => {
    const rig = await store(redaction("{pii: [email, credit_card]}"), everything(`mail ${MAIL}, card ${CARD}, thanks`));
    for (const text of [MAIL, CARD]) {
      const { tables, rows } = await tablesWith(rig, text);
      expect(tables).toEqual([]);
      expect(rows).toBeGreaterThan(8);
    }
    const [call] = await rig.sql`SELECT tokens_prompt, tokens_completion, prompt_full_text FROM generation_logs`;
    expect(call).toMatchObject({ tokens_prompt: "13", tokens_completion: "4" });
    expect(call?.["prompt_full_text"]).toContain("mail [email]");
    expect(call?.["prompt_full_text"]).toContain("thanks");
    await rig.empty("spans", "generation_logs", "generation_twins", "log_records", "image_traces", "ingest_rejected");
  });

  it("RED-01 without content no word of it stands in any table, and the call has its numbers", async () => {
    const rig = await store(redaction("{capture_content: false}"), everything(CONTENT));
    const { tables, rows } = await tablesWith(rig, CONTENT);
    expect(tables).toEqual([]);
    expect(rows).toBeGreaterThan(8);
    const calls =
      await rig.sql`SELECT model_name, tokens_prompt, tokens_completion, generation_status, content_state, prompt_full_text, response_full_text FROM generation_logs`;
    expect(calls).toEqual([
      {
        model_name: "m",
        tokens_prompt: "13",
        tokens_completion: "4",
        generation_status: "success",
        content_state: "redacted",
        prompt_full_text: null,
        response_full_text: null,
      },
    ]);
    await rig.empty("spans", "generation_logs", "generation_twins", "log_records", "image_traces", "ingest_rejected");
  });

  /** Collectors hear of what others stored when they look for it. */
  async function sweep(): Promise<void> {
    for (const { refiner } of rigs) {
      await refiner.sweep();
      await refiner.settled();
    }
  }

  const SPOKEN = { span: "call", at: 5 };
  const user = logsOf({ ...SPOKEN, name: "gen_ai.user.message", body: { content: CONTENT } });
  const inAttributes = logsOf({
    ...SPOKEN,
    name: "gen_ai.client.inference.operation.details",
    attributes: { "gen_ai.output.messages": messages("assistant", CONTENT) },
  });
  const twin = tracesOf({
    ...{ id: "twin", parent: "call", at: 10, tookMs: 80, scope: "openinference" },
    attributes: { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.output.messages": messages("assistant", CONTENT) },
  });

  it.each<[string, readonly (readonly [Signal, object])[]]>([
    ["in the body of a log event", [["logs", user]]],
    ["in attributes of a log event", [["logs", inAttributes]]],
    [
      "in several log events",
      [
        ["logs", user],
        ["logs", inAttributes],
      ],
    ],
    ["in another telling of the call", [["traces", twin]]],
  ])("a call whose content came %s says that it was taken out, whatever came first", async (_, parts) => {
    const call = tracesOf({ id: "call", attributes: { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m" } });
    const redact = redaction("{capture_content: false}");
    const orders = [
      [["traces", call] as const, ...parts],
      [...parts, ["traces", call] as const],
    ];
    for (const bodies of orders) {
      // Each through a collector of its own, since what comes last is what makes the row right.
      for (const each of bodies) await store(redact, [each]);
      await sweep();
      const { sql, empty } = rigs.at(-1)!;
      expect(await sql`SELECT content_state, prompt_full_text, response_full_text FROM generation_logs`).toEqual([
        { content_state: "redacted", prompt_full_text: null, response_full_text: null },
      ]);
      await empty("spans", "generation_logs", "generation_twins", "log_records");
    }
  });

  it("a call of which log events tell no content says absent, and captured once another collector stores some", async () => {
    const call = tracesOf({ id: "call", attributes: { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m" } });
    const state = async ({ sql }: PipelineRig) => {
      await sweep();
      return (await sql`SELECT content_state FROM generation_logs`).map((row) => row["content_state"]);
    };
    const silent = logsOf({ ...SPOKEN, name: "gen_ai.client.inference.operation.details", attributes: { "gen_ai.request.model": "m" } });
    const bare = logsOf({ ...SPOKEN, name: "gen_ai.user.message", body: {} });
    const rig = await store(redaction("{capture_content: false}"), [
      ["traces", call],
      ["logs", silent],
      ["logs", bare],
    ]);
    expect(await state(rig)).toEqual(["absent"]);
    await store(redaction("{capture_content: false}"), [["logs", user]]);
    expect(await state(rig)).toEqual(["redacted"]);
    await store(redaction("{secrets: true}"), [["logs", inAttributes]]);
    expect(await state(rig)).toEqual(["captured"]);
    await rig.empty("spans", "generation_logs", "generation_twins", "log_records");
  });

  it("RED-01 without content no table holds a word of any recorded body", async () => {
    const rig = createPipelineRig(database.url, { redact: redaction("{capture_content: false}") });
    rigs.push(rig);
    const texts = new Set<string>();
    for (const recording of allRecordings()) {
      const signal = signalOf(recording);
      if (signal === undefined) continue;
      const body = protobufOf(recording, signal);
      for (const text of humanTextsIn(body, signal)) texts.add(text);
      expect(["accepted", "partial"]).toContain((await rig.send(body, signal)).kind);
    }
    await rig.refiner.settled();
    expect(texts.size).toBeGreaterThan(15);
    const tables = await rig.sql`SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'public' AND c.relkind = 'r'`;
    let rows = 0;
    for (const { name } of tables) {
      const written = await rig.sql`SELECT t::text AS row FROM ${rig.sql(String(name))} t`;
      // Rows are told with their quotes doubled.
      const text = written.map(({ row }) => String(row).replaceAll('""', '"').replaceAll("\\\\", "\\")).join("\n");
      const left = [...texts].filter((each) => text.includes(each) || text.includes(asInJson(each)));
      expect([name, left]).toEqual([name, []]);
      rows += written.length;
    }
    expect(rows).toBeGreaterThan(500);
    const [calls] =
      await rig.sql`SELECT count(*)::int AS all, count(*) FILTER (WHERE tokens_prompt > 0)::int AS counted FROM generation_logs`;
    expect(calls?.["all"]).toBeGreaterThan(100);
    expect(calls?.["counted"]).toBeGreaterThan(80);
    await rig.empty("spans", "generation_logs", "generation_twins", "log_records", "image_traces", "ingest_rejected");
  });

  it("RED-03 data that cannot be looked through are refused and not stored", async () => {
    const rig = createPipelineRig(database.url, {
      redact: steppedRedactor(function* () {
        yield PAUSE;
        throw new Error("it cannot be done");
      }),
    });
    rigs.push(rig);
    const [signal, body] = everything(CONTENT)[1]!;
    expect(await rig.send(body, signal)).toMatchObject({ kind: "retryable" });
    expect((await tablesWith(rig, CONTENT)).tables).toEqual([]);
    expect(await rig.sql`SELECT 1 FROM spans`).toEqual([]);
  });
});
