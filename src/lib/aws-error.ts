// The error that a caller sees. Code and message are the contract; protocols/ renders them.

export interface AwsErrorOptions {
  /** Only where the model does not know the error. Default: the model's status, else 400. */
  readonly httpStatus?: number;
  /** Further members of the error's shape, in AWS spelling, e.g. ResourceId or, for S3, BucketName and Key. */
  readonly fields?: Readonly<Record<string, string | number | boolean>>;
  /** Response headers, e.g. x-amz-delete-marker on S3's 404. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown by handlers and stages; nobody but protocols/ turns it into bytes. */
export class AwsError extends Error {
  readonly code: string;
  readonly httpStatus: number | undefined;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: string, message: string, options: AwsErrorOptions = {}) {
    super(message);
    this.name = "AwsError";
    this.code = code;
    this.httpStatus = options.httpStatus;
    this.fields = options.fields ?? {};
    this.headers = options.headers ?? {};
  }
}

export const validationError = (message: string): AwsError => new AwsError("ValidationException", message);
