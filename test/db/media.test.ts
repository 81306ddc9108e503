import { expect, it } from "vitest";
import { describeEachServer } from "../support/database.ts";
import { tracesOf } from "../support/otlp-json.ts";
import { usePipelineRig } from "../support/pipeline-suite.ts";

const image = (content: Buffer): object => ({
  type: "blob",
  modality: "image",
  mime_type: "image/png",
  content: content.toString("base64"),
});
const call = (id: string, at: number, ...parts: object[]) => ({
  id,
  at,
  attributes: {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.input.messages": JSON.stringify([{ role: "user", parts }]),
  },
});

describeEachServer("images of calls", (server) => {
  const rig = usePipelineRig(server, "spans", "generation_logs", "outputs", "blobs");
  const CAT = Buffer.from("a picture of a cat");
  const DOG = Buffer.from("a picture of a dog");

  it("are stored once however many calls carry them, and each call names its own", async () => {
    const bodies = [
      tracesOf(call("a", 0, image(CAT), image(DOG)), call("b", 200, image(CAT))),
      tracesOf(call("c", 400, image(CAT), image(CAT))),
    ];
    for (const body of bodies) expect((await rig.send(body)).kind).toBe("accepted");
    const blobs =
      await rig.sql`SELECT content, size_bytes::int, media_type, encode(sha256(content), 'hex') = encode(hash, 'hex') AS sound FROM blobs ORDER BY content`;
    expect(blobs).toEqual([
      { content: CAT, size_bytes: CAT.length, media_type: "image/png", sound: true },
      { content: DOG, size_bytes: DOG.length, media_type: "image/png", sound: true },
    ]);
    const perCall =
      await rig.sql`SELECT count(*)::int AS n, count(DISTINCT blob_hash)::int AS blobs FROM outputs GROUP BY span_id, start_time ORDER BY start_time`;
    expect(perCall.map(({ n, blobs: distinct }) => [n, distinct])).toEqual([
      [2, 2],
      [1, 1],
      [2, 1],
    ]);
  });

  it("sent again change nothing", async () => {
    for (let i = 0; i < 3; i++) expect((await rig.send(tracesOf(call("a", 0, image(CAT))))).kind).toBe("accepted");
    const [counts] = await rig.sql`SELECT (SELECT count(*)::int FROM blobs) AS blobs, (SELECT count(*)::int FROM outputs) AS outputs`;
    expect(counts).toEqual({ blobs: 1, outputs: 1 });
  });
});
