import { z } from "@hono/zod-openapi";
import { RequestError } from "../../base/request-error.ts";
import { audit } from "../../commands/audit.ts";
import { findSpans } from "../../commands/erase/find-spans.ts";
import { erase, previewErasure } from "../../commands/erase/index.ts";
import { readNamingRules } from "../../commands/erase/rules.ts";
import { entityOf, namingOf, SUBJECT_KINDS, type Subject, subjectFault } from "../../commands/erase/subject.ts";
import { readEverything } from "../../query/erasure/everything.ts";
import { type Api, onlyKeys } from "../route.ts";
import { streamed } from "../streamed.ts";

const SubjectBody = z.object({
  kind: z.enum(SUBJECT_KINDS),
  value: z.string().openapi({ example: "definitie:456", description: "the id; of an entity type:id, of a generation traceid-spanid" }),
});
const EraseBody = SubjectBody.extend({
  dry_run: z.boolean().optional().openapi({ description: "says how much would go, and erases nothing" }),
});

const Report = z
  .object({
    id: z.string().nullable(),
    traces: z.number().openapi({ description: "traces that go as a whole" }),
    spans: z.number().openapi({ description: "spans of traces that others share" }),
    deleted: z.record(z.string(), z.number()).openapi({ description: "rows, by table" }),
    changed: z.record(z.string(), z.number()).optional().openapi({ description: "rules that stay without the name, by table" }),
    unreached_archives: z.number().optional().openapi({
      description: "folders of archived content that this machine does not have: erase again on the one that has them, within thirty days",
    }),
  })
  .openapi("ErasureReport");

/** What is stored about somebody, and its end. */
export function eraseRoutes({ route, services: { reader, writer, erasing } }: Api): void {
  route(
    {
      method: "get",
      path: "/api/subject",
      tag: "privacy",
      summary: "Everything stored about a user, conversation, entity, trace or generation, a line of JSON per row",
      scope: "admin",
      query: SUBJECT_KINDS.map((kind) => ({ name: kind, description: `the ${kind}; exactly one of these keys` })),
      answer: z.string(),
      otherTypes: ["application/x-ndjson"],
    },
    async ({ projectId, actor, query }) => {
      const subject = subjectOf(query);
      const spans = await findSpans({ ...writer, projectId }, subject);
      await audit(writer.sql, writer.schema, {
        projectId,
        actor,
        action: "subject.read",
        subject: subject.kind,
        details: { targets: spans.length },
      });
      const entity = subject.kind === "entity" ? entityOf(subject) : undefined;
      const told = async function* (): AsyncGenerator<string> {
        yield* readEverything(reader, projectId, { spans, entity, naming: namingOf(subject) });
        yield* readNamingRules({ ...writer, projectId }, subject);
        yield* erasing.readFiles(projectId, spans, subject);
      };
      return streamed(told(), {
        type: "application/x-ndjson; charset=utf-8",
        fileName: "genspan-subject.jsonl",
      });
    },
  );
  route(
    {
      method: "post",
      path: "/api/erase",
      tag: "privacy",
      summary: "Erases everything that speaks of a user, conversation, entity, trace or generation; a late retry of it is not stored again",
      scope: "admin",
      body: EraseBody,
      answer: Report,
    },
    async ({ projectId, actor, body: { dry_run: dryRun, ...given } }) => {
      const subject = soundSubject(given);
      const options = { ...writer, ...erasing, projectId, actor };
      if (dryRun === true) return { id: null, ...(await previewErasure(options, subject)), deleted: {} };
      return erase(options, subject);
    },
  );
}

function subjectOf(query: URLSearchParams): Subject {
  onlyKeys(query, SUBJECT_KINDS);
  const given = [...query].filter(([, value]) => value !== "");
  const [first] = given;
  if (first === undefined || given.length > 1) throw new RequestError("bad_request", `give exactly one of ${SUBJECT_KINDS.join(", ")}`);
  return soundSubject({ kind: first[0] as Subject["kind"], value: first[1] });
}

/** Ids of traces and spans are hexadecimal, in letters of any case. */
function soundSubject({ kind, value }: Subject): Subject {
  const subject = { kind, value: kind === "trace" || kind === "generation" ? value.toLowerCase() : value };
  const fault = subjectFault(subject);
  if (fault !== undefined) throw new RequestError("bad_request", fault);
  return subject;
}
