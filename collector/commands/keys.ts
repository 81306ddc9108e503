import { randomUUID } from "node:crypto";
import type { Sql, TransactionSql } from "postgres";
import { generateKey, hashKey, prefixOf, type Scope, type StoredKey } from "../base/api-key.ts";
import { RequestError } from "../base/request-error.ts";
import { audit } from "./audit.ts";

/** Keys of the collector, in table api_keys. */
export interface KeyStore {
  /** Every key ever created, revoked ones included. */
  load(): Promise<StoredKey[]>;
  /** Makes a key and returns its text, which nothing can show again. Rejects where there is no such project. */
  create(request: NewKey): Promise<MadeKey>;
  list(projectId?: number): Promise<KeyRow[]>;
  /** False when there is no such key in the project, or it was revoked before. */
  revoke(id: string, projectId?: number): Promise<boolean>;
  /**
   * A new key in place of one that can still be used: the same name, scopes and limit, and no end but the one that is given. The old one goes on
   * working for the time of grace, so that its users can change one after the other. Undefined where there is no such key.
   */
  rotate(id: string, options: Rotation): Promise<MadeKey | undefined>;
  markUsed(ids: readonly string[]): Promise<void>;
}

export interface KeyStoreOptions {
  /** A pool of the owner. */
  readonly sql: Sql;
  readonly schema: string;
  /** Who asks, for the audit log. */
  readonly actor?: string;
}

export interface NewKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly projectId: number;
  readonly expiresAt?: Date;
  /** Export requests a second that each collector takes with it. */
  readonly maxRequestsPerSecond?: number;
}

export interface MadeKey {
  readonly id: string;
  readonly key: string;
}

export interface Rotation {
  readonly graceMillis: number;
  readonly projectId?: number;
  readonly expiresAt?: Date;
}

/** A key as listed: never the key itself. */
export interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly project_id: number;
  readonly scopes: readonly Scope[];
  readonly created_at: Date;
  readonly last_used_at: Date | null;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
  readonly max_requests_per_second: number | null;
}

/** A deed on a key, for the audit log. */
interface NotedKey {
  readonly projectId: number;
  readonly id: string;
  readonly scopes?: readonly Scope[];
  readonly successor?: string;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function createKeyStore({ sql, schema, actor = "cli" }: KeyStoreOptions): KeyStore {
  const table = (on: Sql | TransactionSql) => on`${on(schema)}.api_keys`;
  const deletedProjects = (on: Sql) => on`SELECT id FROM ${on(schema)}.projects WHERE deleted_at IS NOT NULL`;
  const ofProject = (on: Sql | TransactionSql, projectId: number | undefined) =>
    projectId === undefined ? on`true` : on`project_id = ${projectId}`;
  const noted = (tx: TransactionSql, action: string, { projectId, id, ...details }: NotedKey) =>
    audit(tx, schema, { projectId, actor, action, subject: id, details: { ...details } });

  async function insert(tx: TransactionSql, { name, scopes, projectId, expiresAt, maxRequestsPerSecond }: NewKey): Promise<MadeKey> {
    const key = generateKey();
    const id = randomUUID();
    await tx`INSERT INTO ${table(tx)} (project_id, id, name, prefix, hash, scopes, created_at, expires_at, max_requests_per_second)
      VALUES (${projectId}, ${id}, ${name}, ${prefixOf(key)}, ${hashKey(key)}, ${[...scopes]}, ${new Date()}, ${expiresAt ?? null},
        ${maxRequestsPerSecond ?? null})`;
    return { id, key };
  }

  return {
    load: async () => [
      ...(await sql<StoredKey[]>`
        SELECT id, project_id AS "projectId", hash, scopes, expires_at AS "expiresAt", revoked_at AS "revokedAt",
          max_requests_per_second AS "maxRequestsPerSecond", project_id IN (${deletedProjects(sql)}) AS "projectDeleted" FROM ${table(sql)}`),
    ],
    create: (request) =>
      sql.begin(async (tx) => {
        // Held until the key is there: who deletes the project meanwhile waits, and ends this key with the others.
        const [project] = await tx`SELECT id FROM ${tx(schema)}.projects WHERE id = ${request.projectId} AND deleted_at IS NULL FOR SHARE`;
        if (project === undefined) throw new RequestError("not_found", `there is no project ${request.projectId}`);
        const made = await insert(tx, request);
        await noted(tx, "key.create", { projectId: request.projectId, id: made.id, scopes: request.scopes });
        return made;
      }),
    list: async (projectId) => [
      ...(await sql<KeyRow[]>`
        SELECT id, name, prefix, project_id, scopes, created_at, last_used_at, expires_at, revoked_at, max_requests_per_second
        FROM ${table(sql)} WHERE ${ofProject(sql, projectId)} AND project_id NOT IN (${deletedProjects(sql)}) ORDER BY created_at, id`),
    ],
    async revoke(id, projectId) {
      if (!UUID.test(id)) return false;
      return sql.begin(async (tx) => {
        const [revoked] = await tx<{ project_id: number }[]>`
          UPDATE ${table(tx)} SET revoked_at = ${new Date()} WHERE id = ${id} AND revoked_at IS NULL AND ${ofProject(tx, projectId)} RETURNING project_id`;
        if (revoked === undefined) return false;
        await noted(tx, "key.revoke", { projectId: revoked.project_id, id });
        return true;
      });
    },
    async rotate(id, { graceMillis, projectId, expiresAt }) {
      if (!UUID.test(id)) return undefined;
      return sql.begin(async (tx) => {
        const ends = new Date(Date.now() + graceMillis);
        // What would end sooner anyway ends then.
        const [old] = await tx<KeyRow[]>`
          UPDATE ${table(tx)} SET expires_at = least(expires_at, ${ends}), revoked_at = CASE WHEN ${graceMillis === 0} THEN ${ends} ELSE revoked_at END
          WHERE id = ${id} AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ${new Date()}) AND ${ofProject(tx, projectId)} RETURNING *`;
        if (old === undefined) return undefined;
        const { name, scopes, project_id, max_requests_per_second: limit } = old;
        const made = await insert(tx, {
          ...{ name, scopes, projectId: project_id },
          ...(expiresAt === undefined ? {} : { expiresAt }),
          ...(limit === null ? {} : { maxRequestsPerSecond: limit }),
        });
        await noted(tx, "key.rotate", { projectId: project_id, id, successor: made.id });
        return made;
      });
    },
    async markUsed(ids) {
      await sql`UPDATE ${table(sql)} SET last_used_at = ${new Date()} WHERE id = ANY(${[...ids]}::uuid[])`;
    },
  };
}
