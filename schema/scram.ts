import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

/** PostgreSQL's own default; more only slows every new connection. */
const ITERATIONS = 4096;

/**
 * What PostgreSQL stores of a password (RFC 5802, SCRAM-SHA-256), to be given to CREATE ROLE … PASSWORD in the password's place:
 * then the password itself never stands in a statement, which servers may log. For ASCII passwords only: others need SASLprep first.
 */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, "sha256");
  const keyOf = (text: string) => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(keyOf("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${storedKey}:${keyOf("Server Key").toString("base64")}`;
}
