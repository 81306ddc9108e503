import { z } from "@hono/zod-openapi";
import { errorCode } from "../../base/error-code.ts";
import { RequestError } from "../../base/request-error.ts";
import { audit } from "../../commands/audit.ts";
import { type ImportReport, importJson } from "../../commands/import/index.ts";
import { OversizedValueError } from "../../commands/import/json-values.ts";
import { requestOfSpanLines } from "../../query/export/span-lines.ts";
import { type Api, onlyKeys } from "../route.ts";

const Report = z
  .object({
    read: z.number().openapi({ description: "objects read, and values that are none" }),
    stored: z.record(z.string(), z.number()).openapi({ description: "new rows, by noun" }),
    known: z.number().openapi({ description: "rows that were there already, or were erased in the last thirty days" }),
    otlpRequests: z.number(),
    refused: z.number(),
    faults: z.array(z.object({ line: z.number(), reason: z.string() })).openapi({ description: "the first 100 of them" }),
    ignored: z.array(z.object({ line: z.number(), names: z.array(z.string()) })).openapi({
      description: "names that no column takes and no metadata holds, of the first 100 such objects; the rest of them is stored",
    }),
  })
  .openapi("ImportReport");

/** Encodings of a body, as Content-Encoding names them. */
const ENCODINGS = ["gzip", "deflate"] as const;

/** Codes of a body that was cut, or that cannot be inflated. */
const BROKEN_OFF = /^(Z_|ERR_|ABORT_ERR$)/;

/** Files into rows. */
export function importRoutes({ route, services: { writer, ingest } }: Api): void {
  route(
    {
      method: "post",
      path: "/api/import",
      tag: "exports",
      summary: "Takes a file of JSON objects: OTLP/JSON, lines of an export, or logs, runs, images and problems as applications kept them",
      description:
        "The body is the file itself, of any length, also with Content-Encoding gzip. Sent twice it changes nothing. Objects that cannot be taken are named by their line.",
      refusals: [413, 415],
      scope: "admin",
      answer: Report,
    },
    async ({ context, projectId, actor, query }) => {
      onlyKeys(query, []);
      const options = {
        ...writer,
        projectId,
        requestOf: requestOfSpanLines,
        consume: (signal: Parameters<typeof ingest>[1], body: Buffer) => ingest(projectId, signal, body),
      };
      const note = ({ read, stored, known, refused }: ImportReport, complete: boolean): Promise<unknown> =>
        audit(writer.sql, writer.schema, { projectId, actor, action: "import", details: { read, stored, known, refused, complete } });
      let done: ImportReport | undefined;
      const onProgress = (report: ImportReport): void => {
        done = report;
      };
      try {
        const report = await importJson(bodyOf(context.req.raw), { ...options, onProgress, signal: context.req.raw.signal });
        await note(report, true);
        return report;
      } catch (error) {
        // What was stored before stays.
        if (done !== undefined) await note(done, false).catch(() => undefined);
        throw refusal(error);
      }
    },
  );
}

async function* bodyOf(request: Request): AsyncGenerator<Uint8Array> {
  const encoding = request.headers.get("content-encoding") ?? "identity";
  if (request.body === null) return;
  if (encoding === "identity") yield* request.body;
  else {
    const known = ENCODINGS.find((each) => each === encoding);
    if (known === undefined)
      throw new RequestError("unsupported_type", `send the file as it is, or with Content-Encoding ${ENCODINGS.join(" or ")}`);
    yield* request.body.pipeThrough(new DecompressionStream(known));
  }
}

/** A body that cannot be inflated is the sender's fault. */
function refusal(error: unknown): unknown {
  if (error instanceof OversizedValueError) return new RequestError("too_large", error.message);
  return BROKEN_OFF.test(errorCode(error))
    ? new RequestError("bad_request", "the file could not be read to its end: it is cut, or not compressed as it says")
    : error;
}
