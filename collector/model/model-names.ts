/** What else a model may be called by who sells it: `gpt-4o-2024-08-06` and `claude-sonnet-4-5@20250929` cost what their family costs. */
const VERSION = /(?:[-@:](?:\d{8}|\d{4}-\d{2}-\d{2}|latest|\d{3}))+$/;
/** A router or a cloud in front of the name: `openai/gpt-4o`, `models/gemini-2.5-pro`. */
const ROUTE = /^(?:[a-z0-9_.-]+\/)+/i;
/** Of a service tier; not a version such as `@20250929` or `@latest`. */
const TIER = /@(?!latest$)[a-z][a-z_ -]*$/;

/**
 * Names under which the price of a model may stand, the nearest first, in lower case. `model` may end with a service tier (`model@tier`), which all of them keep.
 * The provider is the conventions' own word.
 */
export function namesOf(model: string, provider: string | undefined): string[] {
  const whole = model.toLowerCase();
  const tier = TIER.exec(whole)?.[0] ?? "";
  const name = whole.slice(0, whole.length - tier.length);
  return [...new Set(formsOf(name, provider))].map((each) => each + tier);
}

function formsOf(name: string, provider: string | undefined): string[] {
  if (provider === "aws.bedrock") return bedrockForms(name);
  if (provider === undefined) return unsoldForms(name);
  const bare = name.replace(ROUTE, "");
  return [name, bare, bare.replace(VERSION, "")];
}

/** Who serves `openai/gpt-oss-120b` or `mistral:latest` nobody can tell: routes and tags are names of routers, hubs and one's own machine. */
function unsoldForms(name: string): string[] {
  const bare = name.replace(/^models\//, "");
  if (BEDROCK.test(bare)) return bedrockForms(bare);
  return /[/:]/.test(bare) ? [] : [bare, bare.replace(VERSION, "")];
}

/** Bedrock's names say who made the model: `anthropic.claude-…`, `eu.amazon.nova-…`; those of its inference profiles stand in ARNs, too. */
const BEDROCK = /^(?:arn:aws[a-z-]*:bedrock:|(?:[a-z-]+\.)?(?:ai21|amazon|anthropic|cohere|deepseek|meta|mistral|writer)\.[a-z])/;
/** `arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.…`; one of an application's own profile says nothing of the model. */
const BEDROCK_ARN = /^arn:aws[a-z-]*:bedrock:[a-z0-9-]*:\d*:(?:inference-profile|foundation-model)\//;
/** Regions within which a profile chooses; `global` has prices of its own where these differ, and GovCloud is another price list. */
const REGION = /^(?:us|eu|apac|au|jp|ca|global)\./;
/** `-20250929-v1:0`, `-v1`, `:0`, and how long a prompt may be (`:48k`). */
const BEDROCK_VERSION = /(?:-\d{8})?(?:-v\d+)?(?::\d+)?(?::\d+k)?$/;

function bedrockForms(name: string): string[] {
  const id = name.replace(BEDROCK_ARN, "").replace(ROUTE, "");
  return [name, ...[id, id.replace(REGION, "")].flatMap((each) => [each, each.replace(BEDROCK_VERSION, "")])];
}
