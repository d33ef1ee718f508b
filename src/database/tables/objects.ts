/** Filled by the service that owns these tables. */
export interface ObjectTables {}
