import { z } from "@hono/zod-openapi";
import {
  MAX_MEASURE,
  RUN_BREAKDOWNS,
  RUN_COUNTS,
  RUN_MEASURES,
  RUN_STATUSES,
  type RunReport,
  type RunStatus,
  readRunReport,
} from "../model/run-report.ts";

/** The body of POST /v1/admin/generation-runs. Null is as if the field were not there. */

const MAX_TEXT_CHARS = 200;
/** A hundred years. */
const MAX_SECONDS = 3_155_760_000;
/** A job's own codes, and what a shell says of one that a signal ended. */
const [LAST_OWN_CODE, FIRST_SIGNAL_CODE, LAST_CODE] = [6, 128, 255];

const text = z.string().min(1).max(MAX_TEXT_CHARS);
const count = z.int().min(0);
const share = z.number().min(0).max(1);
const moment = z.iso
  .datetime({ offset: true, local: false, error: "is no time with its zone such as 2026-11-21T08:15:00Z" })
  .refine((value) => new Date(value).getUTCFullYear() < 10_000, "lies too far ahead");
const breakdown = z.record(z.string(), z.unknown());

const general = (name: string): boolean => name.startsWith("items_");
const asked = (name: string): string => `questions_${name.slice("items_".length)}`;

const counts = Object.fromEntries(RUN_COUNTS.flatMap((name) => [[name, count], ...(general(name) ? [[asked(name), count]] : [])]));
const measures = Object.fromEntries(
  RUN_MEASURES.map((name) => [name, name.endsWith("_rate") ? share : z.number().min(-MAX_MEASURE).max(MAX_MEASURE)]),
);
const breakdowns = Object.fromEntries(RUN_BREAKDOWNS.map((name) => [name, breakdown]));

const optional = (shape: Readonly<Record<string, z.ZodType>>): Record<string, z.ZodType> =>
  Object.fromEntries(Object.entries(shape).map(([name, type]) => [name, type.nullish()]));

export const RunBody = z
  .strictObject({
    status: z.enum(RUN_STATUSES),
    ...optional({
      id: z.guid().openapi({ description: "send it to report the same run again" }),
      kind: text,
      started_at: moment.openapi({ example: "2026-11-21T08:15:00Z" }),
      completed_at: moment,
      duration_seconds: z.number().min(0).max(MAX_SECONDS),
      exit_code: z
        .int()
        .min(0)
        .max(LAST_CODE)
        .refine(
          (code) => code <= LAST_OWN_CODE || code >= FIRST_SIGNAL_CODE,
          `must be 0 to ${LAST_OWN_CODE}, or from ${FIRST_SIGNAL_CODE} on for a signal`,
        ),
      ...counts,
      ...measures,
      ...breakdowns,
      prompt_version: text,
      arbiter_config_version: text,
      environment: text,
      triggered_by: text,
      service_name: text,
    }),
  })
  .superRefine((body: Readonly<Record<string, unknown>>, context) => {
    const fault = (field: string, message: string): void => context.addIssue({ code: "custom", path: [field], message });
    for (const name of RUN_COUNTS) {
      if (general(name) && body[name] != null && body[asked(name)] != null) fault(asked(name), `stands there a second time as ${name}`);
    }
    for (const field of ["completed_at", "exit_code"]) {
      if (body["status"] === "running" && body[field] != null) fault(field, "a running run has none yet");
    }
    const { started_at: start, completed_at: end } = body;
    if (typeof start === "string" && typeof end === "string" && Date.parse(end) < Date.parse(start))
      fault("completed_at", "lies before started_at");
  })
  .openapi("GenerationRunReport");

/** A valid body as a report. */
export function reportOfBody(body: z.infer<typeof RunBody>): {
  readonly id?: string;
  readonly report: RunReport & { readonly status: RunStatus };
} {
  const { id, status, ...rest } = body as z.infer<typeof RunBody> & { readonly id?: string | null };
  return { ...(id == null ? {} : { id }), report: { ...readRunReport(rest), status } };
}
