import type { SpanSpec } from "../../../support/otlp-json.ts";

export type Row = Record<string, unknown>;
export type Attributes = NonNullable<SpanSpec["attributes"]>;
export type Events = NonNullable<SpanSpec["events"]>;
type Call = Omit<SpanSpec, "id">;

/** Attributes that are added to a call, and what its row must then say that it did not say before. */
export interface Probe extends Pick<Call, "name" | "error" | "events"> {
  readonly attributes: Attributes;
  readonly says: Row;
}

/** What one dialect of the list of attributes means. */
export interface Mapping {
  /** How the list's name of the dialect begins. */
  readonly dialect: string;
  /** A call with the dialect's signs and little else. */
  readonly call: Call;
  readonly probes: readonly Probe[];
  /** Attributes of spans around calls: none of them is counted. */
  readonly around?: readonly Attributes[];
  /** Attributes that no column holds, by the reason: they stay on the span. */
  readonly kept?: Readonly<Record<string, readonly string[]>>;
  /** Words of the list that are shown elsewhere, by where. */
  readonly elsewhere?: Readonly<Record<string, readonly string[]>>;
}

export const probe = (attributes: Attributes, says: Row, more: Pick<Probe, "name" | "error" | "events"> = {}): Probe => ({
  attributes,
  says,
  ...more,
});

/** Attributes with one value each that go to one column as they are. */
export const columns = (values: Readonly<Record<string, readonly [value: Attributes[string], says: Row]>>): Probe[] =>
  Object.entries(values).map(([name, [value, says]]) => probe({ [name]: value }, says));

export const json = (value: unknown): string => JSON.stringify(value);
export const text = (content: string): object => ({ type: "text", content });
export const message = (role: string, ...parts: readonly object[]): object => ({ role, parts });
export const prompt = (...messages: readonly object[]): Row => ({ prompt_full_text: messages });
export const response = (...messages: readonly object[]): Row => ({ response_full_text: messages });
export const HI = message("user", text("Hi"));
export const HO = message("assistant", text("Ho"));
export const CALLING = { type: "tool_call", id: "c1", name: "get_weather", arguments: { city: "Utrecht" } };
export const CHAT: Attributes = { "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m" };

/** Reasons why an attribute has no column. */
export const TOOL = "about a tool's run, which is no model call";
export const AGENT = "about the agent around the call";
export const SEARCH = "about a search, which is no model call";
export const BREAKDOWN = "a part of a count, which the row has whole";
export const NO_COLUMN = "a fact that no column holds";
