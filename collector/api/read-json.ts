import type { z } from "@hono/zod-openapi";
import { RequestError } from "../base/request-error.ts";
import { parseStorable } from "../base/storable-json.ts";

export interface JsonBody<S extends z.ZodType> {
  readonly schema: S;
  readonly maxBytes: number;
}

/** Reads a JSON body within its limit and checks its shape; every fault is named with its path. */
export async function readJson<S extends z.ZodType>(request: Request, { schema, maxBytes }: JsonBody<S>): Promise<z.infer<S>> {
  const type = request.headers.get("content-type") ?? "";
  const text = await readText(request, maxBytes);
  if (text !== "" && !/^application\/([\w.+-]+\+)?json\s*(;|$)/i.test(type))
    throw new RequestError("unsupported_type", "send the body as application/json");
  const read = schema.safeParse(text === "" ? {} : parsed(text));
  if (read.success) return read.data as z.infer<S>;
  const faults = read.error.issues.map((issue) => `${issue.path.length === 0 ? "body" : issue.path.join(".")}: ${issue.message}`);
  throw new RequestError("bad_request", faults.slice(0, 20).join("; "), faults.slice(0, 20));
}

/** Also where the length is not told or is a lie: what goes beyond the limit is not read. */
export async function readText(request: Request, maxBytes: number): Promise<string> {
  const tooLarge = new RequestError("too_large", `the body is larger than ${maxBytes} bytes`);
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge;
  if (request.body === null) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge;
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new RequestError("bad_request", "the body is not UTF-8");
  }
}

function parsed(text: string): unknown {
  try {
    return parseStorable(text);
  } catch {
    throw new RequestError("bad_request", "the body is no JSON");
  }
}
