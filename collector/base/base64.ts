/** Bytes that base64 text (standard or URL-safe, padded or not, no white space) stands for; undefined when it is none. */
export function sizeOfBase64(text: string): number | undefined {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) return undefined;
  const digits = text.endsWith("=") ? text.length - (text.endsWith("==") ? 2 : 1) : text.length;
  return digits % 4 === 1 ? undefined : Math.floor((digits * 3) / 4);
}

/** How files of well-known formats begin, in base64. */
const BEGINNINGS: readonly (readonly [beginning: RegExp, mediaType: string])[] = [
  [/^iVBORw0KGgo/, "image/png"],
  [/^\/9j\//, "image/jpeg"],
  [/^R0lGOD[dl]h/, "image/gif"],
  [/^UklGR[\w+/-]{6}XRUJQ/, "image/webp"],
  [/^UklGR[\w+/-]{6}XQVZF/, "audio/wav"],
  [/^JVBERi0/, "application/pdf"],
  [/^T2dnUw/, "audio/ogg"],
  [/^SUQz/, "audio/mpeg"],
  [/^AAAA[\w+/-]{2}Z0eX/, "video/mp4"],
];
const BEGIN = /^(?:iVBOR|\/9j\/|R0lG|UklG|JVBE|T2dn|SUQz|AAAA)/;

/** The media type of a picture, sound or document, from the first bytes of its base64; undefined for anything else. */
export const sniffedMediaType = (base64: string): string | undefined =>
  BEGIN.test(base64) ? BEGINNINGS.find(([beginning]) => beginning.test(base64))?.[1] : undefined;
