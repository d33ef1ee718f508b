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
  /** Packages whose versions stand in the image's tag after its own, e.g. "1.13.1-transformers4.26.0-cpu-py39". */
  readonly tagged?: readonly string[];
  /** Newest first. */
  readonly releases: readonly PythonRelease[];
  /** An index besides the default one, where its lighter builds lie. */
  readonly extraIndex?: string;
  /** Something to know before it is installed, e.g. its size. */
  readonly note?: string;
  /** What is large and comes with some systems, e.g. Debian's python3-torch. */
  readonly fromSystem?: SystemPackage;
}
