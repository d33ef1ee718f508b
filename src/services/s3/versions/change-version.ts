// Changes what a version is described by, never its bytes or its date.
import type { Writer } from "../../../database/store.ts";
import type { StoredObject } from "../object/objects.ts";

/** JSON columns of both tables. */
type Described = Partial<Record<"access" | "tags", string>>;

/** A version has one row: in the table of current objects, or in that of the others. */
export async function changeVersion(tx: Writer, object: StoredObject, change: Described): Promise<void> {
  for (const table of ["objects", "object_versions"] as const)
    await tx
      .updateTable(table)
      .set(change)
      .where("bucket", "=", object.bucket)
      .where("key", "=", object.key)
      .where("sequence", "=", object.sequence)
      .execute();
}
