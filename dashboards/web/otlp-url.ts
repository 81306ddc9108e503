const EVERY_ADDRESS = /^(0\.0\.0\.0|\[::\])$/;
/** What a Host header may bring into a command that people copy into a shell. */
const PLAIN_NAME = /^[a-z0-9.-]+$|^\[[0-9a-f:.]+\]$/i;

/** Where a visitor sends telemetry to: as bound, or by the name the visitor came by where we are bound to every address. */
export function reachableUrl(boundUrl: string, visitedName: string): string {
  if (!URL.canParse(boundUrl) || !PLAIN_NAME.test(visitedName)) return boundUrl;
  const { hostname, port } = new URL(boundUrl);
  return EVERY_ADDRESS.test(hostname) ? `http://${visitedName}:${port || 80}` : boundUrl;
}
