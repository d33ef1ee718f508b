// The moment in which a new blob becomes the object.
import { AwsError } from "../../../lib/aws-error.ts";
import { saveBlobRow } from "../../../database/blob-rows.ts";
import type { Store } from "../../../database/store.ts";
import type { BlobStorage } from "../../../storage/storage.ts";
import type { WriteConditions } from "./conditions.ts";
import type { NewObject } from "./objects.ts";
import { placeObject, type PlacedObject, type PlaceParts } from "./place-object.ts";

export interface SwitchParts extends PlaceParts {
  readonly store: Store;
  readonly storage: BlobStorage;
}

/** Resolves once durable, `unsaved` bytes of the blob with it. Rejects, and removes the blob, where the bucket or the conditions no longer allow it. */
export async function switchObject(
  ctx: SwitchParts,
  object: NewObject,
  conditions: WriteConditions = {},
  unsaved?: Uint8Array,
): Promise<PlacedObject> {
  try {
    return await ctx.store.write(async (tx) => {
      if (unsaved) await saveBlobRow(tx, object.blobId, unsaved, object.modifiedAt);
      return placeObject(tx, ctx, object, conditions);
    });
  } catch (error) {
    // Refused: nothing points to the blob. After any other error the row may be on disk, and the sweeper decides.
    if (error instanceof AwsError && !unsaved) await ctx.storage.remove(object.blobId);
    throw error;
  }
}
