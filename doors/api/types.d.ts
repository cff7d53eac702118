import "fastify";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Callers without a session or token may use this route. */
    anonymous?: boolean;
  }
}
