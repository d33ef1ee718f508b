// encoding-type=url: keys that XML could not carry, encoded as S3 does it (slashes stay).

export type Encoder = <T extends string | undefined>(text: T) => T;

const encodeKey = (text: string): string =>
  encodeURIComponent(text)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%2F", "/");

export const encoderFor =
  (encodingType: "url" | undefined): Encoder =>
  <T extends string | undefined>(text: T): T =>
    // A string stays a string and undefined stays undefined, which TypeScript cannot see.
    (text === undefined || encodingType !== "url" ? text : encodeKey(text)) as T;
