import type { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Schema = Readonly<Record<string, Json>>;

/** One route of an OpenAPI document. */
export interface Operation {
  /** `get /api/generations/{id}`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  /** What a key must allow; of several, one is enough. */
  readonly scopes: readonly string[];
  readonly pathParameters: readonly string[];
  readonly queryParameters: readonly string[];
  readonly hasBody: boolean;
  readonly successStatus: number;
  /** Every status that is documented. */
  readonly statuses: readonly number[];
  /** Media types of success. */
  readonly types: readonly string[];
  /** Faults of a successful JSON answer; empty when it has the documented shape. */
  faultsOf(answer: unknown): string[];
}

interface Documented {
  readonly "x-scope": readonly string[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Documented>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** Reads the document that `app` serves. */
export async function readOpenApi(app: OpenAPIHono): Promise<{ readonly document: Document; readonly operations: readonly Operation[] }> {
  const document = (await (await app.request("http://localhost/openapi.json")).json()) as Document;
  const resolved = (schema: Json): Json => inlined(schema, document.components.schemas);
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, documented]) => operationOf({ path, method, documented, resolved })),
  );
  return { document, operations };
}

interface Found {
  readonly path: string;
  readonly method: string;
  readonly documented: Documented;
  readonly resolved: (schema: Json) => Json;
}

function operationOf({ path, method, documented, resolved }: Found): Operation {
  const [status = "200", success] = Object.entries(documented.responses).find(([code]) => code.startsWith("2")) ?? [];
  const content = success?.content ?? {};
  const schema = content["application/json"]?.schema;
  let shape: z.ZodType | undefined;
  return {
    name: `${method} ${path}`,
    method: method.toUpperCase(),
    path,
    scopes: documented["x-scope"],
    pathParameters: (documented.parameters ?? []).filter((parameter) => parameter.in === "path").map((parameter) => parameter.name),
    queryParameters: (documented.parameters ?? []).filter((parameter) => parameter.in === "query").map((parameter) => parameter.name),
    hasBody: documented.requestBody !== undefined,
    successStatus: Number(status),
    statuses: Object.keys(documented.responses).map(Number),
    types: Object.keys(content),
    faultsOf(answer) {
      shape ??= z.fromJSONSchema(resolved(schema ?? {}) as Parameters<typeof z.fromJSONSchema>[0]);
      const read = shape.safeParse(answer);
      return read.success ? [] : read.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    },
  };
}

const REFERENCE = "#/components/schemas/";

/** Schemas in place of the references to them; none of ours refers to itself. */
function inlined(schema: Json, schemas: Readonly<Record<string, Schema>>): Json {
  if (Array.isArray(schema)) return schema.map((each: Json) => inlined(each, schemas));
  if (typeof schema !== "object" || schema === null) return schema;
  const { $ref } = schema as Schema;
  if (typeof $ref === "string") return inlined(schemas[$ref.slice(REFERENCE.length)] ?? {}, schemas);
  return Object.fromEntries(Object.entries(schema as Schema).map(([key, value]) => [key, inlined(value, schemas)]));
}
