import { createHash } from "node:crypto";

export const SUBJECT_KINDS = ["user", "conversation", "entity", "trace", "generation"] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

/** Of whom or what everything is asked for. */
export interface Subject {
  readonly kind: SubjectKind;
  /** The id; of an entity `type:id`, of a generation `traceid-spanid`. */
  readonly value: string;
}

/** Values of attributes that name the subject, and which attributes do (a regular expression on their names). */
export interface Naming {
  readonly value: string;
  readonly attributes: string;
}

/** Names of attributes by which instrumentations tell a user or a conversation; a test holds them to the dialects' own lists. */
const ATTRIBUTES: Readonly<Partial<Record<SubjectKind, string>>> = {
  user: "(^|[._-])(end_?user|user|customer|account|participant)([._-]?(id|identity|name|email|account_uuid))?$",
  conversation: "(session|conversation|thread|room)([._-]?(id|name))?$",
};

/** How spans, resources and log records name a user or conversation; undefined for what they only name by columns. */
export function namingOf({ kind, value }: Subject): Naming | undefined {
  const attributes = ATTRIBUTES[kind];
  return attributes === undefined ? undefined : { value, attributes };
}

/** `type:id` in its two parts. */
export function entityOf({ value }: Subject): { readonly type: string; readonly id: string } {
  const colon = value.indexOf(":");
  return { type: value.slice(0, colon), id: value.slice(colon + 1) };
}

/** A generation's trace and span. */
export function spanOf({ value }: Subject): { readonly traceId: string; readonly spanId: string } {
  const dash = value.indexOf("-");
  return { traceId: value.slice(0, dash), spanId: value.slice(dash + 1) };
}

const FORMS: Readonly<Record<SubjectKind, readonly [RegExp, string]>> = {
  user: [/^.{1,1000}$/s, "the user's id"],
  conversation: [/^.{1,1000}$/s, "the conversation's id"],
  entity: [/^[^:]{1,500}:.{1,500}$/s, "type:id"],
  trace: [/^[0-9a-f]{32}$/, "32 hexadecimal digits"],
  generation: [/^[0-9a-f]{32}-[0-9a-f]{16}$/, "traceid-spanid"],
};

/** What is wrong with a subject, or undefined. */
export function subjectFault({ kind, value }: Subject): string | undefined {
  const [form, words] = FORMS[kind];
  return form.test(value) && !value.includes("\0") ? undefined : `${kind} must be ${words}`;
}

/** By which an erasure is recognised when it is asked for again; the value itself is not kept. */
export const subjectHash = ({ kind, value }: Subject): Buffer => createHash("sha256").update(`${kind}\n${value}`).digest();
