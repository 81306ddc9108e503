import { afterAll, beforeAll, expect, it } from "vitest";
import { type Program, removeFolder, runCli, startProgram } from "../support/program.ts";

const TRACE = "5b8efff798038103d269b633813fc60c";
const SPAN = "eee19b7ec3c1b174";
const ID = `${TRACE}-${SPAN}`;
const PROMPT = "Erkläre „Satz“.\r\n</script> 🧪";

/** The program as people run it: what it serves and what its commands say must be the same thing. */
let program: Program;

const value = (key: string, text: string | number) => ({
  key,
  value: typeof text === "string" ? { stringValue: text } : { intValue: String(text) },
});
const nanos = (millis: number): string => String(BigInt(millis) * 1_000_000n);

beforeAll(async () => {
  program = await startProgram();
  const now = Date.now();
  const attributes = [
    value("gen_ai.operation.name", "chat"),
    value("gen_ai.provider.name", "openai"),
    value("gen_ai.request.model", "gpt-5"),
    value("gen_ai.usage.input_tokens", 12),
    value("gen_ai.usage.output_tokens", 30),
    value("gen_ai.input.messages", JSON.stringify([{ role: "user", parts: [{ type: "text", content: PROMPT }] }])),
    value("genspan.quality.status", "pending_review"),
  ];
  const span = {
    traceId: TRACE,
    spanId: SPAN,
    name: "chat gpt-5",
    kind: 3,
    startTimeUnixNano: nanos(now - 2_000),
    endTimeUnixNano: nanos(now - 1_000),
    attributes,
  };
  const body = { resourceSpans: [{ resource: { attributes: [value("service.name", "quiz")] }, scopeSpans: [{ spans: [span] }] }] };
  const sent = await fetch(`${program.otlpUrl}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(sent.status).toBe(200);
});
afterAll(async () => {
  expect(await program.end()).toBe(0);
  removeFolder(program);
});

const onCollector = (...args: readonly string[]) => runCli([...args, "--url", program.webUrl]);
const onDatabase = (...args: readonly string[]) => runCli(args, { GENSPAN_DATA_DIR: `${program.folder}/data` });

it("a call that was just acknowledged is in the list, in the usage and in its trace, by HTTP and on the database alike", async () => {
  for (const args of [
    ["generation", "list", "-o", "json"],
    ["generation", "inspect", ID, "-o", "json"],
    ["usage", "--by", "model,provider", "-o", "json"],
    ["trace", "show", TRACE, "-o", "json"],
  ]) {
    const [collector, database] = [await onCollector(...args), await onDatabase(...args)];
    expect([args, collector.code, collector.stderr]).toEqual([args, 0, ""]);
    expect([args, database.code, database.stdout]).toEqual([args, 0, collector.stdout]);
    expect(collector.stdout).toContain("gpt-5");
  }
  const usage = JSON.parse((await onCollector("usage", "-o", "json")).stdout) as object[];
  expect(usage).toMatchObject([{ model: "gpt-5", generations: 1, tokens_total: 42 }]);
});

it("its prompt is the one that was sent, and its provenance names the attribute", async () => {
  const prompt = await (await fetch(`${program.webUrl}/api/generations/${ID}/content/prompt`)).text();
  expect(JSON.parse(prompt)).toEqual([{ role: "user", parts: [{ type: "text", content: PROMPT }] }]);
  const provenance = await (await fetch(`${program.webUrl}/api/generations/${ID}/provenance`)).text();
  expect(provenance).toContain("gen_ai.request.model");
});

it("is found for review, judged, linked, and shows both at once", async () => {
  expect((await onCollector("generation", "find-issues", "--fail-if-found")).code).toBe(10);
  expect((await onCollector("review", "approve", ID, "--reviewer", "ada")).code).toBe(0);
  expect((await onCollector("generation", "link", ID, "definitie:456")).code).toBe(0);
  expect((await onCollector("generation", "find-issues", "--fail-if-found")).code).toBe(0);
  const { stdout } = await onDatabase(
    "sql",
    "-o",
    "json",
    `SELECT quality_status, entity_type, entity_id FROM generation_logs WHERE trace_id = '${TRACE}'`,
  );
  expect(JSON.parse(stdout)).toEqual([{ quality_status: "approved", entity_type: "definitie", entity_id: "456" }]);
  const linked = JSON.parse((await onCollector("generation", "inspect", "definitie:456", "-o", "json")).stdout) as {
    history: { action: string }[];
  };
  expect(linked.history.map(({ action }) => action)).toEqual(["generation.link", "generation.review"]);
});
