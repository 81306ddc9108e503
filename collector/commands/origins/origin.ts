import type { ISql } from "postgres";

/** Tables whose rows are stored once per content; spans and log records point to them. */
export const ORIGIN_KINDS = ["resources", "scopes"] as const;
export type OriginKind = (typeof ORIGIN_KINDS)[number];

/** A row of `resources` or `scopes`; the id as 32 hexadecimal digits. */
export interface Origin {
  readonly kind: OriginKind;
  readonly projectId: number;
  readonly id: string;
}

/** What spans point to that commands write: it names nobody, and stays. */
export const OWN_RESOURCE_ID = "67656e7370616e000000000000000001";

export const originKey = ({ kind, projectId, id }: Origin): string => `${kind}/${projectId}/${id}`;

/** Origins as a table `given (project_id, kind, id)`. */
export const asTable = (sql: ISql, origins: readonly Origin[]) =>
  sql`unnest(${origins.map((each) => each.projectId)}::int[], ${origins.map((each) => each.kind)}::text[], ${origins.map((each) => each.id)}::uuid[])
    AS given (project_id, kind, id)`;

interface OriginColumns {
  readonly project_id: number;
  readonly kind: OriginKind;
  readonly id: string;
}

/** Rows of `project_id, kind, id` as origins. */
export const toOrigins = (rows: Iterable<object>): Origin[] =>
  ([...rows] as OriginColumns[]).map(({ project_id: projectId, kind, id }) => ({ projectId, kind, id: id.replaceAll("-", "") }));
