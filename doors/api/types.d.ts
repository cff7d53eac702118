import "fastify";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Callers without a session or token may use this route. */
    anonymous?: boolean;
    /** Asked for by a page itself: it shows nobody in front of it, and keeps no session alive. */
    unattended?: boolean;
    /** Pages of other sites may send to this route: nothing is done there by the session of this site alone. */
    foreign?: boolean;
  }
}
