import { randomUUID } from "node:crypto";
import type { Sql } from "postgres";
import { generateKey, hashKey, prefixOf, type Scope, type StoredKey } from "../base/api-key.ts";

/** Keys of the collector, in table api_keys. Every function takes a pool of the owner and the schema's name. */
export interface KeyStore {
  /** Every key ever created, revoked ones included. */
  load(): Promise<StoredKey[]>;
  /** Makes a key and returns its text, which nothing can show again. */
  create(request: NewKey): Promise<{ readonly id: string; readonly key: string }>;
  list(): Promise<KeyRow[]>;
  /** False when there is no such key, or it was revoked before. */
  revoke(id: string): Promise<boolean>;
  markUsed(ids: readonly string[]): Promise<void>;
}

export interface NewKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly projectId: number;
  readonly expiresAt?: Date;
  /** Export requests a second that each collector takes with it. */
  readonly maxRequestsPerSecond?: number;
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

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function createKeyStore(sql: Sql, schema: string): KeyStore {
  const table = () => sql(`${schema}.api_keys`);
  return {
    load: async () => [
      ...(await sql<StoredKey[]>`
        SELECT id, project_id AS "projectId", hash, scopes, expires_at AS "expiresAt", revoked_at AS "revokedAt",
          max_requests_per_second AS "maxRequestsPerSecond" FROM ${table()}`),
    ],
    async create({ name, scopes, projectId, expiresAt, maxRequestsPerSecond }) {
      const key = generateKey();
      const id = randomUUID();
      await sql`INSERT INTO ${table()} (project_id, id, name, prefix, hash, scopes, created_at, expires_at, max_requests_per_second)
        VALUES (${projectId}, ${id}, ${name}, ${prefixOf(key)}, ${hashKey(key)}, ${[...scopes]}, ${new Date()}, ${expiresAt ?? null},
          ${maxRequestsPerSecond ?? null})`;
      return { id, key };
    },
    list: async () => [
      ...(await sql<KeyRow[]>`
        SELECT id, name, prefix, project_id, scopes, created_at, last_used_at, expires_at, revoked_at, max_requests_per_second
        FROM ${table()} ORDER BY created_at, id`),
    ],
    async revoke(id) {
      if (!UUID.test(id)) return false;
      const revoked = await sql`UPDATE ${table()} SET revoked_at = ${new Date()} WHERE id = ${id} AND revoked_at IS NULL RETURNING 1`;
      return revoked.length > 0;
    },
    async markUsed(ids) {
      await sql`UPDATE ${table()} SET last_used_at = ${new Date()} WHERE id = ANY(${[...ids]}::uuid[])`;
    },
  };
}
