// Folders of a task whose files go to S3 one by one, under the names they have there: checkpoints, outputs of processing jobs.

export interface UploadFolder {
  /** Names it towards the server, which knows the S3 address; safe as a path segment, unique in its task. */
  readonly name: string;
  /** Below the task's root, "/"-separated: "processing/output/train" is /opt/ml/processing/output/train. */
  readonly folder: string;
  /** EndOfJob: after the program ended. Continuous: whenever a file has changed and rests, and at the end. */
  readonly mode: "EndOfJob" | "Continuous";
}
