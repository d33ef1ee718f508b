// What an endpoint runs: a copy of its configuration and models as they were when it was created or updated.

export interface VariantPlan {
  readonly name: string;
  readonly modelName: string;
  readonly instanceType: string;
  readonly instanceCount: number;
  readonly weight: number;
  readonly volumeGigabytes?: number | undefined;
  readonly image: string;
  /** Folder under src/algorithms; undefined: the image runs as a container. */
  readonly algorithm?: string;
  readonly environment: Readonly<Record<string, string>>;
  /** s3:// URI of model.tar.gz. */
  readonly modelData?: string;
  /** Of a multi-model container, in place of modelData: `prefix` is the s3:// URI that the models' paths are appended to. */
  readonly multiModel?: { readonly prefix: string; readonly keepsLoaded: boolean };
  readonly roleArn?: string;
  /** No gateway, no credentials. */
  readonly isAlone: boolean;
  /** How long a started container may take until /ping answers. */
  readonly startupSeconds: number;
  readonly downloadSeconds: number;
}

export interface Deployment {
  /** Counts the endpoint's configurations: instances of another generation are replaced. */
  readonly generation: number;
  readonly configName: string;
  readonly variants: readonly VariantPlan[];
}

export const totalInstances = (deployment: Deployment): number =>
  deployment.variants.reduce((sum, variant) => sum + variant.instanceCount, 0);
