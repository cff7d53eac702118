import type {} from "@fastify/cookie";
import type { FastifyReply, FastifyRequest } from "fastify";
import { newToken, type Random } from "#base/id";

/** `__Host-`: over TLS only, for this host only, for every path (RFC 6265bis §4.1.3.2). */
const ceremonyCookie = "__Host-leadglass-ceremony";
const knownCookie = "__Host-leadglass-known";
const providerCookie = "__Host-leadglass-provider";

const ceremonySeconds = 60 * 60;
const knownSeconds = 366 * 24 * 60 * 60;
const voucherCookie = "__Host-leadglass-vouched";
const voucherSeconds = 5 * 60;
const providerSeconds = 15 * 60;
const options = { path: "/", secure: true, httpOnly: true, sameSite: "strict" } as const;

/** What a browser is given beside its session. Each is a random secret that says nothing. */
export interface BrowserCookies {
  /** What challenges to this browser are bound to; made when it has none. */
  ceremony(request: FastifyRequest, reply: FastifyReply): string;
  /** The same, of a browser that must have one: an empty text otherwise, to which nothing was ever bound. */
  ceremonyOf(request: FastifyRequest): string;
  /** Of a browser that somebody has signed in with. */
  knownOf(request: FastifyRequest): string | undefined;
  setKnown(reply: FastifyReply, secret: string): void;
  /** Comes back with the navigation from another site, which a strict one does not. */
  provider(reply: FastifyReply): string;
  providerOf(request: FastifyRequest): string;
  clearProvider(reply: FastifyReply): void;
  setVoucher(reply: FastifyReply, voucher: string): void;
  voucherOf(request: FastifyRequest): string;
}

export function createBrowserCookies(random: Random): BrowserCookies {
  const readable = (request: FastifyRequest, name: string) => {
    const value = request.cookies[name];
    return value !== undefined && /^[A-Za-z0-9_-]{16,128}$/.test(value) ? value : undefined;
  };
  const secret = () => newToken(random) + newToken(random);
  return {
    ceremony(request, reply) {
      const value = readable(request, ceremonyCookie) ?? secret();
      reply.setCookie(ceremonyCookie, value, { ...options, maxAge: ceremonySeconds });
      return value;
    },
    ceremonyOf: (request) => readable(request, ceremonyCookie) ?? "",
    knownOf: (request) => readable(request, knownCookie),
    setKnown: (reply, value) => void reply.setCookie(knownCookie, value, { ...options, maxAge: knownSeconds }),
    provider(reply) {
      const value = secret();
      reply.setCookie(providerCookie, value, { ...options, sameSite: "lax", maxAge: providerSeconds });
      return value;
    },
    providerOf: (request) => readable(request, providerCookie) ?? "",
    setVoucher: (reply, value) => void reply.setCookie(voucherCookie, value, { ...options, maxAge: voucherSeconds }),
    voucherOf: (request) => readable(request, voucherCookie) ?? "",
    clearProvider: (reply) => void reply.clearCookie(providerCookie, { ...options, sameSite: "lax" }),
  };
}
