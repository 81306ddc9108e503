import { z } from "@hono/zod-openapi";
import { RequestError } from "../../base/request-error.ts";
import { audit } from "../../commands/audit.ts";
import { exportFileName } from "../../query/export/file-name.ts";
import { EXPORT_FILTERS, exportConditions } from "../../query/export/filters.ts";
import { countExport, EXPORT_FORMATS, type ExportFormat, type ExportRequest, MEDIA_TYPES, openExport } from "../../query/export/index.ts";
import { EXPORT_NOUNS, type ExportNoun } from "../../query/export/nouns.ts";
import { parseFilter } from "../../query/filter/parse.ts";
import { name, sql } from "../../query/sql.ts";
import { type FileEnd, fileStream } from "../file-stream.ts";
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
        const onEnd = (end: FileEnd): Promise<void> => noted(services, call, { ...end, request }).finally(done);
        return new Response(fileStream(chunks, { leaving, onEnd, mayGoOn: call.mayGoOn }), { headers: await headersOf(services, request) });
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

/** Who took what: for people who must know where data went. */
async function noted(
  { writer, log }: Services,
  { projectId, actor, query }: ExportCall,
  end: FileEnd & { readonly request: ExportRequest },
): Promise<void> {
  const { rows, sha256, complete, request } = end;
  const details = { format: request.format, rows, sha256, complete, keys: [...new Set(query.keys())] };
  await audit(writer.sql, writer.schema, { projectId, actor, action: "export", subject: request.noun, details }).catch(() =>
    log.warn({}, "an export could not be noted in the audit log"),
  );
}
