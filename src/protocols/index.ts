// Front door of the protocols room.
export type { Protocol, WireRequest } from "./protocol.ts";
export { createRouter, type FoundRoute, type Router } from "./routing.ts";
