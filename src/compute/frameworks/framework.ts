// SageMaker's framework images as Python environments: what the table says of each.
import type { PythonRelease, SystemPackage } from "../../task/task.ts";

export interface Framework {
  /** Names the Python environment: safe as a file name. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** Repository names, without registry and tag. */
  readonly images: readonly string[];
  /** What SM_FRAMEWORK_MODULE says to scripts. */
  readonly module: string;
  /** Newest first. */
  readonly releases: readonly PythonRelease[];
  /** An index besides the default one, where its lighter builds lie. */
  readonly extraIndex?: string;
  /** Something to know before it is installed, e.g. its size. */
  readonly note?: string;
  /** What is large and comes with some systems, e.g. Debian's python3-torch. */
  readonly fromSystem?: SystemPackage;
}
