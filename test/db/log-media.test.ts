import { expect, it } from "vitest";
import { describeEachServer } from "../support/database.ts";
import { logsOf, spanIdOf, tracesOf } from "../support/otlp-json.ts";
import { usePipelineRig } from "../support/pipeline-suite.ts";

const CAT = Buffer.from("a picture of a cat, in bytes that are none");
const base64 = CAT.toString("base64");
const call = (attributes: Record<string, string> = {}) =>
  tracesOf({ id: "call", attributes: { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", ...attributes } });
const part = { type: "blob", modality: "image", mime_type: "image/png", content: base64 };
const details = (attributes: Record<string, string>) =>
  logsOf({ span: "call", name: "gen_ai.client.inference.operation.details", at: 90, attributes });
const TABLES = "spans generation_logs generation_twins log_records outputs blobs generation_scores".split(" ");

describeEachServer("binary content of log events", (server) => {
  const rig = usePipelineRig(server, ...TABLES);
  const send = async (...bodies: readonly (readonly [signal: "traces" | "logs", body: object])[]): Promise<void> => {
    for (const [signal, body] of bodies) expect((await rig.send(body, signal)).kind).toBe("accepted");
    await rig.refiner.settled();
  };
  const outputs = () =>
    rig.sql`SELECT o.span_id, o.direction, o.modality, b.content, b.media_type FROM outputs o JOIN blobs b ON b.project_id = o.project_id AND b.hash = o.blob_hash ORDER BY 2`;

  it.each<[string, object]>([
    [
      "parts of messages as JSON text",
      details({ "gen_ai.input.messages": JSON.stringify([{ role: "user", parts: [part, { type: "text", content: "What is it?" }] }]) }),
    ],
    [
      "parts of messages as structured values",
      logsOf({
        span: "call",
        name: "gen_ai.client.inference.operation.details",
        attributes: { "gen_ai.input.messages": [{ role: "user", parts: [part] }] },
      }),
    ],
    [
      "an event per message, with OpenAI's data: URL in its body",
      logsOf({
        span: "call",
        name: "gen_ai.user.message",
        body: { content: [{ type: "image_url", image_url: { url: `data:image/png;base64,${base64}` } }] },
      }),
    ],
    [
      "an event per message, with Anthropic's source",
      logsOf({
        span: "call",
        name: "gen_ai.user.message",
        body: { content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: base64 } }] },
      }),
    ],
  ])("is stored once, named by messages and records, and an output of the call, whichever comes first: %s", async (_, event) => {
    for (const order of [
      [["logs", event] as const, ["traces", call()] as const],
      [["traces", call()] as const, ["logs", event] as const],
    ]) {
      await send(...order);
      expect(await rig.sql`SELECT content, media_type FROM blobs`).toEqual([{ content: CAT, media_type: "image/png" }]);
      expect(await outputs()).toEqual([
        { span_id: spanIdOf("call"), direction: "input", modality: "image", content: CAT, media_type: "image/png" },
      ]);
      const [row] = await rig.sql`SELECT prompt_full_text, prompt_format FROM generation_logs`;
      expect(row?.["prompt_format"]).toBe("messages");
      expect(row?.["prompt_full_text"]).toContain("genspan-blob:");
      for (const table of TABLES) {
        expect(await rig.sql`SELECT 1 FROM ${rig.sql(table)} t WHERE strpos(t::text, ${base64}) > 0`, table).toEqual([]);
      }
      await rig.empty(...TABLES);
    }
  });

  it("is one blob with the same picture of a span", async () => {
    const own = call({ "gen_ai.output.messages": JSON.stringify([{ role: "assistant", parts: [part], finish_reason: "stop" }]) });
    await send(["traces", own], ["logs", details({ "gen_ai.input.messages": JSON.stringify([{ role: "user", parts: [part] }]) })]);
    expect(await rig.sql`SELECT count(*)::int AS n FROM blobs`).toEqual([{ n: 1 }]);
    expect((await outputs()).map(({ direction }) => direction)).toEqual(["input", "output"]);
  });

  it("that is no base64, or in an event of another kind, stays as it was sent", async () => {
    const odd = JSON.stringify([{ role: "user", parts: [{ ...part, content: "no base64!" }] }]);
    const other = logsOf({ span: "call", name: "app.upload", attributes: { file: `data:image/png;base64,${base64}` } });
    await send(["traces", call()], ["logs", details({ "gen_ai.input.messages": odd })], ["logs", other]);
    expect(await rig.sql`SELECT 1 FROM blobs`).toEqual([]);
    const [record] = await rig.sql`SELECT attributes FROM log_records WHERE event_name = 'app.upload'`;
    expect(record?.["attributes"]).toEqual({ file: `data:image/png;base64,${base64}` });
  });
});
