// Carries out the lifecycle policies of all repositories.
import type { Store } from "../../../database/store.ts";
import { deleteImage, indexThatNeeds } from "../core/images.ts";
import { candidatesOf, expiringAmong } from "./expiring-images.ts";
import { checkLifecyclePolicy } from "./lifecycle-policy.ts";

/** Resolves to the number of images that went. */
export async function sweepLifecycle(store: Store, now: Date): Promise<number> {
  const rows = await store.read
    .selectFrom("ecr_repositories")
    .select(["uid", "lifecycle_policy"])
    .where("lifecycle_policy", "is not", null)
    .execute();
  let removed = 0;
  for (const { uid, lifecycle_policy: text } of rows) {
    if (text === null) continue;
    const expiring = expiringAmong(checkLifecyclePolicy(text), await candidatesOf(store.read, uid), now);
    for (const image of expiring)
      removed += await store.write(async (tx) => {
        // A list that was pushed meanwhile keeps it.
        if ((await indexThatNeeds(tx, uid, image.digest)) !== undefined) return 0;
        await deleteImage(tx, uid, image.digest, now.getTime());
        return 1;
      });
  }
  return removed;
}
