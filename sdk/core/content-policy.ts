/** Where a text stands: what `redact` is told. */
export type ContentPlace = "prompt" | "system" | "tools" | "variables" | "output" | "reasoning" | "error" | "image" | "metadata";

/**
 * What of prompts and answers is recorded: everything (`full`), nothing but numbers and names (`metadata`), or kind by kind. Facts that the application adds by
 * itself (`metadata`, `attributes`, names and titles) are recorded whatever the policy.
 */
export type ContentPolicy = "full" | "metadata" | ContentKinds;

/** Kinds of content, each recorded unless switched off. */
export interface ContentKinds {
  /** Messages, system instructions, variables, tool definitions. */
  readonly prompts?: boolean;
  /** The answer. */
  readonly outputs?: boolean;
  /** The model's reasoning. */
  readonly reasoning?: boolean;
  /** Messages and tracebacks of errors, which may quote a prompt: default as `prompts`. Without them an error keeps its type and its status code. */
  readonly errors?: boolean;
  /** Pictures and files in messages: their bytes, a hash in place of them (default), or nothing, not even their addresses and ids. */
  readonly images?: "bytes" | "hash" | "none";
  /** Bytes of one prompt or answer, at most; the rest is cut and marked. Default: the limit of attributes. */
  readonly maxBytes?: number;
}

/** A policy with every kind decided. */
export interface ResolvedContent {
  readonly prompts: boolean;
  readonly outputs: boolean;
  readonly reasoning: boolean;
  readonly errors: boolean;
  readonly images: "bytes" | "hash" | "none";
  readonly maxBytes: number;
}

const NOTHING: ContentKinds = { prompts: false, outputs: false, reasoning: false, errors: false, images: "none" };

/** Decides every kind; `attributeBytes` is the bound of any attribute. */
export function resolveContent(policy: ContentPolicy, attributeBytes: number): ResolvedContent {
  const kinds = policy === "metadata" ? NOTHING : policy === "full" ? {} : policy;
  const { prompts = true, outputs = true, reasoning = true, errors = prompts, images = "hash", maxBytes = attributeBytes } = kinds;
  return { prompts, outputs, reasoning, errors, images, maxBytes: Math.min(maxBytes > 0 ? maxBytes : attributeBytes, attributeBytes) };
}
