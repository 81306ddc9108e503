import { z } from "@hono/zod-openapi";
import { SCOPES } from "../../base/api-key.ts";
import { RequestError } from "../../base/request-error.ts";
import { createKeyStore, type KeyRow } from "../../commands/keys.ts";
import { type Api, onlyKeys } from "../route.ts";

const iso = z.string().nullable();
const KeySummary = z
  .object({
    id: z.string(),
    name: z.string(),
    prefix: z.string().openapi({ description: "first characters of the key, to recognise it by" }),
    scopes: z.array(z.enum(SCOPES)),
    created_at: z.string(),
    last_used_at: iso,
    expires_at: iso,
    revoked_at: iso,
    max_requests_per_second: z.number().nullable(),
  })
  .openapi("Key");

const MAX_NAME_CHARS = 200;
const NewKey = z.strictObject({
  name: z.string().min(1).max(MAX_NAME_CHARS),
  scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
  expires_at: z.iso.datetime({ offset: true }).optional(),
  max_requests_per_second: z.int().min(1).max(1_000_000).optional(),
});
const MAX_GRACE_HOURS = 24 * 30;
const Rotation = z.strictObject({
  grace_hours: z
    .number()
    .min(0)
    .max(MAX_GRACE_HOURS)
    .optional()
    .openapi({ description: "how long the old key goes on working; without it 24" }),
});
const Made = z.object({ id: z.string(), key: z.string().openapi({ description: "shown this once" }) });
const Params = z.object({ id: z.string() });

const DEFAULT_GRACE_HOURS = 24;
const HOUR_MS = 3_600_000;
/** As `Call.actor` says that nobody showed a key. */
const LOCAL = "local";

/** Keys of the project: none can make another. */
export function keyRoutes({ route, services: { writer } }: Api): void {
  const store = (actor: string) => createKeyStore({ ...writer, actor });
  route(
    {
      method: "get",
      path: "/api/keys",
      tag: "keys",
      summary: "Keys of the project, without the keys themselves, of which only hashes are kept",
      scope: "admin",
      answer: z.object({ data: z.array(KeySummary) }),
    },
    async ({ projectId, actor, query }) => {
      onlyKeys(query, []);
      return { data: (await store(actor).list(projectId)).map(summaryOf) };
    },
  );
  route(
    {
      method: "post",
      path: "/api/keys",
      tag: "keys",
      summary: "Makes a key; only from this machine while no key exists, otherwise by `genspan key create`",
      scope: "admin",
      body: NewKey,
      answer: Made,
      status: 201,
    },
    async ({ projectId, actor, body }) => {
      refuseKeys(actor);
      const expiresAt = body.expires_at === undefined ? undefined : new Date(body.expires_at);
      if (expiresAt !== undefined && expiresAt.getTime() <= Date.now())
        throw new RequestError("bad_request", "expires_at must lie in the future");
      return store(actor).create({
        ...{ name: body.name, scopes: [...new Set(body.scopes)], projectId },
        ...(expiresAt === undefined ? {} : { expiresAt }),
        ...(body.max_requests_per_second === undefined ? {} : { maxRequestsPerSecond: body.max_requests_per_second }),
      });
    },
  );
  route(
    {
      method: "delete",
      path: "/api/keys/{id}",
      tag: "keys",
      summary: "Ends a key; collectors follow within two seconds",
      scope: "admin",
      params: Params,
      answer: z.object({ revoked: z.literal(true) }),
    },
    async ({ projectId, actor, params }) => {
      if (!(await store(actor).revoke(params.id, projectId))) throw noSuchKey();
      return { revoked: true };
    },
  );
  route(
    {
      method: "post",
      path: "/api/keys/{id}/rotate",
      tag: "keys",
      summary: "A new key in place of this one, which goes on working for a time of grace; not by a key",
      scope: "admin",
      params: Params,
      body: Rotation,
      answer: Made,
      status: 201,
    },
    async ({ projectId, actor, params, body }) => {
      refuseKeys(actor);
      const made = await store(actor).rotate(params.id, { projectId, graceMillis: (body.grace_hours ?? DEFAULT_GRACE_HOURS) * HOUR_MS });
      if (made === undefined) throw noSuchKey();
      return made;
    },
  );
}

/** A key that leaked must not be able to outlive its end by making others. */
function refuseKeys(actor: string): void {
  if (actor !== LOCAL) throw new RequestError("forbidden", 'a key cannot make keys: use "genspan key create" on the collector\'s machine');
}

const noSuchKey = (): RequestError => new RequestError("not_found", "there is no usable key of that id in this project");

function summaryOf({ project_id: _project, ...key }: KeyRow): z.infer<typeof KeySummary> {
  const time = (date: Date | null): string | null => date?.toISOString() ?? null;
  return {
    ...key,
    scopes: [...key.scopes],
    created_at: key.created_at.toISOString(),
    last_used_at: time(key.last_used_at),
    expires_at: time(key.expires_at),
    revoked_at: time(key.revoked_at),
  };
}
