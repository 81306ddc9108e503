import { readFileSync } from "node:fs";
import { z } from "zod";
import type { SunkSpan } from "./sink.ts";

interface AttributeFacts {
  readonly type: string;
  readonly required: boolean;
  readonly wellKnown?: readonly string[];
}

interface Facts {
  readonly inference: Readonly<Record<string, AttributeFacts>>;
  readonly replaced: readonly string[];
}

const facts = JSON.parse(readFileSync(new URL("../../fixtures/sdk/semconv-inference.json", import.meta.url), "utf8")) as Facts;

/** OTLP's number of SPAN_KIND_CLIENT. */
const CLIENT = 3;
const ERROR = 2;

const VARIABLE = "gen_ai.prompt.variable.";
const PLACES_OF_OPERATIONS = new Set(["chat", "text_completion", "generate_content"]);

const modality = z.string().min(1);
const mime = z.string().nullable().optional();

/** The parts of the conventions, each with the members that it must have; other types are generic. */
const PART = z.union([
  z.object({ type: z.literal("text"), content: z.string() }),
  z.object({ type: z.literal("reasoning"), content: z.string() }),
  z.object({ type: z.literal("tool_call"), id: z.string().optional(), name: z.string(), arguments: z.unknown().optional() }),
  z.object({ type: z.literal("tool_call_response"), id: z.string().optional(), response: z.unknown() }),
  z.object({ type: z.literal("blob"), modality, mime_type: mime, content: z.base64() }),
  z.object({ type: z.literal("uri"), modality, mime_type: mime, uri: z.string().regex(/^(?!data:)[a-z][a-z0-9+.-]*:/i) }),
  z.object({ type: z.literal("file"), modality, mime_type: mime, file_id: z.string() }),
  z.object({ type: z.string().regex(/^(?!(text|reasoning|tool_call|tool_call_response|blob|uri|file)$)/) }),
]);

const MESSAGE = z.object({
  role: z.string().min(1),
  parts: z.array(PART).min(1),
  name: z.string().optional(),
  finish_reason: z.string().optional(),
});

const STRUCTURED: Readonly<Record<string, z.ZodType>> = {
  "gen_ai.input.messages": z.array(MESSAGE).min(1),
  "gen_ai.output.messages": z.array(MESSAGE).min(1),
  "gen_ai.system_instructions": z.array(PART).min(1),
  "gen_ai.tool.definitions": z.array(z.object({ type: z.string(), name: z.string() })).min(1),
};

/**
 * What is wrong with an inference span by the conventions, one sentence each: attributes that they do not know, have replaced or type otherwise, required
 * ones that are missing, a name, kind or status of another form, messages of another shape.
 */
export function faultsOf(span: SunkSpan): string[] {
  const { attributes } = span;
  return [
    ...Object.entries(attributes).flatMap(([name, value]) => attributeFaults(name, value)),
    ...missing(attributes),
    ...formFaults(span),
  ];
}

function attributeFaults(name: string, value: unknown): string[] {
  if (facts.replaced.includes(name)) return [`${name} has been replaced`];
  if (!name.startsWith("gen_ai.")) return [];
  if (name.startsWith(VARIABLE)) return typeof value === "string" ? [] : [`${name} is no string`];
  const known = facts.inference[name];
  if (known === undefined) return [`${name} is no attribute of an inference span`];
  if (!hasType(value, known.type)) return [`${name} is no ${known.type}`];
  const shape = STRUCTURED[name];
  if (shape === undefined) return [];
  const checked = shape.safeParse(parsed(value));
  return checked.success ? [] : [`${name}: ${z.prettifyError(checked.error)}`];
}

/** JavaScript writes a double without a fraction as an integer. */
function hasType(value: unknown, type: string): boolean {
  if (type === "any") return typeof value === "string";
  if (type === "string[]") return Array.isArray(value) && value.every((each) => typeof each === "string");
  if (type === "int") return Number.isSafeInteger(value);
  if (type === "double") return typeof value === "number";
  return typeof value === type;
}

function parsed(value: unknown): unknown {
  try {
    return JSON.parse(String(value));
  } catch {
    return undefined;
  }
}

const missing = (attributes: SunkSpan["attributes"]): string[] =>
  Object.entries(facts.inference).flatMap(([name, { required }]) =>
    required && attributes[name] === undefined ? [`${name} is missing`] : [],
  );

function formFaults({ name, kind, status, attributes }: SunkSpan): string[] {
  const operation = String(attributes["gen_ai.operation.name"]);
  const expected = `${operation} ${String(attributes["gen_ai.request.model"])}`;
  const failed = status.code === ERROR;
  return [
    ...(name === expected ? [] : [`the name is ${name} instead of ${expected}`]),
    ...(kind === CLIENT ? [] : [`the kind is ${kind}`]),
    ...(PLACES_OF_OPERATIONS.has(operation) || operation === "embeddings" ? [] : [`${operation} is no inference`]),
    ...(failed === (attributes["error.type"] !== undefined) ? [] : ["error.type and an error status go together"]),
    ...(failed || status.code === 0 ? [] : ["the status of a success is unset"]),
  ];
}
