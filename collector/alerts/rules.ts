import { randomUUID } from "node:crypto";
import { errorCode } from "../base/error-code.ts";
import { RequestError } from "../base/request-error.ts";
import { audit } from "../commands/audit.ts";
import type { Writer } from "../commands/writer.ts";
import { type Channel, Channels, shownChannel } from "./channels.ts";
import { Condition } from "./condition.ts";

/** A rule as it is kept. */
export interface Rule {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly condition: Condition;
  /** How its channels may be shown. */
  readonly notify: readonly Record<string, unknown>[];
  readonly interval_seconds: number;
  readonly muted_until: Date | null;
  readonly evaluated_at: Date | null;
  readonly last_state: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

export interface RuleInput {
  readonly name: string;
  readonly enabled: boolean;
  readonly condition: Condition;
  readonly channels: readonly Channel[];
  readonly interval_seconds: number;
}

/** Who does something in which project. */
export interface By extends Writer {
  readonly projectId: number;
  readonly actor: string;
}

const COLUMNS = "id, name, enabled, condition, notify, interval_seconds, muted_until, evaluated_at, last_state, created_at, updated_at";

/** The rules of a project, or one of them. A rule of another version's making that can no longer be read is left out. */
export async function readRules({ sql, schema }: Writer, projectId: number, id?: string): Promise<Rule[]> {
  const rows = await sql<Rule[]>`
    SELECT ${sql.unsafe(COLUMNS)} FROM ${sql(schema)}.alert_rules
    WHERE project_id = ${projectId} AND ${id === undefined ? sql`true` : sql`id::text = ${id}`} ORDER BY name`;
  return rows.flatMap((row) => {
    const condition = Condition.safeParse(row.condition);
    return condition.success ? [{ ...row, condition: condition.data, notify: row.notify ?? [] }] : [];
  });
}

/** Where a rule's messages go, with everything that is secret about it. */
export async function readChannels({ sql, schema }: Writer, projectId: number, id: string): Promise<readonly Channel[]> {
  const [row] = await sql<{ channels: unknown }[]>`
    SELECT channels FROM ${sql(schema)}.alert_channels WHERE project_id = ${projectId} AND rule_id = ${id}`;
  return Channels.safeParse(row?.channels).data ?? [];
}

/** Makes a rule, or with an id replaces it; the channels stay where none are given. Gives undefined for a rule that is not there. */
export async function saveRule(
  by: By,
  input: Omit<RuleInput, "channels"> & Partial<Pick<RuleInput, "channels">>,
  id?: string,
): Promise<string | undefined> {
  const { sql, schema, projectId, actor } = by;
  const { name, enabled, condition, interval_seconds: interval } = input;
  const ruleId = id ?? randomUUID();
  const json = (value: unknown): string => JSON.stringify(value);
  try {
    return await sql.begin(async (tx) => {
      const set = tx`name = ${name}, enabled = ${enabled}, condition = ${json(condition)}::text::jsonb, interval_seconds = ${interval}, updated_at = clock_timestamp()`;
      const saved =
        id === undefined
          ? await tx`INSERT INTO ${tx(schema)}.alert_rules (project_id, id, name, enabled, condition, notify, interval_seconds, created_at, updated_at)
              VALUES (${projectId}, ${ruleId}, ${name}, ${enabled}, ${json(condition)}::text::jsonb, '[]', ${interval}, clock_timestamp(), clock_timestamp()) RETURNING 1`
          : await tx`UPDATE ${tx(schema)}.alert_rules SET ${set} WHERE project_id = ${projectId} AND id::text = ${id} RETURNING 1`;
      if (saved.length === 0) return undefined;
      if (input.channels !== undefined) {
        await tx`INSERT INTO ${tx(schema)}.alert_channels (project_id, rule_id, channels) VALUES (${projectId}, ${ruleId}, ${json(input.channels)}::text::jsonb)
          ON CONFLICT (project_id, rule_id) DO UPDATE SET channels = excluded.channels`;
        await tx`UPDATE ${tx(schema)}.alert_rules SET notify = ${json(input.channels.map(shownChannel))}::text::jsonb
          WHERE project_id = ${projectId} AND id = ${ruleId}`;
      }
      await audit(tx, schema, { projectId, actor, action: id === undefined ? "alert.create" : "alert.update", subject: ruleId });
      return ruleId;
    });
  } catch (error) {
    if (errorCode(error) === "23505") throw new RequestError("conflict", "there is a rule of that name already");
    throw error;
  }
}

/** Removes a rule with its history; false where there is none. */
export const deleteRule = ({ sql, schema, projectId, actor }: By, id: string): Promise<boolean> =>
  sql.begin(async (tx) => {
    const deleted = await tx`DELETE FROM ${tx(schema)}.alert_rules WHERE project_id = ${projectId} AND id::text = ${id} RETURNING 1`;
    if (deleted.length === 0) return false;
    for (const table of ["alert_channels", "alert_events"])
      await tx`DELETE FROM ${tx(schema)}.${tx(table)} WHERE project_id = ${projectId} AND rule_id::text = ${id}`;
    await audit(tx, schema, { projectId, actor, action: "alert.delete", subject: id });
    return true;
  }) as Promise<boolean>;

/** Lets a rule tell nobody until a time, or again with null; it goes on being watched. False where there is none. */
export const muteRule = ({ sql, schema, projectId, actor }: By, id: string, until: Date | null): Promise<boolean> =>
  sql.begin(async (tx) => {
    const muted =
      await tx`UPDATE ${tx(schema)}.alert_rules SET muted_until = ${until} WHERE project_id = ${projectId} AND id::text = ${id} RETURNING 1`;
    if (muted.length > 0) await audit(tx, schema, { projectId, actor, action: "alert.mute", subject: id, details: { until } });
    return muted.length > 0;
  }) as Promise<boolean>;

/** When a rule fired, newest first. */
export interface AlertEvent {
  readonly id: string;
  readonly rule_id: string;
  readonly started_at: Date;
  readonly resolved_at: Date | null;
  readonly notified_at: Date | null;
  readonly value: number | null;
  readonly last_failure: string | null;
}

const MAX_EVENTS = 500;

export const readEvents = async ({ sql, schema }: Writer, projectId: number, ruleId?: string): Promise<AlertEvent[]> => [
  ...(await sql<AlertEvent[]>`
    SELECT id, rule_id, started_at, resolved_at, notified_at, value, last_failure FROM ${sql(schema)}.alert_events
    WHERE project_id = ${projectId} AND ${ruleId === undefined ? sql`true` : sql`rule_id::text = ${ruleId}`}
    ORDER BY started_at DESC LIMIT ${MAX_EVENTS}`),
];
