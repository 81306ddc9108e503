import { migrate } from "../../schema/migrate.ts";
import type { DatabaseOptions, KeyRequest, KeySummary } from "../cli/actions.ts";
import { createKeyStore, type KeyStore } from "../commands/keys.ts";
import { createPool } from "../query/pool.ts";
import { withOwner } from "./database.ts";

const withKeys = <T>(options: DatabaseOptions, make: boolean, work: (keys: KeyStore) => Promise<T>): Promise<T> =>
  withOwner(options, make, async (url) => {
    await migrate({ url, schema: options.schema });
    const sql = createPool(url, 1);
    try {
      return await work(createKeyStore(sql, options.schema));
    } finally {
      await sql.end({ timeout: 1 });
    }
  });

export const createKey = (request: KeyRequest) => withKeys(request, true, (keys) => keys.create(request));

export const revokeKey = (id: string, options: DatabaseOptions): Promise<boolean> => withKeys(options, false, (keys) => keys.revoke(id));

export const listKeys = (options: DatabaseOptions): Promise<readonly KeySummary[]> =>
  withKeys(options, false, async (keys) =>
    (await keys.list()).map((row) => ({
      id: row.id,
      name: row.name,
      projectId: row.project_id,
      scopes: row.scopes,
      createdAt: row.created_at.toISOString(),
      lastUsedAt: row.last_used_at?.toISOString() ?? null,
      revokedAt: row.revoked_at?.toISOString() ?? null,
      maxRequestsPerSecond: row.max_requests_per_second,
    })),
  );
