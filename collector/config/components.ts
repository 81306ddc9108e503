import { attributes } from "./components/attributes.ts";
import { debug, postgres } from "./components/exporters.ts";
import { web } from "./components/extensions.ts";
import { genaiMapping } from "./components/genai-mapping.ts";
import { memoryLimiter } from "./components/memory-limiter.ts";
import { otlp } from "./components/receivers.ts";
import { redaction } from "./components/redaction.ts";
import type { Findings, Reader } from "./shape.ts";

/** Every component there is, by kind and type: what is not here is refused by name. */
export const COMPONENTS = {
  receivers: { otlp },
  processors: { memory_limiter: memoryLimiter, attributes, genai_mapping: genaiMapping, redaction },
  exporters: { postgres, debug },
  extensions: { web },
} as const satisfies Record<string, Record<string, Reader<unknown>>>;

export type Kind = keyof typeof COMPONENTS;

/** The configuration of one component: its type, and its options with all defaults filled in. */
export type Component<K extends Kind> = {
  [T in keyof (typeof COMPONENTS)[K]]: {
    readonly type: T;
    readonly options: (typeof COMPONENTS)[K][T] extends Reader<infer O> ? O : never;
  };
}[keyof (typeof COMPONENTS)[K]];

/** Types that the Collector has and genspan has not: what to use in their place. */
const INSTEAD: Readonly<Record<string, string>> = {
  batch: "requests are batched by the exporter; leave it out",
  transform: "its language is not supported; use attributes",
  otlphttp: "forwarding is not supported yet",
  otlp_http: "forwarding is not supported yet",
  otlp: "forwarding is not supported yet",
  otlp_grpc: "forwarding is not supported yet",
};

/** The names that may stand in a section, and what to use for one that may not. */
export function unknownType(kind: Kind, { type, text }: { readonly type: string; readonly text: string }): string {
  const instead = Object.hasOwn(INSTEAD, type) ? `; ${INSTEAD[type]}` : "";
  return `unknown type: "${type}" for id: "${text}" (valid values: [${Object.keys(COMPONENTS[kind]).join(" ")}])${instead}`;
}

/** Reads the body of the component with this id; undefined for a type there is not. */
export function readComponent(kind: Kind, id: { readonly type: string; readonly text: string }, input: ComponentInput): unknown {
  const readers: Readonly<Record<string, Reader<unknown>>> = COMPONENTS[kind];
  if (!Object.hasOwn(readers, id.type)) return undefined;
  const prefix = `error reading configuration for "${id.text}": `;
  return readers[id.type]?.(input.body, { path: `${kind}::${id.text}`, findings: input.findings, prefix });
}

interface ComponentInput {
  readonly body: unknown;
  readonly findings: Findings;
}
