import { randomUUID } from "node:crypto";
import { channelKey, readTold, type ToldNote } from "../alerts/channel-key.ts";
import { type ChannelTools, tell } from "../alerts/channels.ts";
import { evaluate, type Measured } from "../alerts/evaluate.ts";
import { linkOf } from "../alerts/link.ts";
import type { Notice } from "../alerts/message.ts";
import { type Rule, readChannels, readRules } from "../alerts/rules.ts";
import { errorCode } from "../base/error-code.ts";
import { createSchedule } from "../base/schedule.ts";
import type { Reader } from "../query/reader.ts";
import { runUnderLease } from "./lease.ts";
import type { Job, JobOptions } from "./leased-job.ts";

export interface AlertJobOptions extends JobOptions, ChannelTools {
  /** Measures, as a reader of the rule's project. */
  readonly reader: Reader;
  /** Address of the pages, for links. */
  readonly publicUrl: string | undefined;
}

export interface AlertJob extends Job<number> {
  /** Looks at every rule that is due, and counts them. Undefined where another collector is at it. */
  runOnce(at?: Date): Promise<number | undefined>;
}

const INTERVAL_MS = 10_000;
const LEASE_TTL_MS = 120_000;
/** Telling is tried so often, more and more rarely: the nth time not before (2^(n-1) - 1) half minutes after what is told, the last one after 17 hours. */
const MAX_ATTEMPTS = 12;
const RETRY_SECONDS = 30;
/** Rules that are told of at the same time: a channel that hangs holds up few others. */
const TELLERS = 8;

interface OpenEvent {
  readonly id: string;
  readonly started_at: Date;
  readonly resolved_at: Date | null;
  readonly notified_at: Date | null;
  readonly value: number | null;
  readonly attempts: number | null;
  readonly details: {
    /** The channels that took the message, by event. */
    readonly told?: Readonly<Record<string, ToldNote>>;
    readonly things?: readonly string[];
    readonly leftOut?: readonly string[];
  } | null;
}

/** Watches the rules of all projects. Every collector has one; the lease lets one at a time work, and an event is open once per rule, so an alert is told once. */
export function createAlertJob(options: AlertJobOptions): AlertJob {
  const { sql, schema, holder, log } = options;

  const runOnce = (at?: Date): Promise<number | undefined> =>
    runUnderLease(sql, { schema, holder, job: "alerts", ttlMillis: LEASE_TTL_MS }, async (lost) => {
      const now = at ?? new Date();
      const looked: Looked[] = [];
      const projects = await sql<{ id: number; name: string }[]>`SELECT id, name FROM ${sql(schema)}.projects ORDER BY id`;
      for (const project of projects) {
        for (const rule of await readRules(options, project.id)) {
          if (lost.aborted || stopping.aborted) return looked.length;
          if (!rule.enabled || !isDue(rule, now)) continue;
          await look(options, { project, rule, now });
          looked.push({ project, rule, now });
        }
      }
      await tellAll(options, looked, AbortSignal.any([lost, stopping]));
      return looked.length;
    });

  const { start, stop, stopping } = createSchedule({
    run: () => runOnce(),
    everyMillis: options.intervalMillis ?? INTERVAL_MS,
    onError: (error) => log.warn({ code: errorCode(error) }, "alerts could not be looked at; it is tried again"),
  });
  return { runOnce, start, stop };
}

const isDue = ({ evaluated_at: last, interval_seconds: seconds }: Rule, now: Date): boolean =>
  last === null || now.getTime() - last.getTime() >= seconds * 1_000 || last > now;

interface Looked {
  readonly project: { readonly id: number; readonly name: string };
  readonly rule: Rule;
  readonly now: Date;
}

/** One rule: measure, open or close its event. A rule that cannot be measured changes nothing. */
async function look(options: AlertJobOptions, looked: Looked): Promise<void> {
  const { sql, schema, reader, log } = options;
  const { project, rule, now } = looked;
  let measured: Measured | undefined;
  try {
    measured = await evaluate({ reader, projectId: project.id }, rule.condition, now);
    await keepEvent(options, looked, measured);
  } catch (error) {
    log.warn({ rule: rule.id, code: errorCode(error) }, "an alert rule could not be measured");
  }
  await sql`UPDATE ${sql(schema)}.alert_rules SET evaluated_at = ${now}, last_state = ${measured?.state ?? "failed"}
    WHERE project_id = ${project.id} AND id = ${rule.id}`;
}

