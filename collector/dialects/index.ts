import type { SpanView } from "../otlp/span-view.ts";
import { anthropic } from "./anthropic.ts";
import { claudeCode } from "./claude-code.ts";
import type { Dialect, ReadRole, SpanRole } from "./dialect.ts";
import { flue } from "./flue.ts";
import { geminiCli } from "./gemini-cli.ts";
import { clearDraft, conceptText, type GenerationDraft, hasConcept, supply, withdraw } from "./generation-draft.ts";
import { generic } from "./generic.ts";
import { genkit } from "./genkit.ts";
import { genspan } from "./genspan.ts";
import { googleAdk } from "./google-adk.ts";
import { haystack } from "./haystack.ts";
import { laminar } from "./laminar.ts";
import { langfuse } from "./langfuse.ts";
import { langsmith } from "./langsmith.ts";
import { litellm } from "./litellm.ts";
import { livekit } from "./livekit.ts";
import { isAnnouncement, logfire } from "./logfire.ts";
import { mastra } from "./mastra.ts";
import { mlflow } from "./mlflow.ts";
import { openinference } from "./openinference.ts";
import { openlit } from "./openlit.ts";
import { isFramework } from "./providers.ts";
import { createRegistry } from "./registry.ts";
import { semanticKernel } from "./semantic-kernel.ts";
import { semconv } from "./semconv.ts";
import { buildFromEvents } from "./semconv-events.ts";
import { chooseSentCost } from "./sent-cost.ts";
import { spanName } from "./span-facts.ts";
import { springAi } from "./spring-ai.ts";
import { strands } from "./strands.ts";
import { traceloop } from "./traceloop.ts";
import { createCountRepair } from "./usable-counts.ts";
import { vercel } from "./vercel.ts";
import { voltagent } from "./voltagent.ts";
import { keepUsageOnly, mayTellUsage } from "./wrapper-usage.ts";

/**
 * All dialects. Their order is the order of trust where two sources of one concept stand on a span (the conventions first), and, read from
 * the end, the order in which they are asked what a span is: a framework that marks its spans knows best which of them are calls.
 */
export const DIALECTS: readonly Dialect[] = [
  semconv,
  anthropic,
  openlit,
  strands,
  semanticKernel,
  springAi,
  googleAdk,
  geminiCli,
  litellm,
  traceloop,
  vercel,
  logfire,
  mastra,
  laminar,
  livekit,
  haystack,
  genkit,
  mlflow,
  langsmith,
  flue,
  voltagent,
  claudeCode,
  openinference,
  langfuse,
  genspan,
  generic,
];

const registry = createRegistry(DIALECTS);
const repairCounts = createCountRepair(DIALECTS);
const bits = DIALECTS.map((dialect) => registry.bitOf(dialect));
const SEMCONV = registry.bitOf(semconv);
const LOGFIRE = registry.bitOf(logfire);
const GENERIC = registry.bitOf(generic);

/** Fills `draft` when the span is one model call or announces one; undefined for a span that has nothing to do with models. */
export function readGeneration(view: SpanView, draft: GenerationDraft): ReadRole | undefined {
  const candidates = registry.candidates(view);
  if (candidates === 0) return undefined;
  clearDraft(draft);
  registry.collect(view, draft);
  let role: SpanRole | undefined;
  let owner = DIALECTS.length;
  while (role === undefined && owner > 0) if ((candidates & bits[--owner]!) !== 0) role = DIALECTS[owner]!.classify(view, draft);
  const announces = (candidates & LOGFIRE) !== 0 && isAnnouncement(view);
  if (announces) role = role === "call" ? "pending" : "wrapper";
  if (role === undefined || (role === "wrapper" && (announces || !mayTellUsage(view, draft)))) return role;
  chooseSentCost(view, draft);
  repairCounts(view, draft);
  draft.wraps = role === "wrapper";
  complete(view, draft, { candidates, owner });
  if (role !== "wrapper") return role;
  return keepUsageOnly(view, draft) ? "wrapper-with-usage" : "wrapper";
}

interface Speakers {
  /** The dialects that may speak for the span, as a bit mask. */
  readonly candidates: number;
  /** The one that knew what it is. */
  readonly owner: number;
}

function complete(view: SpanView, draft: GenerationDraft, { candidates, owner }: Speakers): void {
  draft.dialect = DIALECTS[owner]!.name;
  DIALECTS[owner]!.complete?.(view, draft);
  // Bare names mean nothing where another dialect speaks.
  const others = (candidates & ~(SEMCONV | GENERIC)) === 0 ? candidates : candidates & ~GENERIC;
  for (let i = 0; i < DIALECTS.length; i++) if (i !== owner && (others & bits[i]!) !== 0) DIALECTS[i]!.complete?.(view, draft);
  settle(view, draft, candidates);
}

/**
 * What holds for every dialect: exceptions and content of span events are read, a framework is no provider, and a call whose request does not
 * name its model used the one that answered, or the one in its span's name, which the conventions make of operation and model.
 */
function settle(view: SpanView, draft: GenerationDraft, candidates: number): void {
  if (view.events.count > 0 && (candidates & SEMCONV) === 0) buildFromEvents(view, draft);
  if (isFramework(conceptText(view, draft, "provider"))) withdraw(draft, "provider");
  if (conceptText(view, draft, "model") === UNKNOWN) withdraw(draft, "model");
  if (!hasConcept(draft, "model") && hasConcept(draft, "responseModel")) {
    supply(draft, "model", conceptText(view, draft, "responseModel"), "response model");
  }
  if (!hasConcept(draft, "model")) supply(draft, "model", modelInName(spanName(view), conceptText(view, draft, "operation")), "span name");
}

/** What some frameworks say where they do not know the model. */
const UNKNOWN = "unknown";

/** `image_generation dall-e-3` */
function modelInName(name: string, operation: string | undefined): string | undefined {
  if (operation === undefined || !name.startsWith(`${operation} `)) return undefined;
  const model = name.slice(operation.length + 1);
  return /^\S+$/.test(model) && model !== UNKNOWN ? model : undefined;
}
