// ECR: repositories, images and their tags, layers by digest, and who has which.

export interface ImageTables {
  ecr_repositories: EcrRepositoriesTable;
  ecr_registry_settings: EcrRegistrySettingsTable;
  ecr_images: EcrImagesTable;
  ecr_image_tags: EcrImageTagsTable;
  ecr_references: EcrReferencesTable;
  ecr_layers: EcrLayersTable;
  ecr_repository_layers: EcrRepositoryLayersTable;
  ecr_layer_uploads: EcrLayerUploadsTable;
  ecr_layer_parts: EcrLayerPartsTable;
}

export interface EcrRepositoriesTable {
  account: string;
  region: string;
  name: string;
  /** Not the name: a repository made again under it has nothing of the old one. */
  uid: string;
  created_at: number;
  /** RepositorySettings (services/ecr), JSON. */
  settings: string;
  /** [{Key, Value}], JSON. */
  tags: string;
  /** The policy's own text. */
  policy: string | null;
  lifecycle_policy: string | null;
}

/** What is set for a registry, that is for an account in a region, by name: "policy", "replication", … */
interface EcrRegistrySettingsTable {
  account: string;
  region: string;
  name: string;
  /** JSON; the policy's own text. */
  value: string;
}

export interface EcrImagesTable {
  repository_uid: string;
  /** Of the manifest: sha256:… */
  digest: string;
  media_type: string;
  /** Of an artifact, and of an image its configuration's. */
  artifact_type: string | null;
  /** The manifest's own bytes, whose digest it is. */
  manifest: Uint8Array;
  /** Of its layers and configuration. */
  size_bytes: number;
  /** The digest that this image refers to (OCI 1.1). */
  subject: string | null;
  /** Of the manifest, JSON. */
  annotations: string | null;
  pushed_at: number;
  pulled_at: number | null;
}

export interface EcrImageTagsTable {
  repository_uid: string;
  /** Ordered by its bytes. */
  tag: string;
  digest: string;
}

/** What an image needs: "layer" (configurations too) or, of an index, "image". */
export interface EcrReferencesTable {
  repository_uid: string;
  digest: string;
  kind: string;
  needed: string;
}

/** Content by its digest, once for all repositories and accounts. */
export interface EcrLayersTable {
  digest: string;
  blob_id: string;
  size_bytes: number;
}

/** Which repository may show which layer: nobody else learns that it is there. */
export interface EcrRepositoryLayersTable {
  repository_uid: string;
  digest: string;
  /** When it was last uploaded, mounted, asked for, or lost an image: a push may be about to name it. */
  used_at: number;
}

export interface EcrLayerUploadsTable {
  id: string;
  repository_uid: string;
  /** Of the parts so far. */
  size_bytes: number;
  changed_at: number;
}

export interface EcrLayerPartsTable {
  upload_id: string;
  start_byte: number;
  blob_id: string;
  size_bytes: number;
  /** Hexadecimal. */
  sha256: string;
}
