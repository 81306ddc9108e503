/** A curl that sends one real GenAI span with fresh ids and the current time; it runs in any POSIX shell. */
export const exampleCurl = (
  otlpUrl: string,
  keyHeader = "",
): string => `curl -sS ${otlpUrl}/v1/traces -H 'Content-Type: application/json'${keyHeader} -d '{"resourceSpans":[{
  "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"hello"}}]},
  "scopeSpans":[{"spans":[{
    "traceId":"'$(od -An -N16 -tx1 /dev/urandom | tr -d ' \\n')'","spanId":"'$(od -An -N8 -tx1 /dev/urandom | tr -d ' \\n')'",
    "name":"chat gpt-4o-mini","kind":3,
    "startTimeUnixNano":"'$(date +%s)'000000000","endTimeUnixNano":"'$(date +%s)'500000000",
    "attributes":[
      {"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},
      {"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},
      {"key":"gen_ai.request.model","value":{"stringValue":"gpt-4o-mini"}},
      {"key":"gen_ai.usage.input_tokens","value":{"intValue":"12"}},
      {"key":"gen_ai.usage.output_tokens","value":{"intValue":"7"}},
      {"key":"gen_ai.input.messages","value":{"stringValue":"[{\\"role\\":\\"user\\",\\"parts\\":[{\\"type\\":\\"text\\",\\"content\\":\\"Say hello\\"}]}]"}},
      {"key":"gen_ai.output.messages","value":{"stringValue":"[{\\"role\\":\\"assistant\\",\\"parts\\":[{\\"type\\":\\"text\\",\\"content\\":\\"Hello!\\"}],\\"finish_reason\\":\\"stop\\"}]"}}
    ]}]}]}]}'`;

/** The variables that any OpenTelemetry SDK reads. */
export const exampleVariables = (otlpUrl: string, needsKey: boolean): string =>
  [
    `export OTEL_EXPORTER_OTLP_ENDPOINT=${otlpUrl}`,
    "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
    ...(needsKey ? ['export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20YOUR_KEY"'] : []),
  ].join("\n");

export const EXAMPLE_QUERY = `npx genspan sql "SELECT logged_at, model_name, tokens_prompt, tokens_completion, prompt_full_text
  FROM generation_logs ORDER BY logged_at DESC LIMIT 10"`;