/** Tells what has not been told of rules that were all measured before: no channel keeps a rule from being looked at. Rejects when all are done with. */
async function tellAll(options: AlertJobOptions, looked: readonly Looked[], stop: AbortSignal): Promise<void> {
  const queue = looked.values();
  const teller = async (): Promise<void> => {
    for (const each of queue) if (!stop.aborted) await tellOpen(options, each);
  };
  const results = await Promise.allSettled(Array.from({ length: TELLERS }, teller));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

async function keepEvent(
  { sql, schema }: AlertJobOptions,
  { project, rule, now }: Looked,
  { state, value, values, things, leftOut }: Measured,
): Promise<void> {
  const table = sql`${sql(schema)}.alert_events`;
  if (state === "firing") {
    await sql`INSERT INTO ${table} (project_id, id, rule_id, started_at, value, details)
      VALUES (${project.id}, ${randomUUID()}, ${rule.id}, ${now}, ${value}, ${JSON.stringify({ values, things, leftOut })}::text::jsonb) ON CONFLICT DO NOTHING`;
  } else if (state === "ok") {
    // Nothing measured neither opens nor closes: silence is no recovery.
    await sql`UPDATE ${table} SET resolved_at = ${now}, attempts = NULL WHERE project_id = ${project.id} AND rule_id = ${rule.id} AND resolved_at IS NULL`;
  }
}

/** Events whose beginning, or whose end after that, has not been told yet. What began and ended while nobody could be told is never told. */
async function tellOpen(options: AlertJobOptions, looked: Looked): Promise<void> {
  const { sql, schema } = options;
  const { project, rule, now } = looked;
  if (rule.muted_until !== null && rule.muted_until > now) return;
  const events = await sql<OpenEvent[]>`
    SELECT id, started_at, resolved_at, notified_at, value, attempts, details FROM ${sql(schema)}.alert_events
    WHERE project_id = ${project.id} AND rule_id = ${rule.id} AND coalesce(attempts, 0) < ${MAX_ATTEMPTS}
      AND ${now} >= coalesce(resolved_at, started_at) + (2 ^ coalesce(attempts, 0) - 1) * make_interval(secs => ${RETRY_SECONDS})
      AND (notified_at IS NULL AND resolved_at IS NULL OR resolved_at IS NOT NULL AND resolution_notified_at IS NULL
        AND (notified_at IS NOT NULL OR jsonb_path_exists(details, '$.told.firing[0]')))
    ORDER BY started_at`;
  for (const event of events) await tellEvent(options, looked, event);
}

async function tellEvent(options: AlertJobOptions, { project, rule, now }: Looked, event: OpenEvent): Promise<void> {
  const { sql, schema, publicUrl } = options;
  const notice: Notice = {
    event: event.resolved_at === null ? "firing" : "resolved",
    eventId: event.id,
    rule,
    project: project.name,
    value: event.value,
    startedAt: event.started_at.toISOString(),
    resolvedAt: event.resolved_at?.toISOString() ?? null,
    link: linkOf(publicUrl, { condition: rule.condition, at: event.started_at, things: event.details?.things ?? [] }),
    leftOut: event.details?.leftOut,
  };
  const channels = await readChannels(options, project.id, rule.id);
  const keys = channels.map((channel) => channelKey(rule.id, channel));
  const toldOf = (kind: Notice["event"]) => readTold(event.details?.told?.[kind] ?? [], rule.id, channels);
  const taken = toldOf(notice.event);
  // Of an end hears who heard of its beginning: a channel that never answers takes it from nobody else.
  const heardBeginning = (i: number): boolean =>
    event.details?.told?.["firing"] === undefined ? event.notified_at !== null : toldOf("firing").mayHave(i);
  const concerns = (i: number): boolean => event.resolved_at === null || heardBeginning(i);
  const results = await Promise.allSettled(
    channels.map(async (channel, i) => (taken.has(i) || !concerns(i) ? undefined : tell(channel, notice, options))),
  );
  const takenNow = keys.filter((_, i) => results[i]?.status === "fulfilled" && concerns(i));
  const told = [...new Set([...(event.details?.told?.[notice.event] ?? []).filter((key) => typeof key === "string"), ...takenNow])];
  const failures = results.flatMap((result) => (result.status === "rejected" ? [(result.reason as Error).message] : []));
  const column = sql.unsafe(event.resolved_at === null ? "notified_at" : "resolution_notified_at");
  const done = failures.length === 0;
  // Which channels have taken it is kept, so that one that fails does not make the others hear it twice.
  const details = JSON.stringify({ ...event.details, told: { ...event.details?.told, [notice.event]: told } });
  await sql`UPDATE ${sql(schema)}.alert_events SET ${column} = ${done ? now : null}, attempts = ${done ? null : (event.attempts ?? 0) + 1},
    last_failure = ${done ? null : failures.join("; ")}, details = ${details}::text::jsonb
    WHERE project_id = ${project.id} AND id = ${event.id}`;
}
