import type { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { prefixOf, type Scope } from "../base/api-key.ts";
import { readCredentials } from "../base/credentials.ts";
import { RequestError } from "../base/request-error.ts";
import { codeOfRefusal, type ErrorCode, errorBody, explainError, statusOf } from "./errors.ts";
import { describeRoute } from "./openapi.ts";
import { isForeignOrigin } from "./origin.ts";
import { readJson } from "./read-json.ts";
import type { QueryParameter } from "./schemas.ts";
import type { Services } from "./services.ts";

/** A file of routes: it adds them to the API. */
export type RouteModule = (api: Api) => void;

/** What a file of routes is given. */
export interface Api {
  readonly services: Services;
  /** Answers other methods on the paths of the routes, to be called after all of them were added: 405 with what there is. */
  closeMethods(): void;
  /** Adds one route, with its place in the OpenAPI document. */
  route<P extends z.ZodObject, B extends z.ZodType>(spec: RouteSpec<P, B>, answer: Answer<P, B>): void;
}

export interface RouteSpec<P extends z.ZodObject = z.ZodObject, B extends z.ZodType = z.ZodType> {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** As OpenAPI writes it: /api/generations/{id}. */
  readonly path: string;
  /** The noun, under which the documentation lists it. */
  readonly tag: string;
  /** One line. */
  readonly summary: string;
  readonly description?: string;
  /** What the key must allow; of several, one is enough. */
  readonly scope: Scope | readonly Scope[];
  /** Values in the path. */
  readonly params?: P;
  /** Keys of the query string, for the documentation; the route reads and checks them itself, by `parseFilter` or `onlyKeys`. Without it, none is taken. */
  readonly query?: readonly QueryParameter[];
  /** JSON body. */
  readonly body?: B;
  readonly maxBodyBytes?: number;
  /** Body of a 200, for the documentation; the contract test holds every answer to it. */
  readonly answer: z.ZodType;
  /** Status of success. */
  readonly status?: 200 | 201 | 202;
  /** What it may refuse besides what its key, its path and its body make possible anyway, for the documentation. */
  readonly refusals?: readonly (404 | 409 | 413 | 415)[];
  /** The path names something that need not be there yet. */
  readonly createsByName?: true;
  /** Media type of a 200, application/json unless told. */
  readonly answerType?: string;
  /** Other media types that a 200 may have, such as text/csv. */
  readonly otherTypes?: readonly string[];
}

/** A request that passed the key check and whose path and body are valid. */
export interface Call<P extends z.ZodObject, B extends z.ZodType> {
  readonly projectId: number;
  /** Who asks, for the audit log: the beginning of the key, or `local` without one. */
  readonly actor: string;
  readonly params: z.infer<P>;
  readonly body: z.infer<B>;
  readonly query: URLSearchParams;
  /** Whether the key may still do this: an answer that goes on for long asks now and then, and ends when it may not. */
  readonly mayGoOn: () => Promise<boolean>;
  readonly context: Context;
}

/** What a route answers: data (sent as JSON), or a response of its own. Throws RequestError for what cannot be done. */
export type Answer<P extends z.ZodObject, B extends z.ZodType> = (call: Call<P, B>) => Promise<object | Response>;

/** A browser asks its user for Basic, with the key as password. */
export const CHALLENGE = 'Basic realm="genspan", charset="UTF-8", Bearer realm="genspan"';

const MAX_BODY_BYTES = 1024 * 1024;
const RETRY_AFTER_SECONDS = "3";

/** Adds routes to `app`: key check first, then origin, path, body; then the answer, or the error that the table of errors.ts says. */
export function createApi(app: OpenAPIHono, services: Services): Api {
  const methods = new Map<string, string[]>();
  return {
    services,
    closeMethods() {
      // A path of fixed words before the one that has a parameter in their place.
      const paths = [...methods].toSorted(([a], [b]) => a.split(":").length - b.split(":").length);
      for (const [path, allowed] of paths) {
        const allow = allowed.join(", ");
        app.all(path, (context) => context.json(errorBody("method_not_allowed", `here is only ${allow}`), 405, { Allow: allow }));
      }
    },
    route(spec, answer) {
      describeRoute(app, spec);
      const method = spec.method.toUpperCase();
      const path = spec.path.replace(/\{(\w+)\}/g, ":$1");
      methods.set(path, [...(methods.get(path) ?? []), ...(method === "GET" ? ["GET", "HEAD"] : [method])]);
      app.on(method, path, async (context) => {
        try {
          return await respond(context, { spec, answer, services });
        } catch (error) {
          return failed(context, error, services);
        }
      });
    },
  };
}

interface Responding<P extends z.ZodObject, B extends z.ZodType> {
  readonly spec: RouteSpec<P, B>;
  readonly answer: Answer<P, B>;
  readonly services: Services;
}

async function respond<P extends z.ZodObject, B extends z.ZodType>(context: Context, { spec, answer, services }: Responding<P, B>) {
  const permit = await permitOf(context, spec, services);
  if (permit.kind === "refused") return refuse(context, permit.code, permit.message);
  if (spec.method !== "get" && isForeignOrigin((name) => context.req.header(name)))
    return refuse(context, "forbidden", "a page of another site may not change anything here");
  const query = new URL(context.req.url).searchParams;
  if (spec.query === undefined) onlyKeys(query, []);
  const params = readParams(context, spec.params);
  const body =
    spec.body === undefined
      ? undefined
      : await readJson(context.req.raw, { schema: spec.body, maxBytes: spec.maxBodyBytes ?? MAX_BODY_BYTES });
  const mayGoOn = async (): Promise<boolean> => isSame(permit, await permitOf(context, spec, services));
  const said = await answer({ ...permit, params, body: body as z.infer<B>, query, mayGoOn, context });
  return said instanceof Response ? said : context.json(said, spec.status ?? 200, { "Cache-Control": "no-store" });
}

type Permit =
  | { readonly kind: "granted"; readonly projectId: number; readonly actor: string }
  | { readonly kind: "refused"; readonly code: ErrorCode; readonly message: string };

const isSame = (first: Permit, now: Permit): boolean =>
  first.kind === "granted" && now.kind === "granted" && first.projectId === now.projectId;

async function permitOf(context: Context, { scope }: RouteSpec, { authenticate }: Services): Promise<Permit> {
  const credentials = readCredentials((name) => context.req.header(name));
  let refused: Permit | undefined;
  for (const each of [scope].flat()) {
    const permit = await authenticate(credentials, each as Scope);
    const actor = credentials.key === undefined || permit.kind !== "granted" ? "local" : prefixOf(credentials.key);
    if (permit.kind === "granted") return { kind: "granted", projectId: permit.projectId, actor };
    refused ??= { kind: "refused", code: codeOfRefusal(permit.reason), message: permit.message };
  }
  return refused ?? { kind: "refused", code: "forbidden", message: "nobody may do this" };
}

function readParams<P extends z.ZodObject>(context: Context, schema: P | undefined): z.infer<P> {
  const given = context.req.param() as Record<string, string>;
  if (schema === undefined) return given as z.infer<P>;
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  throw new RequestError("bad_request", read.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "));
}

/** An error of the API's own shape. */
export function refuse(context: Context, code: ErrorCode, message: string): Response {
  const headers: Record<string, string> = {};
  if (code === "unauthenticated") headers["WWW-Authenticate"] = CHALLENGE;
  if (code === "unavailable" || code === "overload") headers["Retry-After"] = RETRY_AFTER_SECONDS;
  return context.json(errorBody(code, message), statusOf(code), headers);
}

function failed(context: Context, error: unknown, { log }: Services): Response {
  const { status, body } = explainError(error);
  if (status === 500)
    log.error({ error: error instanceof Error ? error.name : "unknown", route: context.req.routePath }, "a request of the API failed");
  return context.json(body, status, body.error.code === "unavailable" ? { "Retry-After": RETRY_AFTER_SECONDS } : {});
}

/** Refuses keys that the route does not know, with those that it knows. */
export function onlyKeys(query: URLSearchParams, known: readonly string[]): void {
  const faults = [...new Set(query.keys())]
    .filter((key) => !known.includes(key))
    .map((key) => `${JSON.stringify(key.slice(0, 40))} is no key`);
  if (faults.length > 0)
    throw new RequestError("bad_request", `${faults.join("; ")}. Keys: ${known.length === 0 ? "none" : known.join(", ")}`, faults);
}
