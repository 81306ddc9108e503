import { randomBytes } from "node:crypto";
import { migrate } from "../../schema/migrate.ts";
import { SchemaError } from "../../schema/schema-error.ts";
import { dropSqlLogin, ensureSqlLogin } from "../../schema/sql-login.ts";
import { projectEndIn } from "../app/privacy.ts";
import { RequestError } from "../base/request-error.ts";
import type {
  Actions,
  DatabaseOptions,
  KeyRequest,
  KeySummary,
  MadeSqlLogin,
  ProjectSummary,
  PrunedRows,
  SqlLoginRequest,
} from "../cli/actions.ts";
import { CommandError, EXIT } from "../cli/exit-codes.ts";
import { audit } from "../commands/audit.ts";
import { previewProjectEnd, deleteProject as removeProject } from "../commands/delete-project.ts";
import { createKeyStore, type KeyStore } from "../commands/keys.ts";
import { createProject as makeProject, listProjects as readProjects } from "../commands/projects.ts";
import type { Writer } from "../commands/writer.ts";
import { createPool } from "../query/pool.ts";
import { archiveAccess } from "./archive.ts";
import { ownerUrl, withOwner } from "./database.ts";
import type { Host } from "./host.ts";

const CLI = "cli";

const withWriter = <T>(options: DatabaseOptions, make: boolean, work: (writer: Writer, url: string) => Promise<T>): Promise<T> =>
  withOwner(options, make, async (url) => {
    await migrate({ url, schema: options.schema });
    const sql = createPool(url, 1);
    try {
      return await work({ sql, schema: options.schema }, url);
    } finally {
      await sql.end({ timeout: 1 });
    }
  });

const withKeys = <T>(options: DatabaseOptions, make: boolean, work: (keys: KeyStore) => Promise<T>): Promise<T> =>
  withWriter(options, make, (writer) => work(createKeyStore(writer)));

/** Makes a key, and the database where there is none yet. Throws CommandError for a project that does not exist. */
export const createKey = (request: KeyRequest) =>
  withWriter(request, true, async (writer) => {
    if ((await readProjects(writer, request.projectId)).length === 0)
      throw new CommandError(EXIT.notFound, `There is no project ${request.projectId}: see "genspan project list".`);
    return createKeyStore(writer).create(request);
  });

export const revokeKey = (id: string, options: DatabaseOptions): Promise<boolean> => withKeys(options, false, (keys) => keys.revoke(id));

export const rotateKey = (id: string, options: Parameters<Actions["rotateKey"]>[1]) =>
  withKeys(options, false, (keys) => keys.rotate(id, options));

export const listKeys = (options: DatabaseOptions): Promise<readonly KeySummary[]> =>
  withKeys(options, false, async (keys) =>
    (await keys.list()).map((row) => ({
      id: row.id,
      name: row.name,
      projectId: row.project_id,
      scopes: row.scopes,
      createdAt: row.created_at.toISOString(),
      lastUsedAt: row.last_used_at?.toISOString() ?? null,
      expiresAt: row.expires_at?.toISOString() ?? null,
      revokedAt: row.revoked_at?.toISOString() ?? null,
      maxRequestsPerSecond: row.max_requests_per_second,
    })),
  );

export const listProjects = (options: DatabaseOptions): Promise<readonly ProjectSummary[]> =>
  withWriter(options, false, async (writer) =>
    (await readProjects(writer)).map(({ id, name, created_at }) => ({ id, name, createdAt: created_at.toISOString() })),
  );

export const createProject = (name: string, options: DatabaseOptions): Promise<ProjectSummary> =>
  withWriter(options, true, async (writer) => {
    const { id, created_at } = await makeProject(writer, { name, actor: CLI }).catch((error: unknown) => {
      throw error instanceof RequestError ? new CommandError(EXIT.failure, "There is a project of that name already.") : error;
    });
    return { id, name, createdAt: created_at.toISOString() };
  });

/** Deletes a project with everything in it; see `deleteProject` of the commands. */
export const deleteProject = (id: number, options: Parameters<Actions["deleteProject"]>[1], host: Host): Promise<readonly PrunedRows[]> =>
  withWriter(options, false, async (writer, url) => {
    const end = projectEndIn(archiveAccess(writer, options, host), url);
    const missing = new CommandError(EXIT.notFound, `There is no project ${id}: see "genspan project list".`);
    if (options.dryRun && (await readProjects(writer, id)).length === 0) throw missing;
    const work = options.dryRun ? previewProjectEnd(writer, id) : removeProject({ ...writer, ...end, projectId: id, actor: CLI });
    const gone = await work.catch((error: unknown) => {
      if (!(error instanceof RequestError)) throw error;
      throw error.code === "not_found" ? missing : new CommandError(EXIT.failure, `It is not deleted: ${error.message}.`);
    });
    return Object.entries(gone).map(([table, rows]) => ({ table, partition: null, rows }));
  });

const PASSWORD_BYTES = 24;

/**
 * Makes a database login that can only read, and only one project. Throws CommandError where no database runs: one that was started for this moment
 * would be gone with the address that is told.
 */
export const createSqlLogin = ({ login, projectId, newProjectId, ...options }: SqlLoginRequest): Promise<MadeSqlLogin> =>
  withWriter({ ...options, databaseUrl: ownerUrl(options) }, false, async ({ sql, schema }, url) => {
    const password = randomBytes(PASSWORD_BYTES).toString("base64url");
    const project = projectId === undefined ? {} : { projectId };
    const made = await ensureSqlLogin({ url, schema, login, password, newProjectId, ...project }).catch((error: unknown) => {
      throw error instanceof SchemaError ? new CommandError(EXIT.failure, `${error.message}.`) : error;
    });
    await audit(sql, schema, { projectId: made.projectId, actor: CLI, action: "sql_login.create", subject: login });
    const address = new URL(url);
    address.username = login;
    address.password = password;
    return { url: address.href, projectId: made.projectId };
  });

export const removeSqlLogin: Actions["removeSqlLogin"] = ({ login, ...options }) =>
  withWriter(options, false, async ({ sql, schema }, url) => {
    const gone = await dropSqlLogin({ url, schema, login });
    if (gone === undefined) throw new CommandError(EXIT.notFound, `There is no login "${login}" that genspan made.`);
    await audit(sql, schema, { projectId: gone.projectId, actor: CLI, action: "sql_login.drop", subject: login });
    return gone.role;
  });
