/** Bytes that base64 text (standard or URL-safe, padded or not, no white space) stands for; undefined when it is none. */
export function sizeOfBase64(text: string): number | undefined {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) return undefined;
  const digits = text.replace(/=+$/, "").length;
  return digits % 4 === 1 ? undefined : Math.floor((digits * 3) / 4);
}
