// Keeps the bytes of deleted objects for a while: a backup has the rows of a moment, and their bytes must still be there.
import type { Reader } from "./store.ts";
import { findSetting } from "./settings.ts";

/** Milliseconds since 1970, as text. */
export const heldUntilKey = "blobs-held-until";

/** True while no blob may be removed. */
export const areBlobsHeld = async (reader: Reader, now: Date): Promise<boolean> =>
  Number((await findSetting(reader, heldUntilKey)) ?? 0) > now.getTime();
