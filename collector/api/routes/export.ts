import { createHash } from "node:crypto";
import { z } from "@hono/zod-openapi";
import { RequestError } from "../../base/request-error.ts";
import { audit } from "../../commands/audit.ts";
import { exportFileName } from "../../query/export/file-name.ts";
import { EXPORT_FILTERS, exportConditions } from "../../query/export/filters.ts";
import {
  countExport,
  EXPORT_FORMATS,
  type ExportChunk,
  type ExportFormat,
  type ExportRequest,
  MEDIA_TYPES,
  openExport,
} from "../../query/export/index.ts";
import { EXPORT_NOUNS, type ExportNoun } from "../../query/export/nouns.ts";
import { parseFilter } from "../../query/filter/parse.ts";
import { name, sql } from "../../query/sql.ts";
import type { Api, Call } from "../route.ts";
import type { Services } from "../services.ts";

const Params = z.object({ noun: z.enum(EXPORT_NOUNS) });
/** A page of an export may scan long stretches in which nothing matches. */
const PAGE_TIMEOUT_MS = 60_000;
/** Each holds a connection of the readers nearly all the time. */
const MAX_AT_ONCE = 2;
/** An export has an order of its own and no pages. */
const OTHER_KEYS = ["format", "columns", "sort", "limit", "after"];

const PARAMETERS = [
  { name: "format", description: "csv, jsonl, or (traces only, and their default) otlp", example: "csv" },
  { name: "columns", description: "names, separated by commas; without it all", example: "start_time,model_name,tokens_total" },
];

/** Everything that a filter selects, as a file. */
export function exportRoutes({ route, services }: Api): void {
  let running = 0;
  route(
    {
      method: "get",
      path: "/api/export/{noun}",
      tag: "exports",
      summary: "All rows of a filter as a file, streamed; the keys are those of the noun's list",
      scope: "read",
      params: Params,
      query: [
        ...PARAMETERS,
        { name: "from", description: "rows from this time on", example: "-24h" },
        { name: "to", description: "rows before this time" },
      ],
      answer: z.string(),
      otherTypes: Object.values(MEDIA_TYPES),
    },
    async (call) => {
      const leaving = new AbortController();
      const request = { ...readRequest(call), signal: leaving.signal };
      if (running >= MAX_AT_ONCE) throw new RequestError("unavailable", "other exports are running: try again in a moment");
      running++;
      const done = (): void => void running--;
      try {
        const chunks = await openExport(services.reader, request);
        const onEnd = (end: End): Promise<void> => noted(services, call, { ...end, request }).finally(done);
        return new Response(streamOf(chunks, { leaving, onEnd, mayGoOn: call.mayGoOn }), { headers: await headersOf(services, request) });
      } catch (error) {
        done();
        throw error;
      }
    },
  );
  route(
    {
      method: "get",
      path: "/api/export/{noun}/count",
      tag: "exports",
      summary: "How many rows such a file would have",
      scope: "read",
      params: Params,
      query: PARAMETERS,
      answer: z.object({ rows: z.number() }),
    },
    async (call) => ({ rows: await countExport(services.reader, readRequest(call)) }),
  );
}

type ExportCall = Call<typeof Params, z.ZodType>;

function readRequest({ params: { noun }, query, projectId }: ExportCall): ExportRequest {
  const filter = parseFilter(query, EXPORT_FILTERS[noun], { others: OTHER_KEYS });
  const columns = query
    .get("columns")
    ?.split(",")
    .filter((column) => column !== "");
  return {
    scope: { projectId, timeoutMillis: PAGE_TIMEOUT_MS },
    noun,
    format: readFormat(query.get("format") ?? (noun === "traces" ? "otlp" : "jsonl"), noun),
    ...(columns === undefined || columns.length === 0 ? {} : { columns }),
    where: exportConditions(noun, filter),
  };
}

function readFormat(text: string, noun: ExportNoun): ExportFormat {
  const format = EXPORT_FORMATS.find((each) => each === text);
  if (format === undefined || (format === "otlp" && noun !== "traces"))
    throw new RequestError("bad_request", "format is none of csv, jsonl, and for traces otlp");
  return format;
}

async function headersOf({ reader }: Services, { noun, format, scope }: ExportRequest): Promise<Record<string, string>> {
  const [project] = await reader.read(scope, (ask) =>
    ask<{ name: string }>(sql`SELECT name FROM ${name("projects")} WHERE id = ${scope.projectId}`),
  );
  return {
    "Content-Type": MEDIA_TYPES[format],
    "Content-Disposition": `attachment; filename="${exportFileName(project?.name ?? "", { noun, format, day: new Date() })}"`,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
  };
}

interface End {
  readonly rows: number;
  readonly sha256: string;
  readonly complete: boolean;
}

interface Reading {
  readonly leaving: AbortController;
  readonly onEnd: (end: End) => Promise<void>;
  readonly mayGoOn: () => Promise<boolean>;
}

/** Reads the next page when the receiver wants more: a slow one makes nothing pile up, and one that leaves ends the reading, in the database too. A file whose key ends is broken off. */
function streamOf(chunks: AsyncGenerator<ExportChunk>, { leaving, onEnd, mayGoOn }: Reading): ReadableStream<Uint8Array> {
  const hash = createHash("sha256");
  let rows = 0;
  let ended = false;
  const end = async (complete: boolean): Promise<void> => {
    if (ended) return;
    ended = true;
    await onEnd({ rows, sha256: hash.digest("hex"), complete });
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          if (!(await mayGoOn())) throw new RequestError("forbidden", "the key of this export has ended");
          const step = await chunks.next();
          if (step.done === true) {
            await end(true);
            controller.close();
            return;
          }
          rows += step.value.rows;
          const bytes = Buffer.from(step.value.text, "utf8");
          hash.update(bytes);
          controller.enqueue(bytes);
        } catch (error) {
          await end(false);
          controller.error(error);
        }
      },
      async cancel() {
        leaving.abort();
        await chunks.return(undefined);
        await end(false);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Who took what: for people who must know where data went. */
async function noted(
  { writer, log }: Services,
  { projectId, actor, query }: ExportCall,
  end: End & { readonly request: ExportRequest },
): Promise<void> {
  const { rows, sha256, complete, request } = end;
  const details = { format: request.format, rows, sha256, complete, keys: [...new Set(query.keys())] };
  await audit(writer.sql, writer.schema, { projectId, actor, action: "export", subject: request.noun, details }).catch(() =>
    log.warn({}, "an export could not be noted in the audit log"),
  );
}
