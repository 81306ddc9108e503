/** Where a text stands: what `redact` is told. */
export type ContentPlace = "prompt" | "system" | "tools" | "variables" | "output" | "reasoning" | "error" | "image" | "metadata";

/**
 * What of prompts and answers is recorded: everything (`full`), nothing but numbers and names (`metadata`), or kind by kind.
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
  /** Pictures and files in messages: their bytes, a hash in place of them (default), or nothing. */
  readonly images?: "bytes" | "hash" | "none";
  /** Bytes of one prompt or answer, at most; the rest is cut and marked. Default: the limit of attributes. */
  readonly maxBytes?: number;
}

/** A policy with every kind decided. */
export interface ResolvedContent {
  readonly prompts: boolean;
  readonly outputs: boolean;
  readonly reasoning: boolean;
  readonly images: "bytes" | "hash" | "none";
  readonly maxBytes: number;
}

/** Decides every kind; `attributeBytes` is the bound of any attribute. */
export function resolveContent(policy: ContentPolicy, attributeBytes: number): ResolvedContent {
  if (policy === "metadata") return { prompts: false, outputs: false, reasoning: false, images: "none", maxBytes: attributeBytes };
  const { prompts = true, outputs = true, reasoning = true, images = "hash", maxBytes = attributeBytes } = policy === "full" ? {} : policy;
  return { prompts, outputs, reasoning, images, maxBytes: Math.min(maxBytes > 0 ? maxBytes : attributeBytes, attributeBytes) };
}
